"""What arrives of one trial: taken word by word, within bounds, and put together once the agent says `done`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bench import protocol
from bench.errors import BenchError, DeviceError, InfrastructureError, ModelError
from bench.messages import agent
from bench.messages.kinds import take, text_of
from bench.protocol import Message

GRACE_S: Final = 20.0
"""Beyond a trial's own deadline, which the agent keeps itself."""
LINES_PER_S: Final = 4
LEAST_LINES: Final = 1000
"""An agent looks at the device once a second, and says every two that it is alive: more lines are a flood."""
CLOCKS_DIFFER: Final = 1.1
CLOCKS_DIFFER_S: Final = 2.0
"""What a device says that it took may be more than the host waited for by this factor and this much: no clock is exact,
but one that is wrong by more would make every number wrong."""
LONGEST_TEXT: Final = 4096
LONGEST_LOG: Final = 64 << 10
_NEEDED: Final = {"latency": ("import_ns", "load_ns", "first_ns", "samples_ns", "verify_ns"),
                  "accuracy": ("import_ns", "load_ns", "first_ns", "verify_ns")}


@dataclass(frozen=True)
class TrialReport:
    """A trial that ended with `done`. Its words are as `bench.messages.agent` declares them."""

    phases: dict[str, int]
    samples_ns: tuple[int, ...]
    memory: dict[str, int | None]
    versions: dict[str, str]
    outputs: dict[str, Any]
    warm_up: dict[str, Any] | None
    cpu_ns: dict[str, Any] | None
    """How its process and others used the processor, see `bench.contention`."""
    findings: dict[str, Any]
    """As `bench.protocol` says."""
    cores: tuple[int, ...]
    """The numbers of those it was allowed to run on."""
    conditions: tuple[dict[str, Any], ...]
    log: str


class TrialError(Exception):
    """A trial that the agent reported as failed, with whose fault it was and what was printed before.

    `kind` is the agent's word for it. Of `OF_THE_CELL` are those in which the cell was tried and failed: of all others
    the device has not what a trial needs.
    """

    OF_THE_CELL: ClassVar[tuple[str, ...]] = ("raised", "signal", "memory", "timeout")

    def __init__(self, kind: str, error: BenchError, conditions: tuple[dict[str, Any], ...], log: str) -> None:
        super().__init__(error.message)
        self.kind = kind
        self.error = error
        self.conditions = conditions
        self.log = log


class Heard:
    """What has arrived of the trial under way that `asked` began: never more than it can have to say."""

    def __init__(self, asked: Message) -> None:
        self._asked = asked
        self._begun = time.monotonic()
        self._most_ns = int((asked["deadline_s"] + GRACE_S) * 1e9)
        self._lines_left = LEAST_LINES + LINES_PER_S * int(asked["deadline_s"] + GRACE_S)
        self._samples: list[int] = []
        self._samples_sum = 0
        self._conditions: list[dict[str, Any]] = []
        self._log = ""
        self._result: agent.Result | None = None
        self._tally = protocol.Tally()

    def take(self, said: Message, line: bytes, on_phase: Callable[[str], None]) -> TrialReport | None:
        """Take a message and the line that it came in; gives the report at the trial's end.

        Raises TrialError: the agent says that it failed; InfrastructureError: a word is not what it should be, or there
        are too many.
        """
        self._lines_left -= 1
        if self._lines_left < 0:
            raise InfrastructureError("the agent does not stop talking: so many messages no trial has")
        if said.get("trial") != self._asked["trial"]:
            return None
        if said["type"] == "done":
            return self._report(take(agent.Done, said, "done")[0])
        self._tally.add(line)
        self._take(said, on_phase)
        return None

    def _take(self, said: Message, on_phase: Callable[[str], None]) -> None:
        kind = said["type"]
        if kind == "phase":
            on_phase(text_of(said.get("name"), LONGEST_TEXT))
        elif kind == "samples":
            self._add(take(agent.SamplesTaken, said, "samples")[0].ns)
        elif kind == "conditions":
            self._conditions.append(conditions_of(said))
        elif kind == "log":
            self._log = text_of(said.get("text"), LONGEST_LOG)
        elif kind == "result":
            self._result = take(agent.Result, said, "result")[0]
        elif kind == "failed":
            word, error = _failure(said)
            raise TrialError(word, error, tuple(self._conditions), self._log)

    def _add(self, samples: list[int]) -> None:
        self._samples += samples
        self._samples_sum += sum(samples)
        if len(self._samples) > agent.MOST_SAMPLES + agent.MOST_INPUTS:
            raise InfrastructureError(f"the agent sent more than {agent.MOST_SAMPLES} samples")
        _fits("samples", self._samples_sum, self._most_ns, "the trial's deadline")

    def _report(self, done: agent.Done) -> TrialReport:
        mismatch = self._tally.mismatch(done.model_dump())
        if mismatch is not None:
            raise InfrastructureError(f"messages were lost on the way: {mismatch}")
        result = self._result
        if result is None:
            raise InfrastructureError("the agent said done without a result")
        timed = self._asked["kind"] == "latency"
        phases = _told(agent.plain(result.phases))
        for name in _NEEDED["latency" if timed else "accuracy"]:
            if name not in phases:
                raise InfrastructureError(f"the agent's word result.phases.{name} is missing")
        self._check_samples(result.sample_count, timed)
        self._check_times(phases, result)
        return TrialReport(
            phases, tuple(self._samples), agent.plain(result.memory), _told(agent.plain(result.versions)),
            agent.plain(result.outputs), agent.plain(result.warm_up) or None,
            self._processed(result, phases), self._findings(result.findings), tuple(sorted(set(result.cores))),
            tuple(self._conditions), self._log)

    def _check_samples(self, expected: int, timed: bool) -> None:
        count = len(self._samples)
        if expected != count or (timed and not count):
            raise InfrastructureError(f"{count} samples arrived, {expected} were taken")
        least = min(self._asked["measure"]["min_samples"], agent.MOST_SAMPLES) if timed else 0
        if count < least:
            raise InfrastructureError(f"the agent took {count} samples, at least {least} were asked for")
        if 2 * self._samples.count(0) > count:
            raise InfrastructureError("most of the agent's samples took 0 ns: its clock does not go")

    def _check_times(self, phases: Mapping[str, int], result: agent.Result) -> None:
        """That what was timed fits into the time that it is said to have taken, and that into the time here."""
        _fits("samples", self._samples_sum, phases.get("samples_ns", 0), "its word result.phases.samples_ns")
        by_turns = sum(map(sum, result.findings.by_sample_ns or ()))
        _fits("times by sample", by_turns, phases.get("by_turns_ns", 0), "its word result.phases.by_turns_ns")
        waited = int((time.monotonic() - self._begun) * CLOCKS_DIFFER * 1e9 + CLOCKS_DIFFER_S * 1e9)
        # An accuracy trial's first inference is a part of its verification.
        took = sum(ns for name, ns in phases.items() if name != "first_ns")
        took += result.warm_up.ns if result.warm_up else 0
        _fits("phases", max(took, phases["first_ns"]), waited, "the time that it took here")

    def _findings(self, found: agent.Findings) -> dict[str, Any]:
        if len(self._samples) % found.cycle:
            raise InfrastructureError(f"the agent's word result.findings.cycle is {found.cycle}, which does not divide "
                                      f"its {len(self._samples)} samples")
        return {"inputs_changed": found.inputs_changed, "cycle": found.cycle, "by_sample_ns": found.by_sample_ns}

    def _processed(self, result: agent.Result, phases: Mapping[str, int]) -> dict[str, Any] | None:
        """How the processor was shared while the samples were taken; not known where it is said of another time."""
        wall = result.cpu_ns.wall if result.cpu_ns else None
        known = wall is not None and phases.get("samples_ns", 0) <= wall <= self._most_ns
        return agent.plain(result.cpu_ns) if known else None


def conditions_of(said: Message) -> dict[str, Any]:
    """The words of a look at the device. What is told and not understood is among its `problems`."""
    seen, notes = take(agent.Conditions, said, "conditions")
    return with_notes(agent.plain(seen), notes)


def with_notes(told: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """With what was not understood among the device's own problems."""
    return {**told, "problems": [*(told.get("problems") or []), *notes]} if notes else told


def _told(words: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in words.items() if value is not None}


def _fits(what: str, took: int, most: int, where: str) -> None:
    if took > most:
        raise InfrastructureError(f"the agent's {what} take {took / 1e9:.6g} s, more than {where}: {most / 1e9:.6g} s")


def _failure(said: Message) -> tuple[str, BenchError]:
    """The agent's word for how a trial failed, and whose fault it is: what the runtime raises is the model's, what
    kills the process is the device's."""
    kind, text = take(agent.Failed, said, "failed")[0].kind, text_of(said.get("message"), LONGEST_TEXT)
    return kind or "", _owner(kind, text)


def _owner(kind: str | None, text: str) -> BenchError:
    if kind == "raised":
        return ModelError(text)
    if kind == "import":
        return DeviceError(f"the device's Python lacks what the trial needs: {text}",
                           hint="bring it there: bench provision; or name another Python with python: in devices.yaml")
    if kind == "cores":
        return DeviceError(text, hint="correct the device's cores: in devices.yaml")
    if kind in ("signal", "memory", "timeout", "disk"):
        return DeviceError(text)
    return InfrastructureError(text)
