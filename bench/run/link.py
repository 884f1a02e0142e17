"""The connection to one device during a run: made when needed, made again when lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import protocol
from bench.bundles.agent import AgentArchive
from bench.bundles.layers import Bundle
from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.devices.holder import holder_of
from bench.devices.python import ready_python
from bench.errors import BenchError, DeviceError, InfrastructureError
from bench.host import shortages_told
from bench.run.clock import now
from bench.run.events import Event, Notify
from bench.run.files import InputFile
from bench.run.in_use import EVERY_S as IN_USE_EVERY_S
from bench.run.in_use import waiting
from bench.session import Busy, Session, open_session
from bench.store.records import SessionRecord
from bench.store.store import Store
from bench.transports.base import Transport
from bench.transports.connect import connect

CONNECT_WITHIN_S = 30.0
PUSH_WITHIN_S = 900.0
PULL_WITHIN_S = 300.0
FREE_WITHIN_S = protocol.SILENCE_LIMIT_S + 5.0
"""An agent behind a link that broke holds its device until it notices the silence."""
LOOK_WITHIN_S = 5.0
RETRY_EVERY_S = 0.5
RETURN_WITHIN_S = 90.0
"""A device that was lost is waited for, so long: what a phone needs to boot, or to be plugged in again."""


@dataclass(frozen=True)
class AgentKit:
    """What is put on a device to measure there: the agent and, for one without a Python, parts of a bundle."""

    archive: AgentArchive
    bundle: Bundle | None = None
    runtimes: frozenset[str] = frozenset()
    """Those that the device's cells need."""


class Link:
    """A transport and the agent's session over it. A context manager; `end` may be called from another thread."""

    def __init__(self, run: str, name: str, device: DeviceConfig, kit: AgentKit, folder: Path, store: Store,
                 notify: Notify, hurry: threading.Event, wait: Deadline) -> None:
        """Once `hurry` is set, a lost device is no longer waited for; one that is in use is so until `wait` passes."""
        self._run = run
        self._name = name
        self._device = device
        self._kit = kit
        self._folder = folder
        self._store = store
        self._notify = notify
        self._hurry = hurry
        self._wait = wait
        self._transport: Transport | None = None
        self._session: Session | None = None
        self._present: set[str] = set()
        self._ended = threading.Event()
        self._boot_id: str | None = None
        self._patience = Deadline(0.0)
        self.session_id: int | None = None
        """The store's row of the newest session."""

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def end(self) -> None:
        """Close it for good: no session is opened any more."""
        self._ended.set()
        self.close()

    def close(self) -> None:
        """End the agent and the connection. Idempotent; never raises."""
        session, transport, self._session, self._transport = self._session, self._transport, None, None
        if session is not None:
            self._patience = Deadline(RETURN_WITHIN_S)
        with contextlib.suppress(BenchError):
            if session is not None:
                session.close()
            if transport is not None:
                transport.close()

    def session(self) -> Session:
        """The session, opened when there is none. Raises what connecting raises."""
        if self._session is not None:
            return self._session
        session = self._session = self._connect()
        if self._ended.is_set():
            self.close()
            raise InfrastructureError("stopped")
        self._present.clear()
        hello = session.hello
        if self._boot_id not in (None, hello.boot_id):
            self._notify(Event("note", f"{self._name} has booted anew since its last trial", self._name))
        self._boot_id = hello.boot_id
        self.session_id = self._store.add_session(SessionRecord(
            0, self._run, self._name, now(), hello.boot_id, hello.agent, hello.facts, hello.runtimes,
            session.pushed_bytes))
        return session

    def _connect(self) -> Session:
        """A session; a device that was there and is lost is tried again and again while the patience lasts."""
        while True:
            self._notify(Event("device", "connecting", self._name))
            try:
                with shortages_told():
                    self._transport = connect(self._name, self._device, Deadline(CONNECT_WITHIN_S))
                    return self._open(self._transport)
            except BenchError as error:
                self.close()
                gone = error.fault == "infrastructure" and not self._patience.passed()
                if not gone or self._hurry.is_set() or self._ended.wait(RETRY_EVERY_S):
                    raise

    def _open(self, transport: Transport) -> Session:
        """A session. Somebody who only looks holds the device for a moment, an agent of this run's own for longer."""
        python = ready_python(transport, self._device, self._kit.bundle, self._kit.runtimes,
                              lambda text: self._notify(Event("device", text, self._name)))
        held = Deadline(LOOK_WITHIN_S if self.session_id is None else FREE_WITHIN_S)
        while True:
            try:
                session = open_session(transport, self._kit.archive, python.command, self._device.folder)
            except Busy as error:
                if held.passed():
                    self._wait_until_free(error, transport)
                elif self._ended.wait(RETRY_EVERY_S):
                    raise
            else:
                session.pushed_bytes += python.pushed_bytes
                return session

    def _wait_until_free(self, error: Busy, transport: Transport) -> None:
        """Return when nobody seems to use the device any more. Raises `error` once it is not waited for longer."""
        if not self._wait.passed():
            self._notify(Event("waiting", waiting(error, self._wait), self._name))
        free = False
        while not free:
            if self._wait.passed() or self._hurry.wait(min(IN_USE_EVERY_S, self._wait.left())):
                raise error
            free = holder_of(transport, self._device.folder) is None

    def last_words(self) -> str:
        """The end of what the agent printed; "" when there is none."""
        session = self._session
        return session.stderr_tail() if session is not None else ""

    def put(self, files: Sequence[InputFile]) -> None:
        """Push the files that are not on the device yet."""
        wanted = {file.name: file for file in files if file.name not in self._present}
        session = self.session()
        missing = session.missing({name: file.sha256 for name, file in wanted.items()}) if wanted else []
        for name in missing:
            assert self._transport is not None and self.session_id is not None
            self._notify(Event("device", f"pushing {name[:12]}", self._name))
            if name not in wanted:
                raise InfrastructureError(f"the agent asks for {name[:80]!r}, which was not offered")
            sent = self._transport.push(wanted[name].path, f"{session.hello.workdir}/files/{name}",
                                        Deadline(PUSH_WITHIN_S))
            self._store.add_pushed(self.session_id, sent)
        self._present |= set(wanted)

    def fetch(self, trial: str, sha256: str, most: int) -> Path:
        """A trial's outputs on this host, at most `most` bytes, for the caller to remove.

        Raises InfrastructureError, also where there is no such file, none that has an end, or a larger one: that says
        nothing of the model.
        """
        session = self.session()
        assert self._transport is not None
        local = self._folder / f"{self._name}-{trial}.npz"
        remote = f"{session.hello.workdir}/trials/{trial}/outputs.npz"
        try:
            self._transport.pull(remote, local, Deadline(PULL_WITHIN_S), most)
        except DeviceError as error:
            raise InfrastructureError(f"the outputs: {error.message}", hint=error.hint) from error
        session.forget(trial)
        if InputFile.of(local).sha256 != sha256:
            local.unlink()
            raise InfrastructureError("the outputs changed on their way from the device")
        return local

