"""Each cell's baseline: its newest green result that can be compared with the one at hand.

A run as a whole is no baseline: on the night on which an option changed nothing of it could be judged, and held against
that night everything after it would be green.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bench.collect.digests import read_run
from bench.config.expect import Metric
from bench.judge.compare import in_use, method, names, read, shifts, turned, without_pending
from bench.judge.matching import Matched, match_runs
from bench.judge.noise import Floors
from bench.judge.pairs import Alike, held, is_right, is_timed, judge_pairs, sort_out
from bench.judge.renamed import Named, seem_renamed, with_new_names
from bench.judge.sides import earlier_alike
from bench.judge.types import Comparison, Refused, Side
from bench.judge.verdict import MARGIN
from bench.results import CellResult, RunResult
from bench.store.records import RunRecord
from bench.store.store import Store

MOST_READ: Final = 30
"""Runs that are read in search of cells' baselines. A cell without one among them is not judged, never green."""


@dataclass(frozen=True)
class Chosen:
    """The runs that a run's cells are compared with: `of`, by the cell's name, and `main` for all that is said of the
    whole, the run of most of them and of those the newest; None where no earlier result is green. With `rest` cells
    that have none of their own are compared with that one too."""

    main: RunRecord | None
    of: Mapping[str, RunRecord] = field(default_factory=dict)
    rest: bool = False


def choose_green(store: Store, run: RunRecord, result: RunResult, despite: frozenset[str],
                 metric: Metric | None = None) -> Chosen:
    """For each cell of `result`, of `run`, the newest earlier run of its suite in which it is green (`is_green`) and
    comparable with now; where none is comparable the newest in which it is green, for the guard to say why not. With
    `metric` it is that of which it must be green: what is inconclusive of its memory says nothing of its latency."""
    waiting = {cell.cell: cell for cell in held(result.cells) if cell.status != "pending"}
    found: dict[str, RunRecord] = {}
    unlike: dict[str, RunRecord] = {}
    read_so_far = 0
    for earlier in earlier_alike(store, run):
        if not waiting or read_so_far >= MOST_READ:
            break
        green = is_green(earlier, metric)
        if not any(map(green, waiting)):
            continue
        read_so_far += 1
        before = read_run(store, earlier)
        cells = [cell for cell in held(before.cells) if is_right(cell) and green(cell.cell)]
        named = with_new_names(cells, list(waiting.values()), before.run, result.run)
        for one, other in match_runs(named.before, named.after).pairs:
            if _comparable(one, other, earlier.id, despite):
                found[other.cell] = earlier
                del waiting[other.cell]
            else:
                unlike.setdefault(other.cell, earlier)
    of = {**unlike, **found}
    return Chosen(_main(of.values()), of)


def is_green(run: RunRecord, metric: Metric | None = None) -> Callable[[str], bool]:
    """Whether a cell, by its name, met all that was expected of it in the run, or of one metric of it.

    A regression that was inconclusive was not ruled out, and a later one would be added to it; an inconclusive limit is
    no regression. A cell of which nothing was expected is green in a run that was judged. (Whether it was measured at
    all, with right outputs, is another question.)"""
    judgement = run.judgement or {}
    outcomes = judgement.get("outcomes") or []
    if not outcomes:
        return lambda cell: judgement.get("state") in ("green", "none")
    spoiled = {each["cell"] for each in outcomes if metric in (None, each["expectation"]) and _spoils(each)}
    return lambda cell: cell not in spoiled


def _spoils(outcome: Mapping[str, Any]) -> bool:
    return outcome["state"] in ("broken", "not judged") or (
        outcome["state"] == "inconclusive" and " against " in outcome.get("limit", ""))


def compare_chosen(store: Store, chosen: Chosen, result: RunResult, floors: Floors,
                   despite: frozenset[str]) -> Comparison | None:
    """The cells of `result`, each with its own baseline, in one judgement; None without any. A cell that has none is
    new, or mended where the main run has it without right outputs."""
    if chosen.main is None:
        return None
    runs = {run.id: run for run in (chosen.main, *chosen.of.values())}
    parts = [_compare(read(store, run, floors), result, chosen, despite) for run in runs.values()]
    pairs = tuple(judge_pairs([alike for part in parts for alike in part.alike], floors, None, runs=True))
    main, after = parts[0], Side("run", result.run.id, result.run)
    return Comparison(
        Side("run", chosen.main.id, main.run.run), after, pairs, tuple(each for part in parts for each in part.refused),
        broke=tuple(cell for part in parts for cell in part.broke),
        in_use=tuple(pair for part in parts for pair in part.in_use), mended=main.mended, only_before=main.only_before,
        only_after=main.only_after, shifts=shifts(pairs, after), method=method(), margin=MARGIN, pending=main.pending,
        against={cell: run.id for cell, run in chosen.of.items() if run.id != chosen.main.id}, remarks=main.remarks)


@dataclass(frozen=True)
class _Part:
    """What is compared with one run; what is said of the whole only of the main one."""

    run: RunResult
    alike: tuple[Alike, ...]
    refused: tuple[Refused, ...]
    broke: tuple[CellResult, ...]
    in_use: tuple[tuple[CellResult, CellResult], ...]
    mended: tuple[CellResult, ...] = ()
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def _compare(before: RunResult, after: RunResult, chosen: Chosen, despite: frozenset[str]) -> _Part:
    named = with_new_names(held(before.cells), held(after.cells), before.run, after.run)
    whole, pending = without_pending(match_runs(named.before, named.after))
    mine = Matched(tuple(pair for pair in whole.pairs if _is_of(pair[1], before, chosen)), (), ())
    sorted_out = [sort_out(one, other, before.run.id, "run", despite, one_run=False) for one, other in mine.pairs]
    part = _Part(before, tuple(each for each in sorted_out if isinstance(each, Alike)),
                 tuple(each for each in sorted_out if isinstance(each, Refused)), turned(mine, good=0), in_use(mine))
    assert chosen.main is not None
    return _of_the_whole(part, named, whole, pending, after, chosen) if before.run.id == chosen.main.id else part


def _of_the_whole(part: _Part, named: Named, whole: Matched, pending: tuple[str, ...], after: RunResult,
                  chosen: Chosen) -> _Part:
    without = Matched(tuple(pair for pair in whole.pairs if chosen.rest or pair[1].cell not in chosen.of), (), ())
    new = [cell for cell in whole.only_after if cell.cell not in chosen.of]
    return replace(part, mended=turned(without, good=1), only_before=names(whole.only_before), only_after=names(new),
                   pending=pending, remarks=(*named.remarks, *seem_renamed(whole, part.run.run, after.run)))


def _is_of(cell: CellResult, before: RunResult, chosen: Chosen) -> bool:
    run = chosen.of.get(cell.cell, chosen.main if chosen.rest else None)
    return run is not None and run.id == before.run.id


def _comparable(one: CellResult, other: CellResult, run: str, despite: frozenset[str]) -> bool:
    """Whether a green result is one to hold the other against: also where that one has no right outputs any more."""
    if not is_timed(other) or not is_right(other):
        return True
    return isinstance(sort_out(one, other, run, "run", despite, one_run=False), Alike)


def _main(runs: Iterable[RunRecord]) -> RunRecord | None:
    known: Sequence[RunRecord] = list(runs)
    counts = Counter(run.id for run in known)
    return max(known, key=lambda run: (counts[run.id], run.started, run.id), default=None)
