"""A/A: the same cell measured twice at once, to learn how far equal cells differ by chance on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench import contention
from bench.errors import ConfigError
from bench.judge.noise import Floors, smallest_difference
from bench.judge.types import NoiseFloor, Pair, Verdict
from bench.judge.verdict import MARGIN, judge, trials_needed
from bench.plan import PlannedCell
from bench.run.job import Prepared, RunRequest
from bench.run.prepare import Unusable
from bench.store.records import StoredRun, TrialMedian
from bench.store.store import Store
from bench.words import counted

USUAL_TRIALS = 5
"""What a suite measures by default: the difference that is noise is told for so many."""
EFFECTS = (0.03, 0.05, 0.10)
"""Differences for which it is told how many trials find them."""


@dataclass(frozen=True)
class Needed:
    """How many trials of each side find a true difference, judged with that margin, and what one cell's take; None
    where no number of trials would."""

    effect: float
    margin: float
    trials: int | None
    seconds: float | None


@dataclass(frozen=True)
class Noise:
    """What an A/A measurement of one cell says. `trials` are of each side, `seconds` the mean wall time of one.

    `floor` is what all A/A measurements of the store say of the device and the runtime, `smallest` the difference that
    `USUAL_TRIALS` tell from chance, and `needed` how many trials `EFFECTS` need by it. `seen` is B against A here.
    `reason` says why there is nothing of all that.
    """

    cell: str
    device: str
    runtime: str
    trials: int = 0
    seconds: float | None = None
    floor: NoiseFloor | None = None
    smallest: float | None = None
    needed: tuple[Needed, ...] = ()
    seen: Verdict | None = None
    reason: str | None = None


def noise_request(request: RunRequest, trials: int) -> RunRequest:
    """The same measured 2 x `trials` times, whatever the suite says of their number: odd numbers are A, even ones B."""
    measure = request.suite.config.measure.model_copy(update={"trials": 2 * trials, "until": None, "budget": None,
                                                           "remeasure": 0.0})
    config = request.suite.config.model_copy(update={"measure": measure})
    return replace(request, suite=replace(request.suite, config=config), purpose="noise")


def noise_cells(prepared: Prepared, runtimes: Sequence[str] = (), *, every: bool = False) -> Prepared:
    """With only the cells that A/A is measured on: for each device and runtime the first of the suite's first model,
    in the precision of its source; with `every` all cells; of `runtimes` where they are given.

    Raises ConfigError when that leaves none.
    """
    name, model = next(iter(prepared.models.items()))
    if isinstance(model, Unusable) and not every:
        raise ConfigError(f"the suite's first model {name!r} cannot be used: {model.reason}",
                          hint="name another suite, or --all for all its cells")
    asked = [item for item in prepared.planned if not runtimes or item.cell.runtime in runtimes]
    possible = [item for item in asked if item.reason is None]
    chosen: dict[tuple[str, ...], PlannedCell] = {}
    for item in possible:
        cell = item.cell
        if every or (cell.model, cell.precision) == (name, model.planned.precision):
            chosen.setdefault((cell.device, cell.runtime, cell.id if every else ""), item)
    if not chosen:
        why = next((item.reason for item in asked if item.reason), "none of the suite's cells is of these runtimes")
        raise ConfigError(f"nothing to measure: {why}", hint="see: bench run --dry-run")
    return replace(prepared, planned=tuple(chosen.values()))


def read_noise(store: Store, stored: StoredRun, floors: Floors) -> list[Noise]:
    """What the noise run says of each of its cells, by the floors that are known with it."""
    by_cell: dict[str, list[TrialMedian]] = {cell.cell: [] for cell in stored.cells}
    for trial in store.medians(runs=[stored.run.id]):
        by_cell[trial.cell].append(trial)
    pairs = {name: pair for name, trials in by_cell.items() if (pair := _pair(name, trials, floors)) is not None}
    seen = dict(zip(pairs, judge(list(pairs.values())), strict=True))
    found = []
    for cell in stored.cells:
        blank = Noise(cell.cell, cell.device, cell.runtime)
        if cell.cell in pairs:
            found.append(_noise(blank, pairs[cell.cell], seen[cell.cell]))
        else:
            found.append(replace(blank, reason=cell.reason or _why_not(stored, cell.cell)))
    return found


def _pair(name: str, trials: Sequence[TrialMedian], floors: Floors) -> Pair | None:
    numbers = {trial.number for trial in trials}
    turns = [trial for trial in trials if {trial.number, trial.number + 1 if trial.number % 2 else trial.number - 1}
             <= numbers]
    odd, even = (tuple(max(trial.median_ns, 1.0) / 1e6 for trial in turns if trial.number % 2 == side)
                 for side in (1, 0))
    if not odd or not even:
        return None
    return Pair(name, odd, even, same_run=True, floor=floors.get((trials[0].device, trials[0].runtime)),
                trial_seconds=sum(trial.seconds for trial in trials) / len(trials), in_turn=True)


def _noise(blank: Noise, pair: Pair, seen: Verdict) -> Noise:
    found = replace(blank, trials=min(len(pair.before), len(pair.after)), seconds=pair.trial_seconds, floor=pair.floor,
                    seen=seen)
    if pair.floor is None:
        return found
    return replace(found, smallest=smallest_difference(pair.floor, USUAL_TRIALS),
                   needed=tuple(_needed(pair.floor, effect, pair.trial_seconds) for effect in EFFECTS))


def _needed(floor: NoiseFloor, effect: float, trial_seconds: float | None) -> Needed:
    """A margin as large as the effect would leave nothing to find: half of it is taken then."""
    margin = MARGIN if effect > MARGIN else effect / 2
    trials = trials_needed(floor.trial_sd, effect=effect, margin=margin)
    seconds = None if trials is None or trial_seconds is None else trials * trial_seconds
    return Needed(effect, margin, trials, seconds)


def _why_not(stored: StoredRun, cell: str) -> str:
    failed = [trial.reason for trial in stored.trials if trial.cell == cell and trial.state == "failed"]
    if failed:
        return str(failed[-1])
    disturbed = sum(bool(contention.of_trial(trial.cpu_ns, trial.settings)) for trial in stored.trials
                    if trial.cell == cell)
    return (f"{counted(disturbed, 'trial')} disturbed by other processes: measure again when nothing else runs"
            if disturbed else "not measured: it was interrupted before")
