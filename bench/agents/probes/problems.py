"""What a device answered and nobody here understands: told with its first words, never guessed at."""

from __future__ import annotations

from typing import List

LIMIT = 8
SHOWN = 80


def refuse(problems: List[str], what: str, found: str = "") -> None:
    """Note in `problems`, once, that `what` was not understood and how it began; LIMIT notes are enough."""
    line = "{}: {}".format(what, shown(found)) if found else what
    if line not in problems and len(problems) < LIMIT:
        problems.append(line)


def shown(text: str) -> str:
    """The start of a text from a device, in quotes, with control and foreign characters escaped."""
    return ascii(text if len(text) <= SHOWN else text[:SHOWN] + "...")
