"""Android's `getprop`: one `[key]: [value]` a line, a value may go on over several."""

from __future__ import annotations

import re
from typing import Dict, List

from bench.agents.probes.problems import refuse

_FIRST = re.compile(r"\[([^\]]+)\]: \[(.*)", re.DOTALL)


def parse(text: str, problems: List[str]) -> Dict[str, str]:
    """The properties. A key that is there twice with two values is left out: one of them may be part of a value."""
    found: Dict[str, str] = {}
    twice = set()
    for entry in _entries(text, problems):
        match = _FIRST.match(entry)
        if match is None or not entry.endswith("]"):
            refuse(problems, "getprop: not understood", entry)
            continue
        key, value = match.group(1), match.group(2)[:-1]
        if found.setdefault(key, value) != value:
            twice.add(key)
    for key in sorted(twice):
        refuse(problems, "getprop: two values of", key)
        del found[key]
    return found


def _entries(text: str, problems: List[str]) -> List[str]:
    entries: List[List[str]] = []
    for line in text.replace("\r\n", "\n").strip("\n").split("\n"):
        if _FIRST.match(line):
            entries.append([line])
        elif entries:
            entries[-1].append(line)
        elif line:
            refuse(problems, "getprop: not understood", line)
    return ["\n".join(lines) for lines in entries]
