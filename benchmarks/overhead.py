"""Overhead: how much of a warm run's wall time is measuring on the device, and what a trial costs beside that.

Measuring on the device is what the worker times of itself, from its first line to its outputs: import of the runtime,
load, first inference, warm-up, samples, verification. All else is outside: the host's start, planning and report, the
agent, the start and end of the worker's process, fetching, judging and storing.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.store.records import StoredRun, TrialRecord
from benchmarks.figures import Aim, Figure, Part, spread
from benchmarks.runs import Finished, RunFailed, run_suite, zoo_suite
from benchmarks.setting import Setting

TITLE = "Overhead: what a warm run's wall time goes into, with the default measuring"
SUITE = zoo_suite("overhead", "[fp32]")
QUICK_SUITE = zoo_suite("overhead", "[fp32]", "[onnxruntime, tflite]") + "measure: {trials: 2}\n"
SHARE = Aim(least=0.95)
OUTSIDE_S = Aim(most=0.4)
TIMED = ("load_ns", "first_ns", "samples_ns")
PHASES = ("import_ns", *TIMED, "by_turns_ns", "reload_ns", "verify_ns")


def measure(setting: Setting) -> Part:
    """The shares and costs of one run, after a short one that has converted and pushed everything."""
    suite = QUICK_SUITE if setting.quick else SUITE
    try:
        setting.tell("a short run, so that everything is converted and pushed")
        run_suite(suite, setting.folder, "--quick")
        setting.tell("the warm run")
        finished = run_suite(suite, setting.folder)
    except RunFailed as error:
        return Part("overhead", TITLE, missing=str(error))
    return Part("overhead", TITLE, figures_of(finished), remarks_of(finished.stored))


def figures_of(finished: Finished) -> tuple[Figure, ...]:
    """Shares of the wall time, and the cost of a trial outside its measuring."""
    trials, wall = finished.stored.trials, finished.wall_s
    device, timed = sum(map(device_s, trials)), sum(map(timed_s, trials))
    ends = wall - sum(trial.seconds for trial in trials)
    return (
        Figure("share of the wall time: the worker's phases", spread([device / wall]), aim=SHARE,
               note=f"{device:.1f} s of {wall:.1f} s, {len(trials)} trials"),
        Figure("share of the wall time: load, inferences and samples alone", spread([timed / wall]),
               note=f"{timed:.1f} s of {wall:.1f} s"),
        outside(trials),
        Figure("the same with the run's start and end laid on its trials", spread([(wall - device) / len(trials)]),
               " s", aim=OUTSIDE_S, note=f"start, planning and report took {ends:.1f} s"),
    )


def outside(trials: Sequence[TrialRecord]) -> Figure:
    """What a trial costs beside its measuring."""
    cost = spread([trial.seconds - device_s(trial) for trial in trials])
    return Figure("a trial outside the worker's phases", cost, " s", aim=OUTSIDE_S, note="on the host's clock")


def remarks_of(stored: StoredRun) -> tuple[str, ...]:
    """Per runtime and kind of trial, where a trial's time goes, in medians."""
    runtimes = {cell.cell: cell.runtime for cell in stored.cells}
    kinds = sorted({(runtimes[trial.cell], trial.kind) for trial in stored.trials})
    return tuple(_line(f"{runtime}, {kind}", [trial for trial in stored.trials
                                              if (runtimes[trial.cell], trial.kind) == (runtime, kind)])
                 for runtime, kind in kinds)


def _line(name: str, trials: Sequence[TrialRecord]) -> str:
    total, device, timed, imported = (
        spread([of(trial) for trial in trials]).median
        for of in (lambda trial: trial.seconds, device_s, timed_s, lambda trial: trial.phases["import_ns"] / 1e9))
    return (f"{name}: a trial takes {total:.2f} s, of that {timed:.2f} s timed, {imported:.2f} s the runtime's import, "
            f"{total - device:.2f} s outside")


def device_s(trial: TrialRecord) -> float:
    """Seconds of a trial that the worker timed: all its phases."""
    return (sum(trial.phases.get(phase, 0) for phase in PHASES) + _warm_up_ns(trial)) / 1e9


def timed_s(trial: TrialRecord) -> float:
    """Seconds of load, first inference, warm-up and samples."""
    return (sum(trial.phases.get(phase, 0) for phase in TIMED) + _warm_up_ns(trial)) / 1e9


def _warm_up_ns(trial: TrialRecord) -> int:
    return int(trial.warm_up["ns"]) if trial.warm_up else 0
