"""The phones that an adb server knows, and what to do about one that is not ready."""

from __future__ import annotations

import difflib
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.transports.adb_server import Server, running_server
from bench.transports.adb_wire import Refused

PATIENCE_S = 5.0
"""What passes by itself, such as `offline` while a phone reconnects, is given so long."""
LOOK_EVERY_S = 0.1

REMEDIES = {
    "unauthorized": "tap Allow on the phone's screen; if it does not ask, revoke USB debugging authorizations in its "
                    "developer options and plug it in again",
    "offline": "plug it in again, or run: adb reconnect",
    "authorizing": "wait until its screen is unlocked, and tap Allow there if it asks",
    "connecting": "plug it in again",
    "no permissions": "this account may not open the USB device: add a udev rule for it (Debian: the package "
                      "android-sdk-platform-tools-common), join the group plugdev, and log in again",
    "recovery": "boot it into Android: adb reboot",
    "rescue": "boot it into Android: adb reboot",
    "sideload": "boot it into Android: adb reboot",
    "bootloader": "boot it into Android: fastboot reboot",
}
"""What a person does about each state other than `device`."""
PASSING = ("offline", "unauthorized")
"""States that a phone may be in for a moment while it connects."""
UNDER_WAY = ("authorizing", "connecting")
"""States that are waited out, up to the deadline."""

_LINE = re.compile(r"(?P<serial>.+?)\s+(?P<state>device|no permissions.*?|[a-z]+)(?P<fields>(?:\s+[a-z_]+:\S*)*)\s*")
_FIELD = re.compile(r"([a-z_]+):(\S*)")
_NETWORK = re.compile(r".+:\d{1,5}")


@dataclass(frozen=True)
class Phone:
    """One line of `adb devices -l`."""

    serial: str
    state: str
    """`device` when it is ready."""
    model: str = ""
    product: str = ""
    usb: str = ""
    """The USB port, e.g. `usb:1-2`; adb takes it in place of a serial."""
    transport_id: str = ""

    @property
    def ready(self) -> bool:
        return self.state == "device"

    @property
    def remedy(self) -> str:
        """What to do when it is not ready."""
        return REMEDIES.get(self.state, "" if self.ready else "boot it into Android and allow USB debugging")


def phones(deadline: Deadline) -> list[Phone]:
    """All phones, ready or not. Raises MissingExtra, ConfigError, InfrastructureError, DeadlineExceeded."""
    return listed(running_server(deadline), deadline)


def preferred(found: Sequence[Phone]) -> list[Phone]:
    """The one that ANDROID_SERIAL names, where it is set; else all of them."""
    wanted = os.environ.get("ANDROID_SERIAL")
    return [phone for phone in found if not wanted or wanted in (phone.serial, phone.usb)]


def listed(server: Server, deadline: Deadline) -> list[Phone]:
    """The phones of one server. Raises InfrastructureError, DeadlineExceeded."""
    try:
        answer = server.ask("host:devices-l", deadline)
    except Refused as error:
        raise InfrastructureError(f"{server} does not list its phones: {error}") from error
    return [_phone(line) for line in answer.splitlines() if line.strip()]


def await_phone(server: Server, serial: str, where: str, deadline: Deadline) -> None:
    """Return when the phone is ready. A phone on the network (HOST:PORT) is connected to when the server has not.

    Raises InfrastructureError, which names the state and its remedy, and DeadlineExceeded.
    """
    patience = Deadline(min(PATIENCE_S, deadline.left()))
    said = ""
    while True:
        found = listed(server, deadline)
        mine = [phone for phone in found if serial in (phone.serial, phone.usb)]
        if not mine and not said and _NETWORK.fullmatch(serial):
            said = _connect(server, serial, deadline)  # may be wrong either way: what counts is the list
            continue
        if len(mine) == 1 and mine[0].ready:
            return
        state = mine[0].state if len(mine) == 1 else ""
        if not (state in UNDER_WAY or (state in PASSING and not patience.passed())):
            raise _not_ready(serial, where, mine, found, said)
        if deadline.left() <= LOOK_EVERY_S:
            raise DeadlineExceeded(f"{where}: the phone is still {state} after {deadline.seconds:g} s",
                                   hint=REMEDIES[state])
        time.sleep(LOOK_EVERY_S)


def _connect(server: Server, serial: str, deadline: Deadline) -> str:
    try:
        return f" ({server.ask(f'host:connect:{serial}', deadline).strip()})"
    except Refused as error:
        return f" ({error})"


def _not_ready(serial: str, where: str, mine: Sequence[Phone], found: Sequence[Phone],
               said: str) -> InfrastructureError:
    if len(mine) > 1:
        ports = ", ".join(phone.usb or f"transport {phone.transport_id}" for phone in mine)
        return InfrastructureError(f"{where}: {len(mine)} devices have the serial {serial!r}: {ports}",
                                   hint="unplug one, or write the USB port in place of `serial:`, e.g. usb:1-2")
    if mine:
        return InfrastructureError(f"{where}: the phone is {mine[0].state!r}, not ready", hint=mine[0].remedy)
    others = [phone.serial for phone in found]
    near = difflib.get_close_matches(serial, others, 1)
    there = f"there are: {', '.join(others)}" if others else "no phone is there at all"
    hint = f"did you mean {near[0]!r}?" if near else (
        "plug it in, unlock it and allow USB debugging in its developer options; see: adb devices -l")
    return InfrastructureError(f"{where}: no phone has the serial {serial!r}{said}; {there}", hint=hint)


def _phone(line: str) -> Phone:
    match = _LINE.fullmatch(line)
    if match is None:
        return Phone(line.strip(), "unknown")
    fields = dict(_FIELD.findall(match["fields"]))
    state = "no permissions" if match["state"].startswith("no permissions") else match["state"]
    return Phone(match["serial"], state, fields.get("model", ""), fields.get("product", ""),
                 f"usb:{fields['usb']}" if "usb" in fields else "", fields.get("transport_id", ""))
