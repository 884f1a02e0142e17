"""One conversation with the agent on a device: hello, files, trials."""

from __future__ import annotations

import getpass
import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from bench import protocol
from bench.bundles.agent import AgentArchive
from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, DeviceError, Fault, InfrastructureError, ModelError
from bench.protocol import Message
from bench.transports.base import RemoteProcess, Transport

Field = TypeVar("Field")

HELLO_WITHIN_S = 60.0
ANSWER_WITHIN_S = 60.0
GRACE_S = 20.0
"""Beyond a trial's own deadline, which the agent keeps itself."""


@dataclass(frozen=True)
class Hello:
    """What the agent said of its device when it started."""

    boot_id: str | None
    facts: dict[str, Any]
    runtimes: dict[str, str]
    agent: str
    workdir: str
    pid: int


@dataclass(frozen=True)
class TrialReport:
    """A trial that ended with `done`."""

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


class Busy(DeviceError):
    """Another controller holds the device."""

    fault: ClassVar[Fault] = "busy"


class _Ended(InfrastructureError):
    """The agent's output ended, with the link still up."""


class TrialError(Exception):
    """A trial that the agent reported as failed, with whose fault it was and what was printed before."""

    def __init__(self, error: BenchError, conditions: tuple[dict[str, Any], ...], log: str) -> None:
        super().__init__(error.message)
        self.error = error
        self.conditions = conditions
        self.log = log


@dataclass
class _Heard:
    """What has arrived of the trial under way."""

    samples: list[int] = field(default_factory=list)
    conditions: list[dict[str, Any]] = field(default_factory=list)
    log: str = ""
    result: Message | None = None
    tally: protocol.Tally = field(default_factory=protocol.Tally)


class Session:
    """An agent process and the words exchanged with it. A context manager: leaving it ends the agent."""

    def __init__(self, transport: Transport, argv: list[str], deadline: Deadline) -> None:
        self._process: RemoteProcess = transport.start(argv, deadline)
        self._lines = protocol.Lines()
        self._ready: list[bytes] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.pushed_bytes = 0
        """What putting the agent there took."""
        self.hello = self._greet(argv[0])
        self._pinger = threading.Thread(target=self._ping, daemon=True)
        self._pinger.start()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the agent. Idempotent; never raises."""
        self._closed.set()
        self._process.close()

    def missing(self, files: Mapping[str, str]) -> list[str]:
        """Which of `files` (name -> sha256) are not on the device with that content."""
        self._send({"type": "have", "files": dict(files)})
        return [str(name) for name in _field(self._answer("files", "the list of files"), "missing", list)]

    def look(self) -> dict[str, Any]:
        """The device's conditions now."""
        self._send({"type": "look"})
        return self._answer("conditions", "the conditions")

    def _answer(self, kind: str, waiting_for: str) -> Message:
        deadline = Deadline(ANSWER_WITHIN_S)
        while True:
            message, _ = self._message(deadline, waiting_for)
            if message["type"] == kind:
                return message

    def trial(self, message: Message, on_phase: Callable[[str], None] = lambda _: None) -> TrialReport:
        """Run one trial to its end. Raises TrialError (the agent's word), InfrastructureError (the link's)."""
        self._send({**message, "type": "trial"})
        deadline = Deadline(message["deadline_s"] + GRACE_S)
        heard = _Heard()
        while True:
            said, line = self._message(deadline, "the trial's end")
            if said.get("trial") != message["trial"]:
                continue
            if said["type"] == "done":
                return _report(heard, said, message["kind"] == "latency")
            heard.tally.add(line)
            self._take(said, heard, on_phase)

    def forget(self, trial: str) -> None:
        """Remove a trial's outputs from the device."""
        self._send({"type": "forget", "trial": trial})

    def _take(self, said: Message, heard: _Heard, on_phase: Callable[[str], None]) -> None:
        kind = said["type"]
        if kind == "phase":
            on_phase(str(said.get("name")))
        elif kind == "samples":
            heard.samples += _nanoseconds(said.get("ns"))
        elif kind == "conditions":
            heard.conditions.append({key: value for key, value in said.items() if key not in ("type", "trial")})
        elif kind == "log":
            heard.log = str(said.get("text"))
        elif kind == "result":
            heard.result = said
        elif kind == "failed":
            raise TrialError(_failure(said), tuple(heard.conditions), heard.log)

    def _greet(self, python: str) -> Hello:
        try:
            said, _ = self._message(Deadline(HELLO_WITHIN_S), "the agent's hello", HELLO_WITHIN_S)
        except _Ended:
            self._process.close()
            raise DeviceError(f"{python} does not run the agent{self._last_words() or ': it ended at once'}",
                              hint="name the device's Python, 3.8 or newer, with python: in devices.yaml") from None
        except BenchError:
            self._process.close()
            raise
        if said["type"] == "busy":
            self._process.close()
            raise busy(_field(said, "holder", dict))
        if said["type"] != "hello" or said.get("protocol") != protocol.PROTOCOL:
            self._process.close()
            raise InfrastructureError(f"the agent speaks another protocol: {said.get('protocol')!r}, "
                                      f"wanted {protocol.PROTOCOL}")
        try:
            return Hello(said.get("boot_id"), _field(said, "facts", dict), _field(said, "runtimes", dict),
                         _field(said, "agent", str), _field(said, "workdir", str), _field(said, "pid", int))
        except BenchError:
            self._process.close()
            raise

    def _message(self, deadline: Deadline, waiting_for: str,
                 silence_s: float | None = None) -> tuple[Message, bytes]:
        """The next message and its line. Raises InfrastructureError: the agent is gone, silent or unintelligible."""
        limit = protocol.SILENCE_LIMIT_S if silence_s is None else silence_s
        while not self._ready:
            quiet = Deadline(min(limit, deadline.check(waiting_for)))
            try:
                data = self._process.receive(quiet)
            except DeadlineExceeded:
                if deadline.passed():
                    raise DeadlineExceeded(f"{waiting_for}: nothing within {deadline.seconds:g} s") from None
                raise InfrastructureError(f"{waiting_for}: the agent has been silent for {limit:g} s") from None
            if not data:
                raise _Ended(f"{waiting_for}: the agent ended before it{self._last_words()}")
            try:
                self._ready += self._lines.feed(data)
            except protocol.ProtocolError as error:
                raise InfrastructureError(f"{waiting_for}: {error}") from None
        line = self._ready.pop(0)
        try:
            return protocol.decode(line), line
        except protocol.ProtocolError as error:
            raise InfrastructureError(f"{waiting_for}: {error}{self._last_words()}") from None

    def stderr_tail(self) -> str:
        """The end of what the agent printed."""
        return self._process.stderr_tail()

    def _last_words(self) -> str:
        tail = self._process.stderr_tail().strip()
        return f"; it said: {tail.splitlines()[-1]}" if tail else ""

    def _send(self, message: Message) -> None:
        with self._lock:
            self._process.send(protocol.encode(message))

    def _ping(self) -> None:
        while not self._closed.wait(protocol.ALIVE_EVERY_S):
            try:
                self._send({"type": "ping"})
            except BenchError:
                return


def open_session(transport: Transport, archive: AgentArchive, python: str, workdir: str) -> Session:
    """Put the agent on the device unless it is there, and start it. Raises DeviceError: it is busy or has no Python."""
    remote = f"{workdir}/{archive.name}"
    sent = transport.push(archive.path, remote, Deadline(120.0))
    owner = f"{getpass.getuser()}@{platform.node()} (process {os.getpid()})"
    argv = [python, "-u", remote, "--archive", remote, "--workdir", workdir, "--owner", owner]
    session = Session(transport, argv, Deadline(HELLO_WITHIN_S))
    session.pushed_bytes = sent
    return session


def busy(holder: Message) -> Busy:
    """The error that names who holds a device, from what its lock says."""
    since = holder.get("since")
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since)) if isinstance(since, (int, float)) else "unknown"
    return Busy(f"the device is in use by {holder.get('owner')} since {stamp}",
                hint="wait until that run has ended, or end it")


def _nanoseconds(values: Any) -> list[int]:
    if not isinstance(values, list) or not all(type(value) is int and 0 <= value < 1 << 62 for value in values):
        raise InfrastructureError("the agent sent samples that are no nanoseconds")
    return values


def _failure(said: Message) -> BenchError:
    """Whose fault a failed trial is: what the runtime raises is the model's, what kills the process is the device's."""
    kind, text = said.get("kind"), str(said.get("message"))
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


def _report(heard: _Heard, done: Message, timed: bool) -> TrialReport:
    mismatch = heard.tally.mismatch(done)
    if mismatch is not None:
        raise InfrastructureError(f"messages were lost on the way: {mismatch}")
    result = heard.result
    if result is None:
        raise InfrastructureError("the agent said done without a result")
    expected = result.get("sample_count", 0)
    if expected != len(heard.samples) or (timed and not heard.samples):
        raise InfrastructureError(f"{len(heard.samples)} samples arrived, {expected} were taken")
    outputs = _field(result, "outputs", dict)
    _field(outputs, "sha256", str)
    return TrialReport(_field(result, "phases", dict), tuple(heard.samples), _field(result, "memory", dict),
                       _field(result, "versions", dict), outputs, result.get("warm_up"), result.get("cpu_ns"),
                       _findings(_field(result, "findings", dict), expected), tuple(_field(result, "cores", list)),
                       tuple(heard.conditions), heard.log)


def _findings(said: dict[str, Any], samples: int) -> dict[str, Any]:
    """What the agent found, of the right types and lengths: nothing else gets into the store."""
    changed, cycle, times = said.get("inputs_changed"), said.get("cycle", 1), said.get("by_sample_ns")
    if type(changed) is not bool or type(cycle) is not int or cycle < 1 or samples % cycle:
        raise InfrastructureError("the agent's findings have not the types and lengths that they should have")
    if times is not None:
        lengths = {len(_nanoseconds(row)) for row in times} if isinstance(times, list) else set()
        if len(lengths) != 1 or 0 in lengths:
            raise InfrastructureError("the agent sent times by sample that are not equally many for each")
    return {"inputs_changed": changed, "cycle": cycle, "by_sample_ns": times}


def _field(message: Message, key: str, kind: type[Field]) -> Field:
    """A field of what the device said. Raises InfrastructureError when it is missing or of another type."""
    value = message.get(key)
    if not isinstance(value, kind):
        raise InfrastructureError(f"the agent's {str(message.get('type'))[:40]!r} has no {key!r} of the right type")
    return value
