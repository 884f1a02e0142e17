"""What a reader must know before acting on a cell's numbers, as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench import stats
from bench.collect import behaviour, marks
from bench.collect.marks import Timed
from bench.collect.measured import is_retry
from bench.stats.modes import TwoSpeeds, two_speeds
from bench.stats.outliers import LIMIT
from bench.stats.trend import correlation, trend
from bench.store.records import CellRecord, SessionRecord, TrialRecord
from bench.units import percent
from bench.words import CALIBRATED

NOISY_CV: Final = 0.10
"""A spread between processes worth a warning; pyperf warns of the same share."""
WORTH_TELLING: Final = 0.05
"""The share by which trials or samples must differ before how they do is told."""
BY_CHANCE: Final = 0.03
"""A trend or a correlation that chance makes so seldom is told. Of 5 trials only a perfect order is seldom enough."""
MANY_OUTLIERS: Final = 0.01
"""The share of samples from which outliers are told of: they make the p99."""


def of_cell(cell: CellRecord, final: Sequence[TrialRecord], every: Sequence[Timed], timed: Sequence[Timed],
            centre: stats.Centre, measure: Mapping[str, Any], session: SessionRecord | None, *,
            in_progress: bool = False) -> tuple[str, ...]:
    """All that is to be said of a measured cell, each thing once.

    `final` are all its trials, of each the attempt that counts; `every` the latency trials among them that ended well,
    `timed` those of which its numbers are: without disturbed ones where there are enough. `measure` is how the suite
    asked for them, `session` the device's newest.
    """
    trials = [each.trial for each in timed]
    throttled, disturbance = marks.throttling(timed), marks.disturbance(timed)
    found = [f"throttled: {throttled}"] * (throttled is not None)
    found += (cell.artifact or {}).get("warnings", [])
    found += _of_outputs(final) + behaviour.warnings(final) + _of_failures(final) + _of_alikeness(trials)
    found += _other_load(trials, cell.threads, session)
    found += _of_count([each.trial for each in every], measure, in_progress=in_progress) + _of_spread(trials, centre)
    found += _of_order(timed) + _of_speeds(timed) + _of_outliers(timed)
    found += _of_contention(every, timed) + [f"disturbed: {disturbance}"] * (disturbance is not None)
    return tuple(dict.fromkeys(found))


def unproven(cell: CellRecord) -> str | None:
    """Why the check of its outputs says nothing of real inputs, as it was stored with its artifact.

    Of a cell that was stored before that was: a calibrated precision with inputs whose values nobody gave. A file that
    was taken as it is was calibrated by somebody else.
    """
    artifact = cell.artifact or {}
    if "unproven" in artifact or cell.precision not in CALIBRATED or artifact.get("sha256") == artifact.get("source"):
        found = artifact.get("unproven")
        return None if found is None else str(found)
    made_up = [name for name, origin in artifact.get("inputs", {}).items() if origin == "generated"]
    return f"{cell.precision} was calibrated on made-up values of {', '.join(made_up)}" if made_up else None


def _of_outputs(final: Sequence[TrialRecord]) -> list[str]:
    checks = [trial.outputs or {} for trial in final if trial.kind != "baseline"]
    return [text for check in checks for text in (check.get("reason"), check.get("warning")) if text]


def _of_failures(final: Sequence[TrialRecord]) -> list[str]:
    """Trials that failed and left the cell its numbers."""
    said = {"accuracy": "accuracy is not known", "latency": "a further trial failed and does not count",
            "baseline": "a trial of the baseline's artifact failed"}
    return [f"{said[trial.kind]}: {trial.reason}" for trial in final if trial.state == "failed"]


def _of_contention(every: Sequence[Timed], timed: Sequence[Timed]) -> list[str]:
    """Trials that do not count because others took the processor from them."""
    left_out = marks.contended(every) if len(timed) < len(every) else None
    return [f"disturbed and not counted: {left_out}"] * (left_out is not None)


def _of_alikeness(trials: Sequence[TrialRecord]) -> list[str]:
    versions = {str(sorted(trial.versions.items())) for trial in trials}
    found = ["its trials ran under different versions of the runtime, numpy or Python"] * (len(versions) > 1)
    return found + ["its trials were allowed different cores"] * marks.different_cores(trials)


def _other_load(trials: Sequence[TrialRecord], threads: int, session: SessionRecord | None) -> list[str]:
    """A warning when, before some trial, so many other processes wanted to run that the cores were short."""
    cores = session.facts.get("cores") if session else None
    loads = [seen["load_1m"] for trial in trials for seen in trial.conditions
             if seen.get("when") == "before" and seen.get("load_1m") is not None]
    if not cores or not loads or max(loads) < max(cores, threads + 1):
        return []
    return [f"other load: up to {max(loads):.1f} processes wanted to run on {cores} cores before a trial"]


def _of_count(trials: Sequence[TrialRecord], measure: Mapping[str, Any], *, in_progress: bool) -> list[str]:
    """Where there are more than the suite's `trials`, they were measured until the interval was narrow enough."""
    wanted = measure.get("trials", 0)
    own = sum(not is_retry(trial) for trial in trials)
    why = "is in progress" if in_progress else "was interrupted"
    return [f"{own} of {wanted} trials: the run {why}"] * (own < wanted)


def _of_spread(trials: Sequence[TrialRecord], centre: stats.Centre) -> list[str]:
    found = []
    restless = [trial.number for trial in trials if trial.warm_up and not trial.warm_up["settled"]]
    if restless:
        found.append(f"warm-up never settled in {len(restless)} of {len(trials)} trials")
    if centre.note:
        found.append(centre.note)
    repeated = sum(trial.attempt > 1 for trial in trials)
    if repeated:
        found.append(f"{repeated} of {len(trials)} trials were repeated after a first attempt that failed")
    if centre.between_cv is not None and centre.between_cv > NOISY_CV:
        found.append(f"noisy: trial medians vary by {100 * centre.between_cv:.0f} % (standard deviation over mean); "
                     "look for other load, clocks or heat")
    return found


def _of_order(timed: Sequence[Timed]) -> list[str]:
    """Medians that rise or fall from trial to trial, or go with the clocks or the temperature."""
    medians = [each.median_ns for each in timed]
    if max(medians) < (1 + WORTH_TELLING) * max(min(medians), 1.0):
        return []
    found = []
    moved = trend(medians)
    if moved and moved.p <= BY_CHANCE and abs(moved.change) >= WORTH_TELLING:
        found.append(f"trial medians {'rose' if moved.change > 0 else 'fell'} by {percent(abs(moved.change))} from the "
                     f"first to the last of {len(medians)} trials")
    clocks = [(each.median_ns, -max(each.signs.clocks_mhz)) for each in timed if each.signs.clocks_mhz]
    degrees = [(each.median_ns, max(each.signs.degrees_c)) for each in timed if each.signs.degrees_c]
    for told, text in ((clocks, "slower where the clocks were lower"), (degrees, "slower where it was hotter")):
        alike = correlation([median for median, _ in told], [reading for _, reading in told])
        if alike and alike.rho > 0 and alike.p <= BY_CHANCE:
            found.append(f"trials were {text} (rank correlation {alike.rho:.2f} over {len(told)} trials)")
    return found


def _of_speeds(timed: Sequence[Timed]) -> list[str]:
    """Trials, or the samples of most of them, that are either fast or slow with nothing in between."""
    found = []
    between = _told(two_speeds([max(each.median_ns, 1.0) for each in timed]))
    if between:
        found.append(f"two speeds: {round(between.slow_share * len(timed))} of {len(timed)} trials took "
                     f"{percent(between.ratio - 1)} longer than the others, with nothing in between")
    within = [speeds for speeds in (_told(two_speeds(each.turns.clip(1))) for each in timed) if speeds]
    if 2 * len(within) > len(timed):
        ratio = max(speeds.ratio for speeds in within)
        found.append(f"two speeds: in {len(within)} of {len(timed)} trials some samples took up to "
                     f"{percent(ratio - 1)} longer than the others, with little in between")
    return found


def _told(speeds: TwoSpeeds | None) -> TwoSpeeds | None:
    return speeds if speeds and speeds.ratio >= 1 + WORTH_TELLING else None


def _of_outliers(timed: Sequence[Timed]) -> list[str]:
    """They count: in the centre and in every percentile."""
    number, total = sum(each.outliers for each in timed), sum(each.samples.size for each in timed)
    return [f"outliers: {number} of {total} samples lie more than {LIMIT:.0f} standard deviations from their trial's "
            "median; they count"] * (number > MANY_OUTLIERS * total)
