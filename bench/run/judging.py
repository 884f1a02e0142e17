"""After measuring: the run held against what its suite expects, and more trials where that could not be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bench.collect.circumstances import NAMES
from bench.collect.judgements import to_json
from bench.config.check import check_despite
from bench.config.expect import BASELINES, ExpectConfig, Regression
from bench.config.load import LoadedSuite
from bench.config.suite import SuiteConfig
from bench.errors import ConfigError
from bench.judge.compare import compare_runs, read
from bench.judge.expect import Baseline, Held, hold, judgement_of
from bench.judge.guard import ALL
from bench.judge.noise import Floors, find_floors
from bench.judge.sides import last_green, previous
from bench.results import Judgement, RunResult
from bench.run.events import Event, Notify
from bench.run.more import Ask, measure_more
from bench.store.records import CellRecord, RunRecord
from bench.store.store import Store

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
    """`judge_run`; where the suite says `on_inconclusive: retry`, what cannot be told is measured again at once.

    At most `retry_trials` more of a cell, in two rounds, in turn with the baseline's artifact where the cell is held
    against its latency; none after Ctrl-C. The last judgement is recorded, with a note of what was measured again.
    """
    suite = request.suite.config
    expect, floors = suite.expect, find_floors(store, store.find_run(run_id))
    judged = _judge(store, store.find_run(run_id), suite, floors, baseline)
    store.set_judgement(run_id, to_json(judged.judgement))  # what stands if measuring again comes to nothing
    again: dict[str, int] = {}
    for trials in _shares(expect):
        asks = _asks(judged, store, trials)
        if not asks or stop.soft.is_set():
            break
        more = f"{trials} more trial{'' if trials == 1 else 's'}"
        notify(Event("note", f"{_cells(len(asks))} cannot be judged yet: {more} of each"))
        measure_more(request, run_id, asks, prepared, store, cache, stop, notify)
        again.update({ask.cell: again.get(ask.cell, 0) + trials for ask in asks})
        judged = _judge(store, store.find_run(run_id), suite, floors, baseline)
    judgement = judged.judgement
    if again:
        note = f"{_cells(len(again))} measured again by up to {max(again.values())} more, for what could not be told"
        judgement = replace(judgement, notes=(*judgement.notes, note))
    store.set_judgement(run_id, to_json(judgement))
    return judgement


def _judge(store: Store, run: RunRecord, suite: SuiteConfig, floors: Floors, baseline: str | None) -> _Judged:
    result = read(store, run, floors)
    if suite.expect is None:
        return _Judged(result, {}, (), Judgement("none"))
    expect = suite.expect
    found = {name: _baseline(baseline if baseline and name == "last-green" else name, expect, store, run, result,
                             floors) for name in expect.baselines()}
    labelled = [name for name, model in suite.models.items() if model.dataset is not None]
    held = hold(expect, result, found, floors, labelled)
    judgement = judgement_of(expect, held, found)
    return _Judged(result, found, held, replace(judgement, notes=(*judgement.notes, *_in_use(result))))


def _in_use(result: RunResult) -> list[str]:
    """What was not judged because somebody else used a device: all but its files' sizes."""
    cells = [cell for cell in result.cells if cell.fault == "busy"]
    return [f"{device}: {_cells(sum(cell.device == device for cell in cells))} not measured: {reason}"
            for device, reason in dict.fromkeys((cell.device, cell.reason) for cell in cells)]


def _baseline(name: str, expect: ExpectConfig, store: Store, run: RunRecord, result: RunResult,
              floors: Floors) -> Baseline:
    """The comparison with the run that `name` stands for."""
    earlier = [other for other in store.runs() if other.suite == run.suite and other.id != run.id
               and (other.started, other.id) < (run.started, run.id)]
    if name == "last-green":
        before = last_green(store, run.suite, run)
    elif name == "previous":
        before = previous(store, run)
    else:
        before = store.find_run(name)
    if before is None:
        return Baseline(None, f"first run of {run.suite}: nothing to compare with" if not earlier else
                        f"no {'green ' * (name == 'last-green')}run of {run.suite} before this one: nothing to compare "
                        "with")
    return Baseline(compare_runs(store, before, run, despite=frozenset(expect.despite),
                                 results=(read(store, before, floors), result)))


def _shares(expect: ExpectConfig | None) -> list[int]:
    """How many more trials of a cell each round takes."""
    if expect is None or expect.on_inconclusive != "retry":
        return []
    first = -(-expect.retry_trials // ROUNDS)
    return [share for share in (first, expect.retry_trials - first) if share]


def _asks(judged: _Judged, store: Store, trials: int) -> list[Ask]:
    """So many more trials of every measured cell of which something cannot be told that trials can tell."""
    measured = {cell.cell for cell in judged.result.cells if cell.status == "ok"}
    disturbed = {cell.cell for cell in judged.result.cells if cell.disturbed}
    wanted = [each for each in judged.held if (each.outcome.state == "inconclusive" or (
              each.outcome.state == "not judged" and each.outcome.cell in disturbed))
              and each.outcome.expectation in TIMED and each.outcome.cell in measured]
    records: dict[str, CellRecord | None] = {each.outcome.cell: None for each in wanted}
    for run, cells in _held_against(wanted, judged).items():
        known = {cell.cell: cell for cell in store.load(store.find_run(run)).cells}
        records.update({cell: known.get(before) for cell, before in cells.items()})
    return [Ask(cell, trials, record) for cell, record in records.items()]


def _held_against(wanted: Sequence[Held], judged: _Judged) -> dict[str, dict[str, str]]:
    """By the baseline's run: cells whose p50 is held against it, each with its name there. Of other metrics the
    baseline's trials would tell nothing."""
    found: dict[str, dict[str, str]] = {}
    for name, baseline in judged.baselines.items():
        cells = {each.outcome.cell for each in wanted if each.outcome.expectation == "latency_p50"
                 and isinstance(each.entry, Regression) and each.entry.against == name}
        if baseline.comparison and cells:
            found[baseline.comparison.before.run.id] = {
                pair.after.cell: pair.before.cell for pair in baseline.comparison.pairs if pair.after.cell in cells}
    return found


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"
