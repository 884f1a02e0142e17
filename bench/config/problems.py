"""What is wrong with a file, every problem with its line, as one error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.config.yaml import Document, Place
from bench.errors import ConfigError
from bench.words import nearest

MAX_LISTED: Final = 50
MAX_SUGGESTED: Final = 12


@dataclass(frozen=True)
class Problem:
    """What is wrong at a place in a file: wanted, found, nearest. `line` where it is not the place's own."""

    place: Place
    text: str
    line: int | None = None


def config_error(path: Path, document: Document, problems: Iterable[Problem], which: str) -> ConfigError:
    """One error that lists `problems` by line, each as `file.yaml:12: models.m.source: text`; at most 50.

    `which` is the kind of file that `bench schema` knows.
    """
    numbered = [(problem.line or document.line(problem.place), problem) for problem in problems]
    numbered.sort(key=lambda pair: pair[0])
    lines = [f"{path}:{line}: {dotted(problem.place)}{problem.text}" for line, problem in numbered[:MAX_LISTED]]
    if len(numbered) > MAX_LISTED:
        lines.append(f"{path}:{numbered[MAX_LISTED][0]}: more problems follow, {MAX_LISTED} are listed")
    return ConfigError("\n".join(lines), hint=f"what the file may hold: bench schema {which}")


def dotted(place: Place) -> str:
    """`exclude[0].model: ` for a place in a file, nothing for the whole file."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{_shown(step)}"
    return f"{text}: " if text else ""


def _shown(key: str) -> str:
    return key if re.fullmatch(r"[\w.-]{1,64}", key) else quoted(key)


def quoted(text: str) -> str:
    """`text` in quotes on one line, its middle left out when it is long."""
    return repr(text if len(text) <= 60 else f"{text[:40]}...{text[-10:]}")


def found(value: object, written: str | None) -> str:
    """What a value is, for the end of "wanted ..., found": `the number 0123`, `'text'`, `a list`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{written or str(value).lower()}, a truth value"
    if isinstance(value, int | float):
        return f"the number {written or value}"
    return quoted(value) if isinstance(value, str) else "a list" if isinstance(value, list) else "a mapping"


def suggest(word: str, known: Iterable[str]) -> str:
    """`bench.words.nearest`, which of many names tells the five closest."""
    word, names = word[:100], list(known)
    if len(names) > MAX_SUGGESTED:
        names = [*difflib.get_close_matches(word, names, n=5, cutoff=0.0), "..."]
    return nearest(word, names)
