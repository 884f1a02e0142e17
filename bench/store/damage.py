"""What cannot be read of a store, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.store.opening import CHECK
from bench.store.records import Damage
from bench.words import counted

MOST_CELLS: Final = 3
"""That are named of a run."""
MOST_RUNS: Final = 5
"""That a warning names."""
NOUNS: Final = {"runs": "run", "cells": "cell", "sessions": "session", "trials": "trial", "digests": "digest"}
"""By table, what a row of it is."""


def warning(path: Path, damage: Sequence[Damage]) -> str:
    """One line for those who read a damaged store; empty of a sound one."""
    if not damage:
        return ""
    found = lines(damage)
    more = [f"and {len(found) - MOST_RUNS} more"] if len(found) > MOST_RUNS else []
    return (f"{path} is damaged, and read as far as it is not: {'; '.join([*found[:MOST_RUNS], *more])}. "
            f"{CHECK}")


def lines(damage: Sequence[Damage]) -> list[str]:
    """A line for each run of which something cannot be read, one for what is of no known run, and one for the file."""
    of_run: dict[str, list[Damage]] = {}
    for each in damage:
        if each.table:
            of_run.setdefault(each.run or "", []).append(each)
    found = [_of_run(run, of_run[run]) for run in sorted(of_run)]
    return [*found, *(f"all rows can be read, but {each.problem}" for each in damage if not each.table)]


def _of_run(run: str, damage: Sequence[Damage]) -> str:
    counts: Counter[str] = Counter()
    for each in damage:
        counts[each.table] += each.rows
    parts = [counted(counts[table], noun) for table, noun in NOUNS.items() if counts[table]]
    if not run:
        return f"{', '.join(parts)} of runs that are not known cannot be read"
    if counts["runs"]:
        return f"run {run} cannot be read"
    cells = sorted({each.cell for each in damage if each.cell})
    more = f" and {len(cells) - MOST_CELLS} more" if len(cells) > MOST_CELLS else ""
    named = f" ({', '.join(cells[:MOST_CELLS])}{more})" if cells else ""
    return f"run {run}: {', '.join(parts)} cannot be read{named}"
