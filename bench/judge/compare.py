"""What became of cells from one side to the other: verdicts on those that can be compared, reasons for the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from bench.collect.digests import read_run
from bench.errors import ConfigError
from bench.judge.guard import differences, hindering, noted
from bench.judge.matching import Matched, match_parts, match_runs
from bench.judge.noise import Floors, find_floors
from bench.judge.shifts import Move, find_shifts
from bench.judge.trust import with_checks
from bench.judge.types import CellPair, Comparison, Difference, NoiseFloor, Pair, Refused, Shift, Side, Verdict
from bench.judge.verdict import MARGIN, METHOD, judge
from bench.results import CellResult, RunResult
from bench.store.records import RunRecord
from bench.store.store import Store
from bench.words import nearest

LEAST_MS: Final = 0.005
"""A difference of medians below it is the clock's and the interpreter's: 5 us, a few Python calls."""
MEMORY_MARGIN: Final = 0.05
LEAST_MIB: Final = 1.0
"""Peak memory of a process moves by pages that the loader and the allocator happen to touch."""


def compare_runs(store: Store, before: RunRecord, after: RunRecord, *, despite: frozenset[str] = frozenset(),
                 margin: float | None = None, results: tuple[RunResult, RunResult] | None = None) -> Comparison:
    """Cells of two stored runs, each with itself. `results` are the runs as read, where the caller has them already.

    `despite` names circumstances that may differ, "all" for all; `margin` is a fraction, 3 % where none is given.
    """
    floors = find_floors(store, after)
    found = results or (read(store, before, floors), read(store, after, floors))
    sides = [Side("run", result.run.id, result.run) for result in found]
    return compare_results(sides[0], sides[1], found, floors, despite=despite, margin=margin)


def compare_sides(store: Store, before: Side, after: Side, *, despite: frozenset[str] = frozenset(),
                  margin: float | None = None, devices: Collection[str] = (),
                  models: Collection[str] = ()) -> Comparison:
    """The two sides that `bench.judge.sides.find_sides` found; only of some devices or models where they are named.

    Raises ConfigError for a device or a model that neither side has.
    """
    floors = find_floors(store, store.find_run(after.run.id))
    first = read(store, store.find_run(before.run.id), floors)
    second = first if after.run.id == before.run.id else read(store, store.find_run(after.run.id), floors)
    cells = (*first.cells, *second.cells)
    _refuse_unknown("device", devices, [cell.device for cell in cells])
    _refuse_unknown("model", models, [cell.model for cell in cells])
    found = (_only(first, devices, models), _only(second, devices, models))
    return compare_results(before, after, found, floors, despite=despite, margin=margin)


def read(store: Store, run: RunRecord, floors: Floors) -> RunResult:
    """A stored run's result with its checks."""
    return with_checks(read_run(store, run), floors)


def compare_results(before: Side, after: Side, results: tuple[RunResult, RunResult], floors: Floors, *,
                    despite: frozenset[str] = frozenset(), margin: float | None = None) -> Comparison:
    """The two sides of these results, which are one and the same where the sides are parts of a run."""
    cells = [_held(result.cells) for result in results]
    runs = before.kind == "run"
    matched = match_runs(cells[0], cells[1]) if runs else match_parts(cells[1], before.part, after.part)
    compared, refused = [], []
    for one, other in matched.pairs:
        if not (_timed(one) and _timed(other) and _right(one) == _right(other)):
            continue
        found = differences(one, other, before.kind)
        # What was measured in turn on one night was measured under the same circumstances, whatever the runs' were.
        against = () if _retried(other, before) else hindering(found, despite)
        if against:
            refused.append(Refused(one, other, against))
        else:
            compared.append((one, other, found))
    judged = _judged([(one, other) for one, other, _ in compared], before, after, floors, margin)
    pairs = tuple(_with_differences(pair, found, runs) for pair, (_, _, found) in zip(judged, compared, strict=True))
    return Comparison(
        before, after, pairs, tuple(refused), broke=_turned(matched, good=0), mended=_turned(matched, good=1),
        only_before=_names(matched.only_before), only_after=_names(matched.only_after),
        shifts=_shifts(pairs, after) if runs else (), method=_method(),
        in_use=tuple(pair for pair in matched.pairs if pair[1].fault == "busy" and _timed(pair[0])),
        margin=MARGIN if margin is None else margin)


def _judged(pairs: Sequence[tuple[CellResult, CellResult]], before: Side, after: Side, floors: Floors,
            margin: float | None) -> list[CellPair]:
    """Latency of all pairs in one judgement, and memory in another: chance is shared out within each."""
    latency = [_latency_pair(one, other, before, after, floors) for one, other in pairs]
    told = [place for place, pair in enumerate(pairs) if all(_positive(cell.trial_peak_rss_mib) for cell in pair)]
    verdicts = judge(latency, margin=MARGIN if margin is None else margin, least=LEAST_MS)
    memory = dict(zip(told, judge([_memory_pair(*pairs[place], before, after) for place in told], margin=MEMORY_MARGIN,
                                  least=LEAST_MIB), strict=True))
    return [_cell_pair(one, other, verdicts[place], memory.get(place), _retried(other, before))
            for place, (one, other) in enumerate(pairs)]


def _with_differences(pair: CellPair, found: tuple[Difference, ...], runs: bool) -> CellPair:
    """The pair with what differs and was let pass, and what differs and is only to be known."""
    known = noted(pair.before, pair.after) if runs else ()
    if pair.retried:
        return replace(pair, noted=(*known, *found), memory=None if found else pair.memory)
    return replace(pair, despite=found, noted=known)


def _latency_pair(one: CellResult, other: CellResult, before: Side, after: Side, floors: Floors) -> Pair:
    retried = _retried(other, before)
    values = (other.baseline_medians_ms, other.retry_medians_ms) if retried else (
        one.trial_medians_ms, other.trial_medians_ms)
    return Pair(other.cell, *values, same_run=retried or before.run.id == after.run.id,
                floor=_floor(one, other, floors), trial_seconds=_slower(one, other),
                in_turn=retried or _in_turn(one, other, before, after))


def _in_turn(one: CellResult, other: CellResult, before: Side, after: Side) -> bool:
    """Whether trial i of both was taken in the same round: a device takes its cells' trials of a run by turns."""
    return before.run.id == after.run.id and one.device == other.device and not (one.left_out or other.left_out)


def _floor(one: CellResult, other: CellResult, floors: Floors) -> NoiseFloor | None:
    """Of two devices or runtimes the noisier one's; None where one is not known."""
    found = [floors.get((cell.device, cell.runtime)) for cell in (one, other)]
    return None if found[0] is None or found[1] is None else max(found[0], found[1], key=lambda floor: floor.trial_sd)


def _memory_pair(one: CellResult, other: CellResult, before: Side, after: Side) -> Pair:
    """Memory is not noisy as time is, nor from night to night (`same_run`): the floor of latency says nothing of it."""
    return Pair(other.cell, one.trial_peak_rss_mib, other.trial_peak_rss_mib, same_run=True,
                trial_seconds=_slower(one, other), in_turn=_in_turn(one, other, before, after))


def _retried(cell: CellResult, before: Side) -> bool:
    """Whether the cell was measured again in turn with the artifact of that very run."""
    return (before.kind == "run" and cell.baseline_run == before.run.id
            and _positive(cell.baseline_medians_ms) and _positive(cell.retry_medians_ms))


def _slower(one: CellResult, other: CellResult) -> float | None:
    """Seconds of a trial of the side that takes longer."""
    return max((cell.trial_seconds for cell in (one, other) if cell.trial_seconds is not None), default=None)


def _cell_pair(one: CellResult, other: CellResult, latency: Verdict, memory: Verdict | None, retried: bool) -> CellPair:
    size = other.artifact.bytes / one.artifact.bytes if one.artifact and other.artifact and one.artifact.bytes else None
    scores = (one.accuracy, other.accuracy)
    change = None
    if scores[0] and scores[1] and (scores[0].metric, scores[0].count) == (scores[1].metric, scores[1].count):
        change = scores[1].value - scores[0].value
    return CellPair(one, other, latency, memory, size, change, retried=retried)


def _shifts(pairs: Iterable[CellPair], after: Side) -> tuple[Shift, ...]:
    return find_shifts([
        Move(pair.after.device, pair.after.model, pair.after.cell, after.run.id, pair.latency.ratio, pair.latency.call,
             pair.after.runtime, any(item.name == "model's file" for item in pair.noted)) for pair in pairs])


def _turned(matched: Matched, *, good: int) -> tuple[CellResult, ...]:
    """Cells that are right on the side numbered `good` and not on the other, as they are after."""
    return tuple(pair[1] for pair in matched.pairs
                 if _right(pair[good]) and not _right(pair[1 - good]) and not _in_use(pair))


def _held(cells: Iterable[CellResult]) -> list[CellResult]:
    """Without those that the suite itself leaves out."""
    return [cell for cell in cells if cell.status != "skipped" or cell.fault != "config"]


def _in_use(pair: tuple[CellResult, CellResult]) -> bool:
    """Whether one was not measured because somebody else used the device: nothing became of it."""
    return any(cell.fault == "busy" for cell in pair)


def _timed(cell: CellResult) -> bool:
    return cell.status == "ok" and _positive(cell.trial_medians_ms)


def _right(cell: CellResult) -> bool:
    """Whether there are timings, of outputs that are not known to be wrong."""
    return _timed(cell) and not (cell.outputs and cell.outputs.wrong)


def _positive(values: Sequence[float]) -> bool:
    return bool(values) and min(values) > 0


def _names(cells: Iterable[CellResult]) -> tuple[str, ...]:
    return tuple(cell.cell for cell in cells if cell.status != "skipped")


def _refuse_unknown(what: str, names: Collection[str], known: Iterable[str]) -> None:
    there = list(dict.fromkeys(known))
    for name in names:
        if name not in there:
            raise ConfigError(f"neither side has a {what} {name!r}{nearest(name, there)}")


def _only(result: RunResult, devices: Collection[str], models: Collection[str]) -> RunResult:
    return replace(result, cells=tuple(cell for cell in result.cells if (not devices or cell.device in devices)
                                       and (not models or cell.model in models)))


def _method() -> str:
    return (f"{METHOD}; less than {1000 * LEAST_MS:g} µs is no difference in latency; memory is the peak RSS of each "
            f"trial's process, against a margin of {100 * MEMORY_MARGIN:g} % and {LEAST_MIB:g} MiB")
