"""After measuring: the run held against what its suite expects, and more trials where that could not be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bench.collect.cells import cell_result, run_info
from bench.collect.circumstances import CONTENTION, NAMES
from bench.collect.digests import read_run
from bench.collect.judgements import to_json
from bench.config.check import check_despite
from bench.config.expect import BASELINES, ExpectConfig, Regression
from bench.config.load import LoadedSuite
from bench.config.suite import SuiteConfig
from bench.errors import ConfigError
from bench.judge.baselines import choose_green, choose_previous, compare_chosen
from bench.judge.compare import compare_runs, read
from bench.judge.earlier import OPTIONS
from bench.judge.expect import Baseline, Held, hold, judgement_of
from bench.judge.guard import ALL
from bench.judge.known_scores import with_known_scores
from bench.judge.matching import match_runs
from bench.judge.noise import Floors, find_floors
from bench.judge.pairs import held
from bench.judge.renamed import seem_renamed
from bench.judge.sides import earlier_runs
from bench.judge.types import CellPair, Comparison, Refused
from bench.results import Judgement, RunResult
from bench.run.events import Event, Notify
from bench.run.more import Ask, measure_more
from bench.store.damage import lines
from bench.store.records import CellRecord, RunRecord
from bench.store.store import Store
from bench.words import counted

if TYPE_CHECKING:
    from bench.convert.cache import Cache
    from bench.run.job import Prepared, RunRequest
    from bench.run.stop import Stop

ROUNDS: Final = 2
"""Of further trials, half of them each: what the first settles needs no second."""
TIMED: Final = ("latency_p50", "latency_p90", "load_time", "peak_memory")
"""What more trials can settle."""


@dataclass(frozen=True)
class _Judged:
    """A run as it stands: its result, what it is held against, and how that went."""

    result: RunResult
    baselines: Mapping[str, Baseline]
    held: tuple[Held, ...]
    judgement: Judgement


def check_expectations(suite: LoadedSuite, store: Store, baseline: str | None = None) -> str | None:
    """Before measuring: that the circumstances and the runs that `expect` names exist, and so does `baseline`.

    The id of `baseline`: its beginning, which is enough to name it now, may be the coming run's too. Raises
    ConfigError, also where the suite has no last-green that it could stand for.
    """
    check_despite(suite, (*NAMES, ALL))
    named = suite.config.expect.baselines() if suite.config.expect else ()
    for run in (name for name in named if name not in BASELINES):
        store.find_run(run)
    if baseline is None:
        return None
    found = store.find_run(baseline)
    if "last-green" not in named:
        raise ConfigError(f"--baseline {found.id}: the suite {suite.config.name} expects nothing against last-green",
                          hint="leave it out, or say in the suite what is expected against last-green")
    return found.id


def judge_run(store: Store, run_id: str, suite: SuiteConfig, baseline: str | None = None) -> Judgement:
    """How the run keeps what the suite expects, also recorded in the store; `baseline` stands for last-green.

    Raises ConfigError for a run that is not there.
    """
    run = store.find_run(run_id)
    judged = _judge(store, run, suite, find_floors(store, run), baseline)
    store.set_judgement(run_id, to_json(judged.judgement))
    return judged.judgement


def judge_with_retries(request: RunRequest, run_id: str, prepared: Prepared, store: Store, cache: Cache, stop: Stop,
                       notify: Notify, baseline: str | None = None) -> Judgement:
    """`judge_run`; where the suite says `on_inconclusive: retry`, what is inconclusive is measured again at once; and,
    whatever it says, a cell that only a change of its options keeps from being judged, with both options.

    At most `retry_trials` more of a cell, in two rounds, interleaved with the baseline's artifact where the cell is
    held against its latency; none after Ctrl-C. The last judgement is recorded, with a note of what was measured again.
    """
    suite = request.suite.config
    expect, floors = suite.expect, find_floors(store, store.find_run(run_id))
    judged = _judge(store, store.find_run(run_id), suite, floors, baseline)
    store.set_judgement(run_id, to_json(judged.judgement))  # what stands if measuring again comes to nothing
    again: dict[str, int] = {}
    for trials in _shares(expect):
        asks = _asks(judged, store, trials, retry=expect is not None and expect.on_inconclusive == "retry")
        if not asks or stop.soft.is_set():
            break
        more = counted(trials, "more trial")
        notify(Event("note", f"{counted(len(asks), 'cell')} cannot be judged yet: {more} of each"))
        measure_more(request, run_id, asks, prepared, store, cache, stop, notify)
        again.update({ask.cell: again.get(ask.cell, 0) + trials for ask in asks})
        judged = _judge(store, store.find_run(run_id), suite, floors, baseline)
    judgement = judged.judgement
    if again:
        most = max(again.values())
        note = f"{counted(len(again), 'cell')} measured again by up to {most} more, for what could not be told"
        judgement = replace(judgement, notes=(*judgement.notes, note))
    store.set_judgement(run_id, to_json(judgement))
    return judgement


def judge_unstored(store: Store, run: RunRecord, cells: Sequence[CellRecord], suite: SuiteConfig,
                   baseline: str | None = None) -> RunResult:
    """A run that the store does not have, of which nothing was measured, with its judgement."""
    floors = find_floors(store, run)
    result = RunResult(run_info(run), tuple(cell_result(cell, [], [], run) for cell in cells))
    judged = _judge_result(store, run, result, cells, suite, floors, baseline)
    return replace(judged.result, run=replace(result.run, judgement=judged.judgement))


def _judge(store: Store, run: RunRecord, suite: SuiteConfig, floors: Floors, baseline: str | None) -> _Judged:
    return _judge_result(store, run, read(store, run, floors), store.cells(run.id), suite, floors, baseline)


def _judge_result(store: Store, run: RunRecord, result: RunResult, cells: Sequence[CellRecord], suite: SuiteConfig,
                  floors: Floors, baseline: str | None) -> _Judged:
    if suite.expect is None:
        return _Judged(result, {}, (), Judgement("none"))
    expect = suite.expect
    artifacts = {cell.cell: cell.artifact for cell in cells if cell.artifact}
    result, known = with_known_scores(store, run, result, artifacts)
    found = {name: _baseline(baseline if baseline and name == "last-green" else name, expect, store, run, result,
                             floors) for name in expect.baselines()}
    labelled = [name for name, model in suite.models.items() if model.dataset is not None]
    held = tuple(_with_origin(each, known) for each in hold(expect, result, found, floors, labelled))
    judgement = judgement_of(expect, held, found)
    damaged = [f"the store is damaged, what was to be compared with may be missing: {line}"
               for line in lines(store.damage)]
    return _Judged(result, found, held, replace(judgement, notes=(*judgement.notes, *_in_use(result), *damaged)))


def _with_origin(each: Held, known: Mapping[str, str]) -> Held:
    """Of an accuracy that was not measured now: where it is from."""
    outcome = each.outcome
    if outcome.expectation != "accuracy_drop" or outcome.cell not in known:
        return each
    reason = f"{outcome.reason}; measured in run {known[outcome.cell]}, of the same file"
    return replace(each, outcome=replace(outcome, reason=reason))


def _in_use(result: RunResult) -> list[str]:
    """What was not judged because somebody else used a device: all but what is known without it."""
    cells = [cell for cell in result.cells if cell.fault == "busy"]
    return [f"{device}: {counted(sum(cell.device == device for cell in cells), 'cell')} not measured: {reason}"
            for device, reason in dict.fromkeys((cell.device, cell.reason) for cell in cells)]


def _baseline(name: str, expect: ExpectConfig, store: Store, run: RunRecord, result: RunResult,
              floors: Floors) -> Baseline:
    """The comparison with the run that `name` stands for; with last-green, of each cell with its own."""
    despite = frozenset(expect.despite)
    if name == "last-green":
        return _green(expect, store, run, result, floors)
    if name == "previous":
        comparison = compare_chosen(store, choose_previous(store, run, result), result, floors, despite)
        return Baseline(comparison, "" if comparison else _first(store, run, ""))
    before = store.find_run(name)
    return Baseline(compare_runs(store, before, run, despite=despite, results=(read(store, before, floors), result)))


def _green(expect: ExpectConfig, store: Store, run: RunRecord, result: RunResult, floors: Floors) -> Baseline:
    """For each metric, each cell's newest green result of it; one comparison where they are the same for several."""
    despite = frozenset(expect.despite)
    made: dict[frozenset[tuple[str, str]], Comparison | None] = {}
    found: dict[str, Comparison | None] = {}
    for metric in dict.fromkeys(metric for metric, entry in expect.entries()
                                if getattr(entry, "against", None) == "last-green"):
        chosen = choose_green(store, run, result, despite, metric)
        key = frozenset((cell, of.id) for cell, of in chosen.of.items())
        if key not in made:
            made[key] = compare_chosen(store, chosen, result, floors, despite)
        found[metric] = made[key]
    known = {metric: comparison for metric, comparison in found.items() if comparison}
    if not known:
        return Baseline(None, "; ".join([_first(store, run, "green "), *_renames(store, run, result)]))
    return Baseline(next(iter(known.values())), "", known)


def _renames(store: Store, run: RunRecord, result: RunResult) -> tuple[str, ...]:
    """What seems to be a model of the run before under another name, where no cell has a baseline to tell it by."""
    for earlier in earlier_runs(store, run):
        before = read_run(store, earlier)
        return seem_renamed(match_runs(held(before.cells), held(result.cells)), before.run, result.run)
    return ()


def _first(store: Store, run: RunRecord, kind: str) -> str:
    """Why there is no baseline."""
    if not earlier_runs(store, run):
        return f"first run of {run.suite}: nothing to compare with"
    quick = "quick " if run.settings.get("quick") else ""
    return f"no {kind}{quick}run of {run.suite} before this one: nothing to compare with"


def _shares(expect: ExpectConfig | None) -> list[int]:
    """How many more trials of a cell each round takes."""
    if expect is None:
        return []
    first = -(-expect.retry_trials // ROUNDS)
    return [share for share in (first, expect.retry_trials - first) if share]


def _asks(judged: _Judged, store: Store, trials: int, *, retry: bool) -> list[Ask]:
    """So many more trials of every measured cell of which something is not known that trials can tell: with `retry` of
    what is inconclusive, and always where nothing but the options keep it from being judged, for those of before can
    be had as well as today's."""
    measured = {cell.cell for cell in judged.result.cells if cell.status == "ok"}
    disturbed = {cell.cell for cell in judged.result.cells if cell.disturbed}
    more = {id(each) for each in judged.held if retry and (each.outcome.state == "inconclusive" or (
            each.outcome.state == "not judged" and each.outcome.cell in disturbed))}
    wanted = [each for each in judged.held if each.outcome.expectation in TIMED and each.outcome.cell in measured
              and (id(each) in more or _other_options(each, judged))]
    records: dict[str, CellRecord | None] = {each.outcome.cell: None for each in wanted}
    for run, cells in _held_against(wanted, judged).items():
        known = {cell.cell: cell for cell in store.load(store.find_run(run)).cells}
        records.update({cell: known.get(before) for cell, before in cells.items()})
    alone = {each.outcome.cell for each in wanted if id(each) in more}
    return [Ask(cell, trials, record, cell in alone) for cell, record in records.items()]


def _other_options(each: Held, judged: _Judged) -> bool:
    """Whether it waits for interleaved trials with the options of before: there are none yet, or too few."""
    comparison = _comparison(each, judged)
    if comparison is None or each.outcome.state not in ("not judged", "inconclusive"):
        return False
    refused = next((item for item in comparison.refused if item.after.cell == each.outcome.cell), None)
    pair = next((item for item in comparison.pairs if item.after.cell == each.outcome.cell), None)
    differences = refused.differences if refused else pair.unlike if pair else ()
    return {item.name for item in differences} - {CONTENTION} == {OPTIONS}


def _held_against(wanted: Sequence[Held], judged: _Judged) -> dict[str, dict[str, str]]:
    """By the baseline's run: cells whose p50 is held against it, or anything of theirs that only other options hinder,
    each with its name there. Of other metrics the baseline's trials would tell nothing."""
    found: dict[str, dict[str, str]] = {}
    for each in wanted:
        comparison = _comparison(each, judged)
        if comparison is None or not (each.outcome.expectation == "latency_p50" or _other_options(each, judged)):
            continue
        cell = each.outcome.cell
        known: list[CellPair | Refused] = [*comparison.pairs, *comparison.refused]
        both = next((item for item in known if item.after.cell == cell), None)
        if both is not None:
            found.setdefault(comparison.run_of(cell), {})[cell] = both.before.cell
    return found


def _comparison(each: Held, judged: _Judged) -> Comparison | None:
    """The one that it was judged by."""
    baseline = judged.baselines.get(each.entry.against) if isinstance(each.entry, Regression) else None
    return baseline.of(each.outcome.expectation) if baseline else None
