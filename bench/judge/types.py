"""What judging works on and what it finds, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bench.results import CellResult, RunInfo

LEAST_TRIALS: Final = 20
"""Of equal cells, both sides together, from which on a noise floor counts as known."""
Call = Literal["better", "worse", "same", "cannot tell"]
State = Literal["steady", "new", "spike", "sustained", "recovered", "improved", "flaky", "short"]


@dataclass(frozen=True)
class NoiseFloor:
    """How far equal cells differ by chance on one device under one runtime, as standard deviations of logarithms
    (0.03: about 3 %).

    `trial_sd` is between the trials of one run; `run_sd` is what the centres of equal runs differ by beyond that, None
    where too few equal runs are known. `trials` and `runs` are how many they were learnt from.
    """

    device: str
    runtime: str
    trial_sd: float
    trials: int
    run_sd: float | None = None
    runs: int = 0
    measured: str = ""
    """When the newest of them was taken: UTC, ISO 8601."""
    wander_sd: float = 0.0
    """What the centres of stretches of one run, each as long as a usual run, differ by beyond their trials."""
    run_df: int = 0
    """Degrees of freedom that `run_sd` is known with; 0: one less than `runs`."""

    @property
    def known(self) -> bool:
        """Whether it was learnt from enough trials to vouch for a few that look alike."""
        return self.trials >= LEAST_TRIALS


@dataclass(frozen=True)
class Pair:
    """Two sets of trial values to be compared, such as medians in ms: all above 0, lower is better.

    `same_run`: both were taken within one run, so that nothing but the trials' own noise lies between them.
    `in_turn`: moreover trial i of one side was taken in the same turn as trial i of the other, on the same device.
    `trial_seconds` is what one more trial of one side takes.
    """

    name: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    same_run: bool
    floor: NoiseFloor | None = None
    trial_seconds: float | None = None
    in_turn: bool = False


@dataclass(frozen=True)
class Verdict:
    """What can be said of after against before.

    `ratio` is after over before (1.05: 5 % more), `low` and `high` its 95 % interval (None where one side has a single
    trial), `p` the probability of such a difference between equal cells, adjusted for all pairs judged together,
    `effect` the logarithm of the ratio over the standard deviation between trials. `more_trials` is how many further
    trials of each side would settle a "cannot tell", in `more_seconds`; None where nothing would, or it is settled.
    """

    call: Call
    ratio: float
    low: float | None
    high: float | None
    p: float | None
    effect: float | None
    reason: str
    more_trials: int | None = None
    more_seconds: float | None = None


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a run, or the part of a run on one device, of one runtime or variant: of its cells,
    those that have the values of `part`, by the names of CellResult's fields."""

    kind: Literal["run", "device", "runtime", "variant"]
    label: str
    run: RunInfo
    part: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """A circumstance that is not the same on both sides; "not known" where one does not tell."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class CellPair:
    """A cell on both sides, compared. `memory` is the verdict on peak RSS, None where it was not told.
    `accuracy_change` is after less before, a fraction of one. `despite` are differences that the user lets pass,
    `noted` those that hinder nothing and may be why: the model's file, the converter's version. `retried`: judged from
    interleaved trials of the baseline's artifact, on the night of `after`; `unlike` is what then hinders comparing
    anything else of the two."""

    before: CellResult
    after: CellResult
    latency: Verdict
    memory: Verdict | None = None
    size_ratio: float | None = None
    accuracy_change: float | None = None
    despite: tuple[Difference, ...] = ()
    noted: tuple[Difference, ...] = ()
    retried: bool = False
    unlike: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A cell that is on both sides and was not compared, for its differences."""

    before: CellResult
    after: CellResult
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Shift:
    """Most models of a device moved together: the device's doing, not theirs. `ratio` is the median over its cells."""

    device: str
    call: Literal["better", "worse"]
    ratio: float
    moved: int
    cells: int
    run: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """After against before. `broke` and `mended` are cells, as they are after, that were measured with right outputs on
    one side, and failed or had wrong outputs on the other; `only_before` and `only_after` are names of cells that the
    other side does not have; `pending` those that a side has not measured yet. `method` says how it was judged, in a
    sentence. `against` is the run of a cell's baseline by the cell's name, where it is another than that of `before`;
    `remarks` are what else to know before acting on it: a model that seems to be renamed, suites that are not one."""

    before: Side
    after: Side
    pairs: tuple[CellPair, ...]
    refused: tuple[Refused, ...] = ()
    broke: tuple[CellResult, ...] = ()
    mended: tuple[CellResult, ...] = ()
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()
    shifts: tuple[Shift, ...] = ()
    method: str = ""
    margin: float = 0.03
    in_use: tuple[tuple[CellResult, CellResult], ...] = ()
    """Cells that were measured before and not after, because somebody else used the device."""
    missed: tuple[tuple[CellResult, CellResult], ...] = ()
    """Cells that were measured after and not before, because their device was in use then or not reached."""
    pending: tuple[str, ...] = ()
    against: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def run_of(self, cell: str) -> str:
        """The id of the run that a cell is compared with."""
        return self.against.get(cell, self.before.run.id)


@dataclass(frozen=True)
class Point:
    """A cell in one run. `versions` are what may have moved it: os, runtime, agent, git, artifact, by name; `number` is
    the run's place in the order in which the store's runs began, whatever the clock said."""

    run: str
    started: str
    p50_ms: float
    low_ms: float | None
    high_ms: float | None
    trials: int
    versions: dict[str, str] = field(default_factory=dict)
    number: int = 0

    @property
    def order(self) -> tuple[int, str, str]:
        """What points of several series are ordered by."""
        return self.number, self.started, self.run


@dataclass(frozen=True)
class Change:
    """Where a series went to another level: `run` is the first there. `versions` are those that changed with it,
    `runtime 1.22 -> 1.23`. `device_wide`: most of the device's cells moved with it."""

    run: str
    started: str
    ratio: float
    call: Literal["better", "worse"]
    versions: tuple[str, ...] = ()
    device_wide: bool = False


@dataclass(frozen=True)
class Outlier:
    """A single run far off the level of its series; `ratio` is that to the level."""

    run: str
    started: str
    ratio: float


@dataclass(frozen=True)
class Series:
    """One cell of one suite over runs, oldest first. `cell` is its id within a run, `suite` the name of its suite, or
    the suite's file where several have that name. `state` is about the newest point: "new" (worse since the newest
    run), "spike" (the newest run is far off, and that cannot be told from chance by its trials), "sustained" (worse for
    longer), "recovered" (was worse, is no more), "improved", "flaky" (goes to and fro), "steady", or "short" where
    there are too few points to tell. `outliers` are single runs far off their level, the newest among them."""

    cell: str
    device: str
    model: str
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    state: State
    reason: str = ""
    emulated: bool = False
    suite: str = ""
    outliers: tuple[Outlier, ...] = ()


@dataclass(frozen=True)
class History:
    """Series of cells, and where most of a device's moved together. `remarks` are what else to know: models that seem
    to be renamed."""

    series: tuple[Series, ...]
    shifts: tuple[Shift, ...] = ()
    remarks: tuple[str, ...] = ()
