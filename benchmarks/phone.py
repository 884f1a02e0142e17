"""A phone over ADB: the transport against `adb push`, and what a run over it costs, on loopback.

This machine stands in for the phone behind a daemon that speaks adb's protocol: the figures are those of the transport
and of the two ends of the protocol, not of a USB cable or of a phone's processor.
"""

from __future__ import annotations

import os
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
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from bench.transports.adb_server import bundled_adb
from bench.transports.connect import connect
from benchmarks import overhead
from benchmarks.figures import Aim, Figure, Part, spread
from benchmarks.runs import RunFailed, run_suite
from benchmarks.setting import Setting

TITLE = "A phone over ADB, which this machine stands in for: a push against `adb push`, and what a run costs"
SIZE = 100 << 20
SPEED = Aim(least=0.95)
NONE = Aim(0, 0)
WITHIN_S = 120.0


def measure(setting: Setting) -> Part:
    """Speeds over interleaved pairs, the agent's start, and two runs of one suite."""
    if bundled_adb() is None:
        return Part("phone", TITLE, missing="needs adbutils, which brings an adb: pip install 'bench[adb]'")
    with running_adb_server(setting.folder / "adb") as adb, running_phone(HostRoot(setting.folder)) as phone:
        adb.connect(phone)
        with _using(adb):
            ours, theirs = _pushes(setting, adb, phone)
            starts = _starts(setting, phone)
        try:
            runs = _runs(setting, adb, phone)
        except RunFailed as error:
            return Part("phone", TITLE, missing=str(error))
    mega = SIZE / 1e6
    return Part("phone", TITLE, (
        Figure("speed of a push against adb push", spread([adb_s / own for own, adb_s in zip(ours, theirs,
                                                                                             strict=True)]), aim=SPEED),
        Figure("by the transport, checked by hash at both ends", spread([mega / seconds for seconds in ours]),
               " MB/s", 0),
        Figure("by adb push, not checked", spread([mega / seconds for seconds in theirs]), " MB/s", 0),
        Figure("from connecting to the agent's first word", spread(starts), " s"), *runs,
    ), (f"a file of {SIZE >> 20} MiB of random bytes; finding the phone is part of it on both sides",),
        raw={"transport_s": ours, "adb_s": theirs, "start_s": starts})


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


def _pushes(setting: Setting, adb: AdbServer, phone: Phone) -> tuple[list[float], list[float]]:
    """Seconds of pushes by the transport and by adb."""
    file = setting.folder / "file.bin"
    file.write_bytes(os.urandom(SIZE))
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(3 if setting.quick else 12):
        setting.tell(f"pair {number + 1}")
        for own in (True, False) if number % 2 == 0 else (False, True):
            target = setting.folder / "pushed.bin"
            begin = time.perf_counter()
            if own:
                _push(phone, file, target)
            else:
                adb.run("-s", phone.serial, "push", str(file), str(target), within_s=WITHIN_S).check_returncode()
            (ours if own else theirs).append(time.perf_counter() - begin)
            target.unlink()
    return ours, theirs


def _push(phone: Phone, file: Path, target: Path) -> None:
    transport = connect("phone", _device(phone), Deadline(WITHIN_S))
    try:
        transport.push(file, str(target), Deadline(WITHIN_S))
    finally:
        transport.close()


def _starts(setting: Setting, phone: Phone) -> list[float]:
    """Seconds from connecting to the agent's first word, the agent being there already."""
    archive = build_agent(setting.folder / "agent")
    seconds = []
    for _ in range(3 if setting.quick else 10):
        begin = time.perf_counter()
        transport = connect("phone", _device(phone), Deadline(WITHIN_S))
        with open_session(transport, archive, sys.executable, str(setting.folder / "started")):
            seconds.append(time.perf_counter() - begin)
        transport.close()
    return seconds[1:]


def _runs(setting: Setting, adb: AdbServer, phone: Phone) -> tuple[Figure, ...]:
    """Bytes of a second run, and what its trials cost outside the worker. Raises RunFailed."""
    device = f"adb: {{serial: '{phone.serial}'}}, python: {sys.executable}"
    suite = overhead.QUICK_SUITE if setting.quick else overhead.SUITE
    setting.tell("a short run, which pushes")
    first = run_suite(suite, setting.folder, "--quick", device=device, environment=adb.environment)
    setting.tell("a second run")
    second = run_suite(suite, setting.folder, device=device, environment=adb.environment)
    bytes_of = [sum(session.pushed_bytes for session in run.stored.sessions) for run in (first, second)]
    return (Figure("pushed by a second run", spread([bytes_of[1]]), " bytes", 0, NONE,
                   f"first run: {bytes_of[0]:,}"), overhead.outside(second.stored.trials))


def _device(phone: Phone) -> DeviceConfig:
    return DeviceConfig(adb=AdbConfig(serial=phone.serial))
