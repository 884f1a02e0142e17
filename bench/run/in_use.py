"""Devices that another controller uses: found before anything is converted or stored, and waited for if asked to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.devices.holder import holder_of
from bench.errors import BenchError
from bench.host import shortages_told
from bench.run.events import Event, Notify
from bench.run.stop import Stop
from bench.session import Busy, busy
from bench.transports.connect import connect

CONNECT_WITHIN_S: Final = 30.0
LOOKS_WITHIN_S: Final = 5.0
"""Who only looks (`bench devices`) holds a device for a moment."""
FIRST_EVERY_S: Final = 1.0
EVERY_S: Final = 5.0
"""Between looks: they cost the device a shell, while somebody measures there."""


class AllInUse(Busy):
    """All devices of a run are in use; `held` says by whom."""

    def __init__(self, held: Mapping[str, Busy]) -> None:
        text = "; ".join(f"{name}: {error.message}" for name, error in held.items())
        super().__init__(f"{text}: nothing was measured or stored",
                         hint="wait until that has ended, or let bench wait: --wait 10m")
        self.held = held


def refuse_if_all_in_use(devices: Mapping[str, DeviceConfig], wait: Deadline, stop: Stop, notify: Notify) -> None:
    """Return as soon as one of the devices is free, or cannot be asked, which measuring will tell.

    Raises AllInUse, which names the holders, when all are in use and `wait` has passed; KeyboardInterrupt, and whatever
    else the main thread's signals raise.
    """
    if not devices:
        return
    looks, told = Deadline(LOOKS_WITHIN_S), ""
    while True:
        held: dict[str, Busy] = {}
        for name, device in devices.items():
            error = _asked(name, device)
            if error is None:
                return
            held[name] = error
        if looks.passed() and wait.passed():
            raise AllInUse(held)
        text = "; ".join(f"{name}: {error.message}" for name, error in held.items())
        if looks.passed() and text != told:  # somebody else may have it by now
            told = text
            for name, error in held.items():
                notify(Event("waiting", waiting(error, wait), name))
        stop.soft.wait(EVERY_S if looks.passed() else FIRST_EVERY_S)


def waiting(error: Busy, wait: Deadline) -> str:
    """What is told while a device is waited for."""
    until = time.strftime("%H:%M:%S", time.localtime(time.time() + wait.left()))
    return f"{error.message}; waiting until {until}"


def _asked(name: str, device: DeviceConfig) -> Busy | None:
    """The error that names who uses the device; None for nobody, or where it cannot be asked."""
    try:
        with shortages_told():
            transport = connect(name, device, Deadline(CONNECT_WITHIN_S))
            try:
                holder = holder_of(transport, device.folder)
            finally:
                transport.close()
    except BenchError:
        return None
    return None if holder is None else busy(holder)
