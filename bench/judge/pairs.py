"""Cells of two sides that can be compared, judged all together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.collect.circumstances import CONTENTION
from bench.judge.guard import Kind, differences, hindering, noted, scored_alike
from bench.judge.noise import Floors
from bench.judge.types import CellPair, Difference, NoiseFloor, Pair, Refused, Verdict
from bench.judge.verdict import MARGIN, judge
from bench.results import CellResult

LEAST_MS: Final = 0.005
"""A difference of medians below it is the clock's and the interpreter's: 5 us, a few Python calls."""
MEMORY_MARGIN: Final = 0.05
LEAST_MIB: Final = 1.0
"""Peak memory of a process moves by pages that the loader and the allocator happen to touch."""


@dataclass(frozen=True)
class Alike:
    """A cell on both sides that can be compared. `run` is the id of the earlier side's run, `one_run` whether both are
    of that; `found` what differs all the same."""

    before: CellResult
    after: CellResult
    run: str
    one_run: bool
    found: tuple[Difference, ...]

    @property
    def retried(self) -> bool:
        """Whether it was measured again, interleaved with the artifact of that very run."""
        return not self.one_run and is_retried(self.after, self.run)

    @property
    def in_turn(self) -> bool:
        """Whether trial i of both was taken in the same round: a device takes its cells' trials of a run by turns."""
        left_out = self.before.left_out or self.after.left_out
        return self.one_run and self.before.device == self.after.device and not left_out


def sort_out(before: CellResult, after: CellResult, run: str, kind: Kind, despite: Collection[str], *,
             one_run: bool) -> Alike | Refused | None:
    """Whether the two can be compared; None where one has no times, or right outputs where the other has wrong ones.

    What was interleaved on one night was measured under the same conditions, whatever the runs' were.
    """
    if not (is_timed(before) and is_timed(after) and is_right(before) == is_right(after)):
        return None
    found = differences(before, after, kind)
    alike = Alike(before, after, run, one_run, found)
    against = hindering(_of_the_night(after, found) if alike.retried else found, despite)
    return Refused(before, after, against) if against else alike


def _of_the_night(cell: CellResult, found: Sequence[Difference]) -> tuple[Difference, ...]:
    """What hinders comparing interleaved trials: only that others took the processor from them."""
    return tuple(item for item in found if item.name == CONTENTION and cell.retry_disturbed)


def judge_pairs(alike: Sequence[Alike], floors: Floors, margin: float | None, *, runs: bool) -> list[CellPair]:
    """Latency of all pairs in one judgement, and memory in another: chance is shared out within each."""
    told = [place for place, pair in enumerate(alike)
            if all(_positive(cell.trial_peak_rss_mib) for cell in (pair.before, pair.after))]
    verdicts = judge([_latency_pair(pair, floors) for pair in alike], margin=MARGIN if margin is None else margin,
                     least=LEAST_MS)
    memory = dict(zip(told, judge([_memory_pair(alike[place]) for place in told], margin=MEMORY_MARGIN,
                                  least=LEAST_MIB), strict=True))
    return [_cell_pair(pair, verdict, memory.get(place), runs)
            for place, (pair, verdict) in enumerate(zip(alike, verdicts, strict=True))]


def held(cells: Iterable[CellResult]) -> list[CellResult]:
    """Without those that the suite itself leaves out."""
    return [cell for cell in cells if cell.status != "skipped" or cell.fault != "config"]


def is_timed(cell: CellResult) -> bool:
    """Whether it has times that can be compared."""
    return cell.status == "ok" and _positive(cell.trial_medians_ms)


def is_right(cell: CellResult) -> bool:
    """Whether there are timings, of outputs that are not known to be wrong."""
    return is_timed(cell) and not (cell.outputs and cell.outputs.wrong)


def is_in_use(pair: tuple[CellResult, CellResult]) -> bool:
    """Whether one was not measured because somebody else used the device: nothing became of it."""
    return any(cell.fault == "busy" for cell in pair)


def is_lost_by_lab(cell: CellResult) -> bool:
    """Whether there are no numbers of it, and that is not its own doing: the lab failed (`CellResult.lab_failed`), its
    device was in use, or it was not its turn yet."""
    return cell.status == "pending" or cell.fault == "busy" or cell.lab_failed


def is_retried(cell: CellResult, run: str) -> bool:
    """Whether the cell was measured again, interleaved with the artifact of that run."""
    return (cell.baseline_run == run and _positive(cell.baseline_medians_ms) and _positive(cell.retry_medians_ms))


def _latency_pair(pair: Alike, floors: Floors) -> Pair:
    one, other = pair.before, pair.after
    values = (other.baseline_medians_ms, other.retry_medians_ms) if pair.retried else (
        one.trial_medians_ms, other.trial_medians_ms)
    return Pair(other.cell, *values, same_run=pair.retried or pair.one_run, floor=_floor(one, other, floors),
                trial_seconds=_slower(one, other), in_turn=pair.retried or pair.in_turn)


def _floor(one: CellResult, other: CellResult, floors: Floors) -> NoiseFloor | None:
    """Of two devices or runtimes the noisier one's; None where one is not known."""
    found = [floors.get((cell.device, cell.runtime)) for cell in (one, other)]
    return None if found[0] is None or found[1] is None else max(found[0], found[1], key=lambda floor: floor.trial_sd)


def _memory_pair(pair: Alike) -> Pair:
    """Memory is not noisy as time is, nor from night to night (`same_run`): the floor of latency says nothing of it."""
    one, other = pair.before, pair.after
    return Pair(other.cell, one.trial_peak_rss_mib, other.trial_peak_rss_mib, same_run=True,
                trial_seconds=_slower(one, other), in_turn=pair.in_turn)


def _slower(one: CellResult, other: CellResult) -> float | None:
    """Seconds of a trial of the side that takes longer."""
    return max((cell.trial_seconds for cell in (one, other) if cell.trial_seconds is not None), default=None)


def _cell_pair(pair: Alike, latency: Verdict, memory: Verdict | None, runs: bool) -> CellPair:
    """With what differs and was let pass, and what differs and is only to be known."""
    one, other = pair.before, pair.after
    size = other.artifact.bytes / one.artifact.bytes if one.artifact and other.artifact and one.artifact.bytes else None
    change = None
    if one.accuracy and other.accuracy and scored_alike(one, other, {item.name for item in pair.found}):
        change = other.accuracy.value - one.accuracy.value
    known = noted(one, other) if runs else ()
    if pair.retried:
        return CellPair(one, other, latency, None if pair.found else memory, size, change,
                        noted=(*known, *pair.found), retried=True, unlike=pair.found)
    return CellPair(one, other, latency, memory, size, change, despite=pair.found, noted=known)


def _positive(values: Sequence[float]) -> bool:
    return bool(values) and min(values) > 0
