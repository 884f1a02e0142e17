"""A phone over ADB: the transport against `adb push`, and what a run over it costs, on loopback.

This machine stands in for the phone, in a process of its own that speaks adb's protocol as a phone does. The speed of a
push is compared on a link as slow as USB 2, where phones are; without that limit it is the processors that are
compared, which hash the file twice on our side and never on adb's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bundles.agent import build_agent
from bench.config.devices import AdbConfig, DeviceConfig
from bench.deadline import Deadline
from bench.session import open_session
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.transports.adb_server import bundled_adb
from bench.transports.connect import connect
from benchmarks import overhead
from benchmarks.figures import Aim, Figure, Part, Spread, spread
from benchmarks.runs import RunFailed, run_suite
from benchmarks.setting import Setting

TITLE = "A phone over ADB, which this machine stands in for: a push against `adb push`, and what a run costs"
SIZE = 100 << 20
SPEED = Aim(least=0.95)
NONE = Aim(0, 0)
USB_2 = 40e6
"""Bytes per second."""
WITHIN_S = 120.0
Pushes = tuple[list[float], list[float]]


def measure(setting: Setting) -> Part:
    """Speeds over interleaved pairs, the agent's start, and two runs of one suite."""
    if bundled_adb() is None:
        return Part("phone", TITLE, missing="needs adbutils, which brings an adb: pip install 'bench[adb]'")
    with running_adb_server(setting.folder / "adb") as adb, _using(adb):
        with _phone(setting, adb, USB_2) as serial:
            slow = _pushes(setting, adb, serial, "as slow as USB 2")
        with _phone(setting, adb) as serial:
            fast = _pushes(setting, adb, serial, "without a limit")
            starts = _starts(setting, serial)
            try:
                runs = _runs(setting, adb, serial)
            except RunFailed as error:
                return Part("phone", TITLE, missing=str(error))
    return Part("phone", TITLE, (
        Figure("speed of a push against adb push, on a link of 40 MB/s", _ratio(slow), aim=SPEED),
        Figure("the same without a limit", _ratio(fast)),
        Figure("by the transport, checked by hash at both ends", _speed(fast[0]), " MB/s", 0),
        Figure("by adb push, not checked", _speed(fast[1]), " MB/s", 0),
        Figure("from connecting to the agent's first word", spread(starts), " s"), *runs,
    ), (f"a file of {SIZE >> 20} MiB of random bytes; finding the phone is part of it on both sides",),
        raw={"slow_s": slow[0], "slow_adb_s": slow[1], "fast_s": fast[0], "fast_adb_s": fast[1], "start_s": starts})


def _ratio(pushes: Pushes) -> Spread:
    return spread([theirs / ours for ours, theirs in zip(*pushes, strict=True)])


def _speed(seconds: list[float]) -> Spread:
    return spread([SIZE / 1e6 / each for each in seconds])


@contextmanager
def _phone(setting: Setting, adb: AdbServer, bytes_per_s: float | None = None) -> Iterator[str]:
    """The serial of a connected phone, whose files lie in the setting's folder."""
    limit = [] if bytes_per_s is None else ["--bytes-per-s", str(bytes_per_s)]
    process = subprocess.Popen([sys.executable, "-m", "bench.testing", str(setting.folder), *limit],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        serial = next(line.split()[-1] for line in process.stdout if "adb connect" in line)
        adb.run("connect", serial)
        adb.wait_for(serial, ["device"])
        yield serial
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


@contextmanager
def _using(adb: AdbServer) -> Iterator[None]:
    """This process's own transports go to that server."""
    before = dict(os.environ)
    os.environ.update(adb.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _pushes(setting: Setting, adb: AdbServer, serial: str, link: str) -> Pushes:
    """Seconds of pushes by the transport and by adb."""
    file = setting.folder / "file.bin"
    file.write_bytes(os.urandom(SIZE))
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(2 if setting.quick else 8):
        setting.tell(f"pair {number + 1}, {link}")
        for own in (True, False) if number % 2 == 0 else (False, True):
            target = setting.folder / "pushed.bin"
            begin = time.perf_counter()
            if own:
                _push(serial, file, target)
            else:
                adb.run("-s", serial, "push", str(file), str(target), within_s=WITHIN_S).check_returncode()
            (ours if own else theirs).append(time.perf_counter() - begin)
            target.unlink()
    return ours, theirs


def _push(serial: str, file: Path, target: Path) -> None:
    transport = connect("phone", _device(serial), Deadline(WITHIN_S))
    try:
        transport.push(file, str(target), Deadline(WITHIN_S))
    finally:
        transport.close()


def _starts(setting: Setting, serial: str) -> list[float]:
    """Seconds from connecting to the agent's first word, the agent being there already."""
    archive = build_agent(setting.folder / "agent")
    seconds = []
    for _ in range(3 if setting.quick else 10):
        begin = time.perf_counter()
        transport = connect("phone", _device(serial), Deadline(WITHIN_S))
        with open_session(transport, archive, sys.executable, str(setting.folder / "started")):
            seconds.append(time.perf_counter() - begin)
        transport.close()
    return seconds[1:]


def _runs(setting: Setting, adb: AdbServer, serial: str) -> tuple[Figure, ...]:
    """Bytes of a second run, and what its trials cost outside the worker. Raises RunFailed."""
    device = f"adb: {{serial: '{serial}'}}, python: {sys.executable}"
    suite = overhead.QUICK_SUITE if setting.quick else overhead.SUITE
    setting.tell("a short run, which pushes")
    first = run_suite(suite, setting.folder, "--quick", device=device, environment=adb.environment)
    setting.tell("a second run")
    second = run_suite(suite, setting.folder, device=device, environment=adb.environment)
    bytes_of = [sum(session.pushed_bytes for session in run.stored.sessions) for run in (first, second)]
    return (Figure("pushed by a second run", spread([bytes_of[1]]), " bytes", 0, NONE,
                   f"first run: {bytes_of[0]:,}"), overhead.outside(second.stored.trials))


def _device(serial: str) -> DeviceConfig:
    return DeviceConfig(adb=AdbConfig(serial=serial))
