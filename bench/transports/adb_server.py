"""The adb server that all phones are reached through: where it is, and how it is started when none runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.deadline import Deadline
from bench.errors import ConfigError, DeadlineExceeded, InfrastructureError, MissingExtra
from bench.transports.adb_wire import Refused, Wire
from bench.transports.dial import dial
from bench.transports.quoting import for_people
from bench.transports.text import printable

DEFAULT_PORT = 5037
LOOPBACK = ("localhost", "127.0.0.1")
NAMED_BY = "ADB_SERVER_SOCKET or ANDROID_ADB_SERVER_ADDRESS"


@dataclass(frozen=True)
class Server:
    """Where an adb server listens, running or not."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"the adb server at {self.host}:{self.port}"

    def connect(self, deadline: Deadline, where: str = "") -> Wire:
        """A new connection, called `where` in errors, by default after the server.

        Raises OSError (none runs there: ConnectionRefusedError), DeadlineExceeded.
        """
        host = "127.0.0.1" if self.host == "localhost" else self.host
        try:
            return Wire(dial(host, self.port, str(self), deadline, NAMED_BY), where or str(self))
        except TimeoutError as error:
            raise DeadlineExceeded(f"{self}: no answer to a connection within {deadline.seconds:g} s",
                                   hint=f"check {NAMED_BY}") from error

    def ask(self, service: str, deadline: Deadline) -> str:
        """The answer to one question, e.g. `host:version`. Raises Refused, InfrastructureError, DeadlineExceeded."""
        try:
            with self.connect(deadline) as wire:
                wire.request(service, deadline, service)
                return wire.text(deadline, service)
        except (OSError, EOFError) as error:
            raise InfrastructureError(f"{self} went away while it was asked for {service}: {error}",
                                      hint="run `adb start-server`, then try again") from error


def configured_server() -> Server:
    """The one that adb's own environment variables name. Raises ConfigError for what they cannot mean."""
    wanted = os.environ.get("ADB_SERVER_SOCKET")
    if not wanted:
        port = os.environ.get("ANDROID_ADB_SERVER_PORT") or str(DEFAULT_PORT)
        return Server(os.environ.get("ANDROID_ADB_SERVER_ADDRESS") or "localhost",
                      _port(port, "ANDROID_ADB_SERVER_PORT"))
    kind, _, address = wanted.partition(":")
    if kind != "tcp" or not address:
        raise ConfigError(f"ADB_SERVER_SOCKET is {wanted!r}, of which only tcp:HOST:PORT is understood",
                          hint=f"set it to tcp:localhost:{DEFAULT_PORT}")
    host, _, port = address.rpartition(":")
    return Server(host.strip("[]") or "localhost", _port(port, "ADB_SERVER_SOCKET"))


def running_server(deadline: Deadline) -> Server:
    """The configured server, started when none runs on this machine; another machine's is never started.

    Raises ConfigError, MissingExtra (no adb to be found), InfrastructureError, DeadlineExceeded.
    """
    server = configured_server()
    try:
        _greet(server, deadline)
    except ConnectionRefusedError as error:
        if server.host not in LOOPBACK:
            raise InfrastructureError(f"{server}: nothing listens there",
                                      hint="start it on that machine: adb -a -P PORT nodaemon server") from error
        _start(server, deadline)
    except OSError as error:
        raise InfrastructureError(f"{server}: the connection failed: {error.strerror or error}",
                                  hint=f"check {NAMED_BY}") from error
    return server


def adb_program() -> str:
    """ADBUTILS_ADB_PATH, else the adb on PATH, else the one that adbutils brings. Raises ConfigError, MissingExtra."""
    named = os.environ.get("ADBUTILS_ADB_PATH")
    if named:
        if not os.access(named, os.X_OK):
            raise ConfigError(f"ADBUTILS_ADB_PATH is {named!r}, which is no program", hint="correct it, or unset it")
        return named
    found = shutil.which("adb") or bundled_adb()
    if found is None:
        raise MissingExtra("adbutils", "adb", "reaching phones without an adb on PATH")
    return str(found)


def bundled_adb() -> Path | None:
    """The adb that the package adbutils brings, where that is installed."""
    # Not adbutils.adb_path(): it runs programs without a time limit, and takes long to import.
    spec = find_spec("adbutils")
    if spec is None or spec.origin is None:
        return None
    found = shutil.which("adb", path=str(Path(spec.origin).with_name("binaries")))
    return Path(found) if found else None


def _greet(server: Server, deadline: Deadline) -> None:
    """Return when an adb server answers. Raises OSError when none listens."""
    with server.connect(deadline) as wire:
        try:
            wire.request("host:version", deadline, "greeting")
        except (EOFError, Refused) as error:
            raise InfrastructureError(f"{server} does not answer as one: {error}",
                                      hint="run `adb kill-server`, then try again") from error


def _start(server: Server, deadline: Deadline) -> None:
    """Start it and wait until it answers, whoever started it: another process may do so at the same moment."""
    command = [adb_program(), "-P", str(server.port), "start-server"]
    # A file, not a pipe, which the server would inherit and hold open.
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                           timeout=deadline.check(f"start of {server}"), check=False)
            _greet(server, deadline)
        except subprocess.TimeoutExpired as error:
            raise DeadlineExceeded(f"{server} did not start within {deadline.seconds:g} s",
                                   hint=f"see what it says: {for_people(command)}") from error
        except OSError as error:
            output.seek(0)
            said = printable(output.read()).strip() or str(error)
            raise InfrastructureError(f"{server} could not be started: {said}",
                                      hint=f"see whether this works: {for_people(command)}") from error


def _port(text: str, variable: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ConfigError(f"{variable} names the port {text!r}, which is no number from 1 to 65535",
                          hint=f"the usual port is {DEFAULT_PORT}")
    return int(text)
