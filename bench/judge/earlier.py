"""What became of a cell since the run that it is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from bench.collect.circumstances import CONTENTION
from bench.judge.types import Comparison, Difference, Refused
from bench.results import CellResult

OPTIONS: Final = "options"
"""The one condition of then that can be had now: the runtime takes whatever options it is given."""
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
    known = {pair.after.cell: Earlier(pair.before, "inconclusive", "it was not told in both runs")
             for pair in comparison.pairs}
    known |= {refused.after.cell: Earlier(refused.before, "not judged",
                                          f"not comparable: {listed(refused.differences)}{_not_both(refused)}")
              for refused in comparison.refused}
    known |= {after.cell: Earlier(before, "not judged", f"not measured: {after.reason}")
              for before, after in comparison.in_use}
    known |= {lost.cell: _lost(lost, comparison.run_of(lost.cell)) for lost in comparison.broke}
    known |= {cell.cell: Earlier(None, "kept", "nothing to compare with: run "
                                 f"{comparison.run_of(cell.cell)} has no right outputs of it")
              for cell in comparison.mended}
    then = comparison.before.run.id
    known |= {after.cell: Earlier(None, "not judged", f"not measured in run {then}: {before.reason}")
              for before, after in comparison.missed}
    new = set(comparison.only_after)
    return [known.get(cell.cell) or _without(cell, comparison.run_of(cell.cell), new=cell.cell in new)
            for cell in cells]


def _not_both(refused: Refused) -> str:
    """Why what was then cannot be measured beside what is now, where only that would tell."""
    names = {item.name for item in refused.differences}
    if names - {CONTENTION} == {OPTIONS}:
        return ""
    gone = [name for name in ("runtime", "os") if name in names]
    return f"; the {' and the '.join(gone)} of then cannot be had any more, to measure both now" if gone else ""


def listed(differences: tuple[Difference, ...]) -> str:
    """`os (Debian 12.4, now Debian 12.5), governor (...)`."""
    return ", ".join(f"{item.name} ({item.before}, now {item.after})" for item in differences)


def _lost(cell: CellResult, run: str) -> Earlier:
    """Right then, and not now: the cell's own doing, unless it was the lab that failed."""
    if cell.status == "ok":
        return Earlier(None, "broken", f"its outputs differ from the fp32 reference; in run {run} they were right")
    state: State = "not judged" if cell.lab_failed else "broken"
    return Earlier(None, state, f"measured in run {run} and not now: {cell.reason}")


def _without(cell: CellResult, run: str, *, new: bool) -> Earlier:
    """Not there then, not measured either, or never green."""
    if cell.status == "failed":
        return Earlier(None, "not judged", f"not measured: {cell.reason}; neither in run {run}")
    return Earlier(None, "kept", f"{'new' if new else 'no result before to hold it against'}: nothing to compare with")
