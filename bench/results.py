"""The result of a run as people and tools read it: `bench run --json`, `bench report --format json`.

Unknown values are None, never a guess; `reason` and `warnings` say why. Durations are in ms, memory in MiB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["ok", "failed", "skipped", "pending"]
"""`pending`: not measured yet, in a run that is in progress or was interrupted."""
OutputState = Literal["ok", "poor", "differs", "unknown"]
CheckState = Literal["passed", "failed", "unknown"]
Badge = Literal["trusted", "unverified", "not trusted"]
"""What a cell's checks say together: all passed; none failed, some not known; some failed."""


@dataclass(frozen=True)
class Latency:
    """`p50` is the median over trials of each trial's median, `p50_low`/`p50_high` its 95 % interval.

    p90 needs 64 samples and p99 needs 662, else they are None. `within_cv` and `between_cv` are coefficients of
    variation: of the samples within a trial, and of the trials' medians.
    """

    p50: float | None = None
    p50_low: float | None = None
    p50_high: float | None = None
    p90: float | None = None
    p99: float | None = None
    min: float | None = None
    mean: float | None = None
    within_cv: float | None = None
    between_cv: float | None = None


@dataclass(frozen=True)
class Memory:
    """MiB, medians over trials. `peak_rss`: VmHWM of the trial's process; `model`: that less VmHWM after the runtime's
    import; `pss`: at its end, pages that other processes use too counted in part."""

    peak_rss: float | None = None
    model: float | None = None
    pss: float | None = None


@dataclass(frozen=True)
class Accuracy:
    """On the labelled set, on the device. `drop`: the fp32 reference's score on the host less this one, a fraction.
    `suspect`: why neither says anything, such as a reference that is no better than chance; None where they do."""

    metric: str
    value: float
    count: int
    drop: float | None
    suspect: str | None = None


@dataclass(frozen=True)
class Outputs:
    """The worst over all trials, against the fp32 reference on the host.

    `state`: ok; poor (usable with care, see `reason`); differs (do not use); unknown (no comparison is possible, as
    with a model that draws random numbers, or it says nothing of real inputs, as with int8 calibrated on made-up
    values). `agreement`: share of equal arg-max. `part` is the part of an output that lies furthest from the reference,
    in words with its SQNR, `part_sqnr_db` that number.
    """

    state: OutputState
    max_abs: float | None = None
    cosine: float | None = None
    sqnr_db: float | None = None
    agreement: float | None = None
    reason: str | None = None
    part: str | None = None
    part_sqnr_db: float | None = None
    short: str | None = None
    """What made them poor: `12.9 dB`, `part`, `sample`, `offset`, `labels`, `75 %` (of arg-max equal)."""

    @property
    def wrong(self) -> bool:
        """Whether they are known to be wrong."""
        return self.state == "differs"

    @property
    def word(self) -> str:
        """The state as tables show it: `ok`, `poor 12.9 dB`, `poor part`, `differs`, `unknown`."""
        return f"{self.state} {self.short}" if self.short else self.state


@dataclass(frozen=True)
class ArtifactRef:
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Cores:
    """`wanted`: big, little, all, or numbers; None for none in particular. `used`: the numbers of those allowed."""

    wanted: str | tuple[int, ...] | None
    used: tuple[int, ...]


@dataclass(frozen=True)
class Check:
    """One reason to trust a cell's numbers or not to. `reason` is a sentence, also of a check that passed."""

    name: str
    state: CheckState
    reason: str


@dataclass(frozen=True)
class Steadiness:
    """How the device kept one thing over a cell's trials: its clocks, its temperature, its pace (the samples), or the
    processor to them alone.

    `told` is in how many trials it told of it at all, `unsteady` in how many of those it was not kept, or the thing was
    another from trial to trial. `seen` is how it went, in words: `clock fell from 2803 to 1800 MHz`, or where it was
    kept `2790 to 2803 MHz`; empty where it was not told.
    """

    what: Literal["clocks", "temperature", "pace", "processor"]
    told: int
    unsteady: int
    seen: str


@dataclass(frozen=True)
class CellResult:
    """One cell: measured, failed, skipped, or not measured yet."""

    cell: str
    device: str
    emulated: bool
    model: str
    format: str
    precision: str
    runtime: str
    delegate: str
    threads: int
    batch: int | None
    status: Status
    reason: str | None = None
    fault: str | None = None
    tried: bool = field(default=True, repr=False)
    """Of a failed cell: whether it failed in a trial of its own, not before one could begin."""
    artifact: ArtifactRef | None = None
    latency_ms: Latency = Latency()
    throughput_per_s: float | None = None
    load_ms: float | None = None
    first_inference_ms: float | None = None
    trials: int = 0
    samples: int = 0
    memory_mib: Memory = Memory()
    accuracy: Accuracy | None = None
    outputs: Outputs | None = None
    cores: Cores | None = None
    outliers: int = 0
    """Samples so far from their trial's median that something else was at work (see bench.stats.outliers). They count
    in every figure."""
    throttled: str | None = None
    """In how many trials the device did not keep its pace, and how that showed; None for in none."""
    behaviour: tuple[str, ...] = field(default=(), repr=False)
    """What its model does beside computing, out of `warnings`: its time depends on the input, it changes its inputs,
    it gives other outputs on the same input."""
    warnings: tuple[str, ...] = ()
    steadiness: tuple[Steadiness, ...] = field(default=(), repr=False)
    """Of clocks, temperature, pace and processor, for the checks; empty of a cell that was not measured."""
    checks: tuple[Check, ...] = ()
    """In the order of `bench.judge.trust.CHECKS`; empty of a cell that was not measured, or not judged yet."""
    circumstances: dict[str, str] = field(default_factory=dict, repr=False)
    """Under which it was measured, by the names of `bench.collect.circumstances.NAMES`; what was not told is absent."""
    source: str | None = None
    """The sha256 of the model that its artifact was made from."""
    trial_seconds: float | None = None
    """Wall time of one trial, everything included: the mean over trials."""
    trial_medians_ms: tuple[float, ...] = field(default=(), repr=False)
    """By the trials' numbers."""
    trial_p90s_ms: tuple[float, ...] = field(default=(), repr=False)
    """By the trials' numbers, of those with at least 10 samples: fewer have none above their p90."""
    trial_loads_ms: tuple[float, ...] = field(default=(), repr=False)
    """By the trials' numbers, of those that told it."""
    trial_peak_rss_mib: tuple[float, ...] = field(default=(), repr=False)
    """By the trials' numbers, of those that told it."""
    baseline_medians_ms: tuple[float, ...] = field(default=(), repr=False)
    """Of trials of the baseline's artifact, interleaved with the cell's own `retry_medians_ms` on the same night."""
    retry_medians_ms: tuple[float, ...] = field(default=(), repr=False)
    """The cell's own trials among `trial_medians_ms` that were taken in turn with the baseline's."""
    left_out: int = field(default=0, repr=False)
    """Disturbed trials that do not count, so that others' turns lack their own."""
    retry_disturbed: bool = False
    """Whether others took the processor from the interleaved trials; else those that were disturbed are left out."""
    baseline_run: str | None = None
    """The run whose artifact the baseline's trials were of."""
    baseline_p90s_ms: tuple[float, ...] = field(default=(), repr=False)
    """As `baseline_medians_ms`, and so are the next: what else those trials gave."""
    retry_p90s_ms: tuple[float, ...] = field(default=(), repr=False)
    baseline_loads_ms: tuple[float, ...] = field(default=(), repr=False)
    retry_loads_ms: tuple[float, ...] = field(default=(), repr=False)
    baseline_peak_rss_mib: tuple[float, ...] = field(default=(), repr=False)
    retry_peak_rss_mib: tuple[float, ...] = field(default=(), repr=False)
    quantiles_ms: tuple[float, ...] = field(default=(), repr=False)
    """Of the samples of all trials together: 41 percentiles from 0 to 100 in steps of 2.5, for charts."""

    @property
    def lab_failed(self) -> bool:
        """Whether why it has no numbers says nothing of it: the link, the host, or the device before any trial."""
        by_device = self.fault in ("device", "config") and (self.status == "skipped" or not self.tried)
        return self.status != "ok" and (self.fault == "infrastructure" or by_device)

    @property
    def disturbed(self) -> str | None:
        """In how many of the trials that count others took the processor, and how; None for in none, or not known."""
        return next((f"{each.seen} in {each.unsteady} of {self.trials} trials" for each in self.steadiness
                     if each.what == "processor" and each.unsteady), None)

    @property
    def badge(self) -> Badge:
        """What its checks say together. "unverified" where none were made."""
        states = {check.state for check in self.checks}
        if "failed" in states:
            return "not trusted"
        return "trusted" if states == {"passed"} else "unverified"


@dataclass(frozen=True)
class DeviceSummary:
    """A device as it was in the run: facts it stated, versions, conditions seen before, during and after trials, and
    what a reader must know before trusting its numbers."""

    name: str
    emulated: bool
    facts: dict[str, object]
    versions: dict[str, str]
    conditions: tuple[dict[str, object], ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """An expectation held against a cell. `limit` is what the suite says (`at most +5% against last-green`), `found`
    what was measured, in words with units and the interval."""

    expectation: str
    cell: str
    state: Literal["kept", "broken", "inconclusive", "not judged"]
    limit: str
    found: str
    reason: str
    baseline: str | None = None
    """The run that it was held against; None for limits, and where there is none."""


@dataclass(frozen=True)
class Judgement:
    """What the suite's `expect:` says of a run. `state`: red when something is broken, or is inconclusive and must not
    be; not judged when nothing is broken and nothing could be judged, partly judged when some of it could not; green
    when all was met; none where the suite expects nothing. `baseline` is the run that most regressions were judged
    against. `on_not_judged` is what becomes of a run of which not all was judged: fail, incomplete, pass."""

    state: Literal["green", "red", "not judged", "partly judged", "none"]
    outcomes: tuple[Outcome, ...] = ()
    baseline: str | None = None
    notes: tuple[str, ...] = ()
    on_not_judged: str | None = None


@dataclass(frozen=True)
class RunInfo:
    """The run itself. Times are UTC, ISO 8601. `state`: running, finished, interrupted, incomplete."""

    id: str
    suite: str
    started: str
    finished: str | None
    state: str
    settings: dict[str, object]
    host: dict[str, object]
    notes: tuple[str, ...] = ()
    judgement: Judgement | None = None
    """None for a run that has not been judged."""


@dataclass(frozen=True)
class RunResult:
    run: RunInfo
    cells: tuple[CellResult, ...]
    devices: tuple[DeviceSummary, ...] = ()
