"""Numbers for people: one formatter per unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

MIB = 1024 * 1024


def milliseconds(value: float | None) -> str:
    """`value` in ms with three significant digits, '-' for unknown: 0.0912, 4.31, 128."""
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def mebibytes(size_bytes: float | None) -> str:
    """`size_bytes` in MiB with three significant digits, '-' for unknown."""
    return "-" if size_bytes is None else milliseconds(size_bytes / MIB)


def percent(fraction: float | None) -> str:
    """A fraction of one as a percentage with one digit: 0.883 -> 88.3 %."""
    return "-" if fraction is None else f"{100 * fraction:.1f} %"


def duration(seconds: float) -> str:
    """Seconds for people: 0.4 s, 12 s, 3 min 5 s, 1 h 2 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def ranges(numbers: Sequence[int]) -> str:
    """Numbers in rising order, successive ones as a range: `0-3, 7`."""
    ends = [0, *(place for place, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1), len(numbers)]
    runs = [numbers[start:end] for start, end in pairwise(ends)]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs if run)
