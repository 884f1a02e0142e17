"""Writes docs/commands.md from the command line's own help. A test holds the two together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
VERBS = ("init", "devices", "run", "convert", "report", "compare", "history", "recommend", "noise", "logs", "bundle",
         "provision", "schema", "gc", "store")
PARTS = {"bundle": ("build", "list", "push"), "store": ("check",)}


def page() -> str:
    """The page as it should be."""
    parts = ["# Commands\n\nWritten by `python scripts/write_commands.py`.\n", _section("bench")]
    for verb in VERBS:
        parts.append(_section("bench", verb))
        parts += [_section("bench", verb, part) for part in PARTS.get(verb, ())]
    return "\n".join(parts)


def _section(*words: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, "-m", *words, "--help"], capture_output=True, text=True, check=True,
                          env=environment)
    return f"## {' '.join(words)}\n\n```\n{done.stdout.strip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
