"""What could be a device: this machine, the phones that adb knows, the hosts of ~/.ssh/config."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench.config.base import WORD_PATTERN
from bench.config.devices import DevicesConfig, SshConfig
from bench.deadline import Deadline
from bench.errors import BenchError
from bench.transports.adb_phones import Phone, phones, preferred
from bench.transports.adb_server import configured_server
from bench.transports.ssh_config import resolve
from bench.transports.ssh_own_reader import aliases

LOOK_WITHIN_S = 20.0
THIS_MACHINE = "this-machine"
LONGEST_NAME = 64

_USB_OF_ADB = ("ff", "42", "01")
"""Class, subclass and protocol of the USB interface that adb speaks over."""


@dataclass(frozen=True)
class Found:
    """One of them, as an entry of devices.yaml would have it."""

    name: str
    transport: str
    address: str = ""
    """The phone's serial, or the host."""
    model: str = ""
    state: str = ""
    """A phone's, as adb has it: `device` when it is ready."""
    remedy: str = ""
    """What to do about that."""


@dataclass(frozen=True)
class Search:
    """What was found, and what was not looked for and why."""

    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()


def search() -> Search:
    """Everything that could be a device here. Raises ConfigError for an ~/.ssh/config that cannot be understood."""
    notes: list[str] = []
    attached: list[Phone] = []
    try:
        known = phones(Deadline(LOOK_WITHIN_S))
        attached = preferred(known)
        notes += _about(known, attached)
    except BenchError as error:
        notes.append(f"phones were not looked for: {error.line}")
    found = [Found(THIS_MACHINE, "local"), *(_phone(phone, attached) for phone in attached),
             *(Found(alias, "ssh", alias) for alias in aliases())]
    notes += [f"left out, for devices.yaml cannot hold what it is called: {one.address!r}"
              for one in found if not _writable(one)]
    return Search(tuple(named(found, ())), tuple(notes))


def named(found: Iterable[Found], taken: Collection[str]) -> list[Found]:
    """These under names that devices.yaml takes, all different and none of `taken`: `pixel-8` of "Pixel 8".

    What cannot be written into devices.yaml is left out.
    """
    used, result = set(taken), []
    for one in found:
        if not _writable(one):
            continue
        first = name = _name(one.name) or {"adb": "phone", "ssh": "host"}.get(one.transport, THIS_MACHINE)
        number = 2
        while name in used:
            name = f"{first[:LONGEST_NAME - 6]}-{number}"
            number += 1
        used.add(name)
        result.append(replace(one, name=name))
    return result


def missing(found: Iterable[Found], devices: DevicesConfig) -> list[Found]:
    """Those that `devices` does not have, under names that it does not have either."""
    configs = devices.devices.values()
    serials = {config.adb.serial for config in configs if config.adb}
    hosts = {config.ssh.host for config in configs if config.ssh}
    places = {_place(config.ssh) for config in configs if config.ssh}

    def known(one: Found) -> bool:
        if one.transport == "ssh":
            return one.address in hosts or _place(SshConfig(host=one.address)) in places
        return one.address in serials if one.transport == "adb" else any(config.local for config in configs)

    return named([one for one in found if not known(one)], devices.devices)


def unlisted_phones(devices: DevicesConfig) -> list[Phone]:
    """Phones that are attached and not in `devices`. No adb server is started where nothing speaks for a phone."""
    serials = {config.adb.serial for config in devices.devices.values() if config.adb}
    if not serials and not _speaks_for_a_phone():
        return []
    with suppress(BenchError):
        return [phone for phone in preferred(phones(Deadline(LOOK_WITHIN_S)))
                if not {phone.serial, phone.usb} & serials]
    return []


def model_of(phone: Phone) -> str:
    """The model's name; adb puts `_` for what is neither letter nor digit."""
    return phone.model.replace("_", " ").strip()


def _phone(phone: Phone, attached: Sequence[Phone]) -> Found:
    twice = sum(other.serial == phone.serial for other in attached) > 1
    model = model_of(phone)
    return Found(model, "adb", phone.usb if twice else phone.serial, model, phone.state, phone.remedy)


def _about(known: Sequence[Phone], attached: Sequence[Phone]) -> Iterator[str]:
    """What the owner of a phone would miss: why it is not found, or not ready."""
    if not known:
        yield "adb knows no phone; one that is plugged in needs USB debugging, in its developer options"
    left_out = ", ".join(phone.serial for phone in known if phone not in attached)
    if left_out:
        yield f"ANDROID_SERIAL is {os.environ['ANDROID_SERIAL']!r}, for which these phones are left out: {left_out}"
    yield from (f"{phone.serial} is {phone.state}: {phone.remedy}" for phone in attached if not phone.ready)


def _writable(one: Found) -> bool:
    return one.transport == "local" or bool(re.match(WORD_PATTERN, one.address) and one.address.isprintable())


def _name(text: str) -> str:
    """A device's name from a model's or a host's; "" where there is none in it."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")[:LONGEST_NAME].rstrip("._-")


def _place(config: SshConfig) -> str:
    """Where an alias leads."""
    try:
        return str(resolve(config, config.host, Deadline(LOOK_WITHIN_S)))
    except BenchError:
        return config.host


def _speaks_for_a_phone() -> bool:
    """Whether an adb server runs, or a USB device offers what adb speaks."""
    with suppress(BenchError, OSError):
        configured_server().connect(Deadline(1.0)).close()
        return True
    return platform.system() == "Linux" and any(_is_adb(interface) for interface in
                                                Path("/sys/bus/usb/devices").glob("*:*"))


def _is_adb(interface: Path) -> bool:
    names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
    try:
        return tuple((interface / name).read_text().strip() for name in names) == _USB_OF_ADB
    except OSError:
        return False
