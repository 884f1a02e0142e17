"""What became of a cell since the run that it is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bench.judge.types import Comparison, Difference
from bench.results import CellResult

State = Literal["kept", "broken", "inconclusive", "not judged"]
"""Of an expectation that was held against a cell."""


@dataclass(frozen=True)
class Earlier:
    """The cell as it was then, None where it was not measured or is not now. `state` and `reason` are what an
    expectation comes to that needs both."""

    cell: CellResult | None
    state: State
    reason: str


def find_earlier(cells: Iterable[CellResult], comparison: Comparison) -> list[Earlier]:
    """Each of these cells of the comparison's later run, as it was in the earlier one."""
    run = comparison.before.run.id
    known = {pair.after.cell: Earlier(pair.before, "inconclusive", "it was not told in both runs")
             for pair in comparison.pairs}
    known |= {refused.after.cell: Earlier(refused.before, "not judged",
                                          f"not comparable: {listed(refused.differences)}")
              for refused in comparison.refused}
    known |= {after.cell: Earlier(before, "not judged", f"not measured: {after.reason}")
              for before, after in comparison.in_use}
    known |= {lost.cell: _lost(lost, run) for lost in comparison.broke}
    known |= {cell.cell: Earlier(None, "kept", f"nothing to compare with: run {run} has no right outputs of it")
              for cell in comparison.mended}
    return [known.get(cell.cell) or _new(cell, run) for cell in cells]


def listed(differences: tuple[Difference, ...]) -> str:
    """`os (Debian 12.4, now Debian 12.5), governor (...)`."""
    return ", ".join(f"{item.name} ({item.before}, now {item.after})" for item in differences)


def _lost(cell: CellResult, run: str) -> Earlier:
    """Right then, and not now: the cell's own doing, unless it was the lab that failed."""
    if cell.status == "ok":
        return Earlier(None, "broken", f"its outputs differ from the fp32 reference; in run {run} they were right")
    state: State = "not judged" if cell.fault == "infrastructure" else "broken"
    return Earlier(None, state, f"measured in run {run} and not now: {cell.reason}")


def _new(cell: CellResult, run: str) -> Earlier:
    """Not there then, or not measured either."""
    if cell.status == "failed":
        return Earlier(None, "not judged", f"not measured: {cell.reason}; neither in run {run}")
    return Earlier(None, "kept", "new: nothing to compare with")
