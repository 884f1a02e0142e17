"""What a part finds: figures from values taken side by side, each with its interval and what it says of the aim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bench import stats

LEAST_COUNT = 6
"""Values from which order statistics enclose the median with 95 %."""

Verdict = Literal["within aim", "outside", "cannot tell"]


@dataclass(frozen=True)
class Spread:
    """The median of `count` values, its 95 % interval (None below LEAST_COUNT values), the smallest and largest."""

    median: float
    low: float | None
    high: float | None
    smallest: float
    largest: float
    count: int

    def text(self, unit: str, digits: int) -> str:
        """`1.003 (95 %: 0.998 .. 1.007; 12 values, 0.990 .. 1.020)`, each number with its unit."""
        interval = f"95 %: {self.low:.{digits}f} .. {self.high:.{digits}f}; " if self.low is not None else ""
        return (f"{self.median:.{digits}f}{unit} ({interval}n = {self.count}, "
                f"{self.smallest:.{digits}f} .. {self.largest:.{digits}f})")


@dataclass(frozen=True)
class Rate(Spread):
    """A share in %, of `count` cases: `median` is the share, `low` and `high` its 95 % interval."""

    hits: int = 0

    def text(self, unit: str, digits: int) -> str:
        """`0.42 % (95 %: 0.31 .. 0.58; 42 of 10,000)`."""
        return (f"{self.median:.{digits}f}{unit} (95 %: {self.low:.{digits}f} .. {self.high:.{digits}f}; "
                f"{self.hits:,} of {self.count:,})")


@dataclass(frozen=True)
class Aim:
    """The range that a figure should lie in."""

    least: float = -math.inf
    most: float = math.inf


@dataclass(frozen=True)
class Figure:
    """One number of the report. `aim` is None where there is nothing to reach; `note` says what else is known."""

    name: str
    spread: Spread
    unit: str = ""
    digits: int = 3
    aim: Aim | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict | None:
        return judge(self.spread, self.aim) if self.aim else None


@dataclass(frozen=True)
class Part:
    """All that one part found. `missing` says why, where it found nothing."""

    name: str
    title: str
    figures: tuple[Figure, ...] = ()
    remarks: tuple[str, ...] = ()
    missing: str | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


def spread(values: Sequence[float]) -> Spread:
    """The spread of one or more values; the median's interval is from order statistics. Raises ValueError for none."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if not ordered.size:
        raise ValueError("a figure needs at least one value")
    low = high = None
    if ordered.size >= LEAST_COUNT:
        rank = stats.outer_rank(ordered.size)
        low, high = float(ordered[rank]), float(ordered[ordered.size - 1 - rank])
    return Spread(float(np.median(ordered)), low, high, float(ordered[0]), float(ordered[-1]), ordered.size)


def rate(hits: ArrayLike, sizes: ArrayLike = 1, *, worth: float = math.inf) -> Rate:
    """The share of hits in groups of cases, from each group's hits and its size (one number: of all groups).

    The interval is Wilson's (1927), for as many cases as are worth their number: where the cases of a group fall
    together, as cells that are judged together may, the count is divided by the design effect (Kish 1965); and they
    are `worth` at most so many independent ones. Raises ValueError for no cases.
    """
    groups = np.atleast_1d(np.asarray(hits, dtype=np.float64))
    each = np.broadcast_to(np.asarray(sizes, dtype=np.float64), groups.shape)
    count = float(each.sum())
    if not count:
        raise ValueError("a rate needs at least one case")
    share = float(groups.sum()) / count
    effect = 1.0
    if groups.size > 1 and 0 < share < 1:
        variance = float(((groups - share * each) ** 2).sum()) * groups.size / (groups.size - 1) / count**2
        effect = max(1.0, variance * count / (share * (1 - share)))
    low, high = _wilson(share, min(count / effect, worth))
    return Rate(100 * share, 100 * low, 100 * high, 100.0 if share == 1 else 0.0, 100.0 if share else 0.0, round(count),
                round(groups.sum()))


def _wilson(share: float, count: float) -> tuple[float, float]:
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (0.0 if share == 0 else middle - half), (1.0 if share == 1 else middle + half)


def judge(found: Spread, aim: Aim) -> Verdict:
    """`within aim` or `outside` where the whole interval (of few values: all of them) is; else `cannot tell`."""
    low = found.smallest if found.low is None else found.low
    high = found.largest if found.high is None else found.high
    if aim.least <= low and high <= aim.most:
        return "within aim"
    return "outside" if high < aim.least or low > aim.most else "cannot tell"


def to_json(part: Part) -> dict[str, Any]:
    """The part as JSON: what is unknown, and a bound that is none, is null."""
    figures = [{"name": figure.name, "unit": figure.unit.strip(), **asdict(figure.spread), "verdict": figure.verdict,
                "least": _bound(figure.aim.least if figure.aim else None),
                "most": _bound(figure.aim.most if figure.aim else None), "note": figure.note}
               for figure in part.figures]
    return {"name": part.name, "title": part.title, "figures": figures, "remarks": list(part.remarks),
            "missing": part.missing, "raw": part.raw}


def _bound(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
