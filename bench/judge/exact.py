"""Expectations of what has no noise: an artifact's size, and accuracy on one and the same labelled set."""

from __future__ import annotations

from collections.abc import Collection

from bench.collect.circumstances import DATASET
from bench.judge.earlier import Earlier, State
from bench.judge.guard import UNTOLD, scored_alike
from bench.results import CellResult, Outcome
from bench.units import mebibytes, percent

_ROUNDING = 1e-9
"""Of a fraction; a drop of exactly the limit keeps it."""


def size(limit: str, most_bytes: float, cell: CellResult) -> Outcome:
    """The artifact against a size in bytes."""
    if cell.artifact is None:
        return Outcome("size", cell.cell, "inconclusive", limit, "-", "it was not told")
    kept = cell.artifact.bytes <= most_bytes
    return Outcome("size", cell.cell, "kept" if kept else "broken", limit, f"{mebibytes(cell.artifact.bytes)} MiB",
                   "exact")


def growth(limit: str, most: float, cell: CellResult, earlier: Earlier) -> Outcome:
    """The artifact against that of the run before; `most` is a fraction."""
    before = earlier.cell.artifact if earlier.cell else None
    if before is None or cell.artifact is None or not before.bytes:
        return _without("size", limit, cell, earlier)
    change = cell.artifact.bytes / before.bytes - 1
    return Outcome("size", cell.cell, "kept" if change <= most + _ROUNDING else "broken", limit,
                   f"{100 * change:+.2g} % ({mebibytes(before.bytes)} to {mebibytes(cell.artifact.bytes)} MiB)",
                   "exact")


def drop_from_fp32(limit: str, most: float, cell: CellResult) -> Outcome:
    """The accuracy lost against the fp32 reference on the host; `most` is a fraction."""
    if cell.accuracy is None or cell.accuracy.drop is None:
        return _unknown(limit, cell)
    score = cell.accuracy
    return Outcome("accuracy_drop", cell.cell, "kept" if cell.accuracy.drop <= most + _ROUNDING else "broken", limit,
                   f"{100 * cell.accuracy.drop:.2f} pp ({percent(score.value)})", _exact(score.count))


def drop_from_run(limit: str, most: float, cell: CellResult, earlier: Earlier,
                  despite: Collection[str] = ()) -> Outcome:
    """The accuracy lost against the run before; `most` is a fraction. It is of one and the same labelled set, unless
    the user lets another dataset pass (`despite`)."""
    if cell.accuracy is None and cell.status != "skipped":
        return _unknown(limit, cell)
    before = earlier.cell.accuracy if earlier.cell else None
    now = cell.accuracy
    if earlier.cell is None or before is None or now is None:
        return _without("accuracy_drop", limit, cell, earlier)
    if not scored_alike(earlier.cell, cell, despite):
        return Outcome("accuracy_drop", cell.cell, "not judged", limit, percent(now.value),
                       f"another labelled set: {_set(earlier.cell)}, now {_set(cell)}")
    drop = before.value - now.value
    return Outcome("accuracy_drop", cell.cell, "kept" if drop <= most + _ROUNDING else "broken", limit,
                   f"{100 * drop:.2f} pp ({percent(before.value)} to {percent(now.value)})", _exact(now.count))


def _set(cell: CellResult) -> str:
    """`top1 on 1000 (dataset 0a1b2c3d4e5f)`."""
    assert cell.accuracy is not None
    return (f"{cell.accuracy.metric} on {cell.accuracy.count} "
            f"({DATASET} {cell.circumstances.get(DATASET, UNTOLD)})")


def _exact(count: int) -> str:
    return f"exact on this set of {count}"


def _unknown(limit: str, cell: CellResult) -> Outcome:
    """A failed cell breaks it, unless it was the lab that failed; of a measured one it is only not known."""
    failed = cell.status == "failed"
    state: State = "broken" if failed and not cell.lab_failed else "not judged" if failed else "inconclusive"
    return Outcome("accuracy_drop", cell.cell, state, limit, "-",
                   f"not measured: {cell.reason}" if failed else "its accuracy is not known")


def _without(metric: str, limit: str, cell: CellResult, earlier: Earlier) -> Outcome:
    return Outcome(metric, cell.cell, earlier.state, limit, "-", earlier.reason)
