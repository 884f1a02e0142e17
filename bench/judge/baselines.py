"""Each cell's baseline: its newest green result that can be compared with the one at hand.

A run as a whole is no baseline: on the night on which an option changed nothing of it could be judged, and held against
that night everything after it would be green.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bench.collect.circumstances import CONTENTION
from bench.collect.digests import read_run
from bench.config.expect import Metric
from bench.judge.compare import in_use, method, names, read, shifts, turned, without_pending
from bench.judge.guard import ALL, scored_alike
from bench.judge.matching import Matched, match_runs
from bench.judge.noise import Floors
from bench.judge.pairs import Alike, held, is_lost_by_lab, is_right, is_timed, judge_pairs, sort_out
from bench.judge.renamed import Named, seem_renamed, with_new_names
from bench.judge.sides import earlier_alike, previous
from bench.judge.standing import Standing, first_judged, names_of, standing_of
from bench.judge.types import Comparison, Refused, Side
from bench.judge.verdict import MARGIN
from bench.results import CellResult, RunResult
from bench.store.records import RunRecord
from bench.store.store import Store

EXACT: Final = ("size", "accuracy_drop")
"""Metrics that no other process changes."""
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
    """For each cell of `result`, of `run`, the newest earlier run of its suite in which it was judged and green, and
    comparable with now; where none is comparable the newest in which it was green, for the guard to say why not. With
    `metric` it is that of which it must be green: what is inconclusive of its memory says nothing of its latency.

    A run that expected nothing of the cell would hide a regression from all that are held against it. It is a baseline
    only where the cell was never green: then the newest from before anything was expected of it, else the oldest since.
    (Whether a cell was measured at all, with right outputs, is another question: without, a run is never its baseline.)
    """
    past = [standing_of(earlier, metric) for earlier in earlier_alike(store, run)]
    waiting = {cell.cell: cell for cell in held(result.cells) if cell.status != "pending"}
    names = {name: names_of(cell, result.run.settings.get("was")) for name, cell in waiting.items()}
    begun = {cell: first_judged(past, names[cell]) for cell in waiting}

    def green(standing: Standing, cell: str, then: str | None) -> bool:
        return any(map(standing.may_have_met, names[cell])) if then is None else then in standing.met

    def unjudged(standing: Standing, cell: str, then: str | None) -> bool:
        return all(map(standing.is_open, names[cell] if then is None else [then]))

    def earlier(standing: Standing, cell: str, then: str | None) -> bool:
        return standing.when < begun[cell] and unjudged(standing, cell, then)

    def since(standing: Standing, cell: str, then: str | None) -> bool:
        return standing.when > begun[cell] and unjudged(standing, cell, then)

    # Times that others made longer would let anything pass, and no quiet night can be compared with them.
    quiet = metric not in EXACT and not {CONTENTION, ALL} & despite
    of: dict[str, RunRecord] = {}
    for runs, fits in ((past, green), (past, earlier), (past[::-1], since)):
        left = {name: cell for name, cell in waiting.items() if name not in of}
        of |= _search(store, result, despite, runs, left, fits, metric, quiet=quiet)
    return Chosen(_main(of.values()), of)


def choose_previous(store: Store, run: RunRecord, result: RunResult) -> Chosen:
    """For each cell of `result`, of `run`, the run of its suite before, whatever that was judged; where the cell was
    not measured then, and it was not its own doing (its device was in use, or could not be reached), the newest one
    before that in which it was: a night without a measurement hides no regression from the next."""
    main = previous(store, run)
    if main is None:
        return Chosen(None)
    waiting = {cell.cell: cell for cell in held(result.cells) if cell.status != "pending"}
    of: dict[str, RunRecord] = {}
    others = [each for each in earlier_alike(store, run) if each.id != main.id]
    for earlier in (main, *others)[:MOST_READ]:
        left = [cell for name, cell in waiting.items() if name not in of]
        if not left:
            break
        before = read_run(store, earlier)
        named = with_new_names(held(before.cells), left, before.run, result.run)
        of.update({other.cell: earlier for one, other in match_runs(named.before, named.after).pairs
                   if not is_lost_by_lab(one)})
    return Chosen(main, of, rest=True)


_Fits = Callable[[Standing, str, str | None], bool]
"""Whether an earlier run may be the baseline of a cell of now that had that name then; without one, by all names it may
have had: whether it is worth reading."""


def _search(store: Store, result: RunResult, despite: frozenset[str], past: Sequence[Standing],
            waiting: dict[str, CellResult], fits: _Fits, metric: Metric | None, *,
            quiet: bool) -> dict[str, RunRecord]:
    """For each of the cells that wait the first run that fits and is comparable, else the first that fits; with
    `quiet` of those in which others did not take the processor from it."""
    found: dict[str, RunRecord] = {}
    unlike: dict[str, RunRecord] = {}
    read_so_far = 0
    for standing in past:
        if not waiting or read_so_far >= MOST_READ:
            break
        if not any(fits(standing, cell, None) for cell in waiting):
            continue
        read_so_far += 1
        before = read_run(store, standing.run)
        named = with_new_names([cell for cell in held(before.cells) if is_right(cell)], list(waiting.values()),
                               before.run, result.run)
        for one, other in match_runs(named.before, named.after).pairs:
            if not fits(standing, other.cell, one.cell) or (quiet and one.disturbed):
                continue
            if _comparable(one, other, standing.run.id, despite, metric):
                found[other.cell] = standing.run
                del waiting[other.cell]
            else:
                unlike.setdefault(other.cell, standing.run)
    return {**unlike, **found}


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


def _comparable(one: CellResult, other: CellResult, run: str, despite: frozenset[str], metric: Metric | None) -> bool:
    """Whether a green result is one to hold the other against: also where that one has no right outputs any more.

    An accuracy needs nothing but the same labelled set: it may be known of a cell that was not measured now.
    """
    if metric == "accuracy_drop" and other.accuracy is not None:
        return scored_alike(one, other, despite)
    if not is_timed(other) or not is_right(other):
        return True
    return isinstance(sort_out(one, other, run, "run", despite, one_run=False), Alike)


def _main(runs: Iterable[RunRecord]) -> RunRecord | None:
    known: Sequence[RunRecord] = list(runs)
    counts = Counter(run.id for run in known)
    return max(known, key=lambda run: (counts[run.id], run.order), default=None)
