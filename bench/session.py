"""One conversation with the agent on a device: hello, files, trials."""

from __future__ import annotations

import getpass
import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bench import protocol
from bench.bundles.agent import AgentArchive
from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, DeviceError, Fault, InfrastructureError
from bench.messages import agent as messages
from bench.messages.kinds import shown, take
from bench.messages.trial import GRACE_S, LEAST_LINES, Heard, TrialReport, conditions_of, with_notes
from bench.protocol import Message
from bench.transports.base import Command, Transport

HELLO_WITHIN_S = 60.0
ANSWER_WITHIN_S = 60.0
MOST_SIGNALS = 64
END_WITHIN_S = 5.0
"""Of a process whose output has ended."""


@dataclass(frozen=True)
class Hello:
    """What the agent said of its device when it started."""

    boot_id: str | None
    facts: dict[str, Any]
    runtimes: dict[str, str]
    agent: str
    workdir: str
    pid: int


class Busy(DeviceError):
    """Another controller holds the device."""

    fault: ClassVar[Fault] = "busy"


class _Ended(InfrastructureError):
    """The agent's output ended, with the link still up."""


class Session:
    """An agent process and the words exchanged with it. A context manager: leaving it ends the agent."""

    def __init__(self, transport: Transport, argv: list[str], deadline: Deadline) -> None:
        self._process: Command = transport.start(argv, deadline)
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
        return take(messages.Files, self._answer("files", "the list of files"), "files")[0].missing

    def look(self) -> dict[str, Any]:
        """The device's conditions now."""
        self._send({"type": "look"})
        return conditions_of(self._answer("conditions", "the conditions"))

    def _answer(self, kind: str, waiting_for: str) -> Message:
        deadline = Deadline(ANSWER_WITHIN_S)
        for _ in range(LEAST_LINES):
            message, _ = self._message(deadline, waiting_for)
            if message["type"] == kind:
                return message
        raise InfrastructureError(f"{waiting_for}: the agent says much else and does not answer")

    def trial(self, message: Message, on_phase: Callable[[str], None] = lambda _: None) -> TrialReport:
        """Run one trial to its end. Raises TrialError (the agent's word), InfrastructureError (the link's)."""
        self._send({**message, "type": "trial"})
        deadline = Deadline(message["deadline_s"] + GRACE_S)
        heard = Heard(message)
        while True:
            said, line = self._message(deadline, "the trial's end")
            report = heard.take(said, line, on_phase)
            if report is not None:
                return report

    def forget(self, trial: str) -> None:
        """Remove a trial's outputs from the device."""
        self._send({"type": "forget", "trial": trial})

    def _greet(self, python: str) -> Hello:
        try:
            said, _ = self._message(Deadline(HELLO_WITHIN_S), "the agent's hello", HELLO_WITHIN_S)
        except _Ended:
            killed = self._killed_by()
            self._process.close()
            if killed:
                raise InfrastructureError(f"the agent was killed by {killed} before its first word",
                                          hint="the system's log there may say why (out of memory?)") from None
            raise DeviceError(f"{python} does not run the agent{self._last_words() or ': it ended at once'}",
                              hint="name the device's Python, 3.8 or newer, with python: in devices.yaml") from None
        except BenchError:
            self._process.close()
            raise
        try:
            return _introduced(said)
        except BenchError:
            self._process.close()
            raise

    def _killed_by(self) -> str:
        """The signal that ended the agent; "" for none, or where that is not known."""
        try:
            code = self._process.wait(Deadline(END_WITHIN_S))
        except BenchError:
            return ""
        if code == -1:  # over SSH its number is not told
            return "a signal"
        return f"signal {code - 128}" if 128 < code <= 128 + MOST_SIGNALS else ""

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
    told, _ = take(messages.Holder, holder, "holder")
    stamp = "unknown" if told.since is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(told.since))
    return Busy(f"the device is in use by {told.owner or 'an unknown owner'} since {stamp}",
                hint="wait until that run has ended, or end it")


def _introduced(said: Message) -> Hello:
    """What the agent says first. Raises Busy, InfrastructureError."""
    if said["type"] == "busy":
        holder = said.get("holder")
        raise busy(holder if isinstance(holder, dict) else {})
    if said["type"] != "hello" or said.get("protocol") != protocol.PROTOCOL:
        raise InfrastructureError(f"the agent speaks another protocol: {shown(said.get('protocol'))}, "
                                  f"wanted {protocol.PROTOCOL}")
    hello, notes = take(messages.Hello, said, "hello")
    return Hello(hello.boot_id, with_notes(hello.facts.model_dump(), notes), hello.runtimes, hello.agent, hello.workdir,
                 hello.pid)
