"""What a suite expects of its cells: limits, and how much worse they may be than in another run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from bench.config.base import Line, Strict
from bench.config.problems import found, quoted
from bench.config.quantities import Bytes, Change, Points, Seconds
from bench.words import nearest

Metric = Literal["latency_p50", "latency_p90", "load_time", "peak_memory", "size", "accuracy_drop"]

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
BASELINES: Final = ("last-green", "previous")
RUN_ID: Final = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}"


def _baseline(value: object, known: tuple[str, ...]) -> object:
    """`value` if it is one of `known` or looks like a run's id. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"wanted {', '.join(known)} or the id of a run, found {found(value, None)}")
    if value not in known and re.fullmatch(RUN_ID, value) is None:
        raise ValueError(f"unknown baseline {quoted(value)}{nearest(value[:100], (*known, 'the id of a run'))}")
    return value


def _run(value: object) -> object:
    return _baseline(value, BASELINES)


def _reference(value: object) -> object:
    return _baseline(value, ("fp32", *BASELINES))


def _above_zero(value: float) -> float:
    if value <= 0:
        raise ValueError("wanted more than 0, found 0")
    return value


Above = AfterValidator(_above_zero)
Run = Annotated[str, BeforeValidator(_run), WithJsonSchema(
    {"type": "string", "pattern": f"^(last-green|previous|{RUN_ID})$", "examples": [*BASELINES]})]
"""A run to be held against: the newest green one of the suite, the one before, or a run's id."""
Reference = Annotated[str, BeforeValidator(_reference), WithJsonSchema(
    {"type": "string", "pattern": f"^(fp32|last-green|previous|{RUN_ID})$", "examples": ["fp32", *BASELINES]})]
"""fp32, or a run."""


class Expectation(Strict):
    """One line of what is expected, of the cells that match every given key."""

    because: Line | None = None
    """Why; shown where it is broken."""
    model: Line | None = None
    device: Line | None = None
    runtime: Line | None = None
    precision: Line | None = None


class TimeLimit(Expectation):
    """How long it may take."""

    at_most: Annotated[Seconds, Above]
    """A duration: 20ms."""


class BytesLimit(Expectation):
    """How large it may be."""

    at_most: Annotated[Bytes, Above]
    """A size: 100MiB."""


class Regression(Expectation):
    """How much worse than in another run it may be."""

    against: Run
    """The run to compare with: last-green, previous, or an id."""
    at_most: Annotated[Change, Above]
    """A change: +5%. Above 0, for no two measurements are equal."""


class Growth(Expectation):
    """How much larger than in another run a file may be."""

    against: Run
    """The run to compare with: last-green, previous, or an id."""
    at_most: Change
    """A change: +2%."""


class Drop(Expectation):
    """How much accuracy may be lost."""

    against: Reference
    """fp32 on the host, or the run to compare with."""
    at_most: Points
    """Percentage points: 1.0pp."""


def _kind(value: object) -> str:
    told = "against" in value if isinstance(value, dict) else hasattr(value, "against")
    return "(regression)" if told else "(limit)"


def _shape(value: object) -> str:
    return "(several)" if isinstance(value, list | tuple) else "(one)"


TimeEntry = Annotated[Annotated[TimeLimit, Tag("(limit)")] | Annotated[Regression, Tag("(regression)")],
                      Discriminator(_kind)]
MemoryEntry = Annotated[Annotated[BytesLimit, Tag("(limit)")] | Annotated[Regression, Tag("(regression)")],
                        Discriminator(_kind)]
SizeEntry = Annotated[Annotated[BytesLimit, Tag("(limit)")] | Annotated[Growth, Tag("(regression)")],
                      Discriminator(_kind)]
Times = Annotated[Annotated[TimeEntry, Tag("(one)")]
                  | Annotated[tuple[TimeEntry, ...], Field(min_length=1), Tag("(several)")], Discriminator(_shape)]
Memories = Annotated[Annotated[MemoryEntry, Tag("(one)")]
                     | Annotated[tuple[MemoryEntry, ...], Field(min_length=1), Tag("(several)")], Discriminator(_shape)]
Sizes = Annotated[Annotated[SizeEntry, Tag("(one)")]
                  | Annotated[tuple[SizeEntry, ...], Field(min_length=1), Tag("(several)")], Discriminator(_shape)]
Drops = Annotated[Annotated[Drop, Tag("(one)")]
                  | Annotated[tuple[Drop, ...], Field(min_length=1), Tag("(several)")], Discriminator(_shape)]


class ExpectConfig(Strict):
    """What a run is judged by when it has ended. Each is one mapping or a list of them."""

    on_inconclusive: Literal["pass", "fail", "retry"] = "fail"
    """What becomes of a run in which something cannot be told: it is green all the same, it is red, or more trials are
    measured at once and it is red if that does not settle it."""
    on_not_judged: Literal["fail", "incomplete", "pass"] = "incomplete"
    """How `bench run` ends when nothing is broken and something could not be judged, such as after a change of the
    device's system: with 1, 3 or 0. The run is not green, and what was not judged is nobody's baseline."""
    retry_trials: int = Field(default=10, ge=1, le=1000)
    """More trials of a cell at most: with retry, and where an option changed, interleaved with the option of before."""
    despite: tuple[Line, ...] = ()
    """Circumstances that may differ from those of the run compared with: os, runtime, ..."""
    latency_p50: Times | None = None
    """The median latency."""
    latency_p90: Times | None = None
    """The 90th percentile of the latency."""
    load_time: Times | None = None
    """The time to load the model."""
    peak_memory: Memories | None = None
    """The peak RSS of a trial's process."""
    size: Sizes | None = None
    """The artifact's size."""
    accuracy_drop: Drops | None = None
    """The accuracy that was lost."""

    def entries(self) -> Iterator[tuple[Metric, Expectation]]:
        """Everything that is expected, in the order of `METRICS`."""
        for metric in METRICS:
            said: Expectation | tuple[Expectation, ...] | None = getattr(self, metric)
            for entry in said if isinstance(said, tuple) else (said,) if said else ():
                yield metric, entry

    def baselines(self) -> tuple[str, ...]:
        """The runs that it is held against, as the suite names them: last-green first."""
        named = [entry.against for _, entry in self.entries()
                 if isinstance(entry, Regression | Growth | Drop) and entry.against != "fp32"]
        return tuple(sorted(dict.fromkeys(named), key=lambda name: (name not in BASELINES, name)))
