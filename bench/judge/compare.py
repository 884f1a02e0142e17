"""What became of cells from one side to the other: verdicts on those that can be compared, reasons for the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from bench.collect.digests import read_run
from bench.collect.privacy import without_homes
from bench.errors import ConfigError
from bench.judge.identity import histories
from bench.judge.matching import Matched, match_parts, match_runs
from bench.judge.noise import Floors, find_floors
from bench.judge.pairs import (
    LEAST_MIB,
    LEAST_MS,
    MEMORY_MARGIN,
    Alike,
    held,
    is_in_use,
    is_lost_by_lab,
    is_right,
    is_timed,
    judge_pairs,
    sort_out,
)
from bench.judge.renamed import Named, seem_renamed, with_new_names
from bench.judge.shifts import Move, find_shifts
from bench.judge.trust import with_checks
from bench.judge.types import CellPair, Comparison, Refused, Shift, Side
from bench.judge.verdict import MARGIN, METHOD
from bench.results import CellResult, RunResult
from bench.store.records import RunRecord
from bench.store.store import Store
from bench.words import nearest


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
    told = compare_results(before, after, found, floors, despite=despite, margin=margin)
    return replace(told, remarks=(*_other_suite(store, before, after), *told.remarks))


def _other_suite(store: Store, before: Side, after: Side) -> tuple[str, ...]:
    """What to know where two runs are not of one suite."""
    known = histories(store.runs(None))
    if known[before.run.id] == known[after.run.id]:
        return ()
    runs = [store.find_run(side.run.id) for side in (before, after)]
    return ("the runs are of two suites: "
            + " and ".join(f"{run.suite} ({without_homes(run.suite_path)})" for run in runs),)


def read(store: Store, run: RunRecord, floors: Floors) -> RunResult:
    """A stored run's result with its checks."""
    return with_checks(read_run(store, run), floors)


def compare_results(before: Side, after: Side, results: tuple[RunResult, RunResult], floors: Floors, *,
                    despite: frozenset[str] = frozenset(), margin: float | None = None) -> Comparison:
    """The two sides of these results, which are one and the same where the sides are parts of a run."""
    runs, one_run = before.kind == "run", before.run.id == after.run.id
    cells = [held(result.cells) for result in results]
    named = with_new_names(cells[0], cells[1], before.run, after.run) if runs else Named(cells[0], cells[1])
    matched = match_runs(named.before, named.after) if runs else match_parts(cells[1], before.part, after.part)
    matched, pending = without_pending(matched)
    sorted_out = [sort_out(one, other, before.run.id, before.kind, despite, one_run=one_run)
                  for one, other in matched.pairs]
    pairs = tuple(judge_pairs([each for each in sorted_out if isinstance(each, Alike)], floors, margin, runs=runs))
    return Comparison(
        before, after, pairs, tuple(each for each in sorted_out if isinstance(each, Refused)),
        broke=turned(matched, good=0), mended=turned(matched, good=1), only_before=names(matched.only_before),
        only_after=names(matched.only_after), shifts=shifts(pairs, after) if runs else (), method=method(),
        margin=MARGIN if margin is None else margin, in_use=in_use(matched), missed=missed(matched),
        pending=pending,
        remarks=(*named.remarks, *seem_renamed(matched, before.run, after.run)) if runs else ())


def without_pending(matched: Matched) -> tuple[Matched, tuple[str, ...]]:
    """Without the cells that a side has not measured yet, and their names."""
    waiting = [pair[1].cell for pair in matched.pairs if _is_pending(*pair)]
    waiting += [cell.cell for cell in (*matched.only_before, *matched.only_after) if _is_pending(cell)]
    if not waiting:
        return matched, ()
    return Matched(tuple(pair for pair in matched.pairs if not _is_pending(*pair)),
                   tuple(cell for cell in matched.only_before if not _is_pending(cell)),
                   tuple(cell for cell in matched.only_after if not _is_pending(cell))), tuple(waiting)


def _is_pending(*cells: CellResult) -> bool:
    return any(cell.status == "pending" for cell in cells)


def shifts(pairs: Iterable[CellPair], after: Side) -> tuple[Shift, ...]:
    """The devices that moved as a whole."""
    return find_shifts([
        Move(pair.after.device, pair.after.model, pair.after.cell, after.run.id, pair.latency.ratio, pair.latency.call,
             pair.after.runtime, any(item.name == "model's file" for item in pair.noted)) for pair in pairs])


def turned(matched: Matched, *, good: int) -> tuple[CellResult, ...]:
    """Cells that are right on the side numbered `good` and not on the other, as they are after."""
    return tuple(pair[1] for pair in matched.pairs
                 if is_right(pair[good]) and not is_right(pair[1 - good]) and not is_in_use(pair))


def in_use(matched: Matched) -> tuple[tuple[CellResult, CellResult], ...]:
    """Cells that were measured before and not after, because somebody else used the device."""
    return tuple(pair for pair in matched.pairs if pair[1].fault == "busy" and is_timed(pair[0]))


def missed(matched: Matched) -> tuple[tuple[CellResult, CellResult], ...]:
    """Cells that are measured after and were not before, which was not their own doing."""
    return tuple(pair for pair in matched.pairs if is_lost_by_lab(pair[0]) and is_timed(pair[1]))


def names(cells: Iterable[CellResult]) -> tuple[str, ...]:
    """Of those that were not left out."""
    return tuple(cell.cell for cell in cells if cell.status != "skipped")


def method() -> str:
    """How it is judged, in a sentence."""
    return (f"{METHOD}; less than {1000 * LEAST_MS:g} µs is no difference in latency; memory is the peak RSS of each "
            f"trial's process, against a margin of {100 * MEMORY_MARGIN:g} % and {LEAST_MIB:g} MiB")


def _refuse_unknown(what: str, names: Collection[str], known: Iterable[str]) -> None:
    there = list(dict.fromkeys(known))
    for name in names:
        if name not in there:
            raise ConfigError(f"neither side has a {what} {name!r}{nearest(name, there)}")


def _only(result: RunResult, devices: Collection[str], models: Collection[str]) -> RunResult:
    return replace(result, cells=tuple(cell for cell in result.cells if (not devices or cell.device in devices)
                                       and (not models or cell.model in models)))
