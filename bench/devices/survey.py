"""Asking devices what they are."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.bundles.agent import AgentArchive, build_agent
from bench.config.devices import DeviceConfig, DevicesConfig
from bench.deadline import Deadline
from bench.devices.discover import model_of, unlisted_phones
from bench.devices.python import python_of
from bench.devices.shell_facts import ask
from bench.errors import BenchError
from bench.session import Busy, open_session
from bench.transports.base import Transport
from bench.transports.connect import connect

CONNECT_WITHIN_S = 30.0
ASK_WITHIN_S = 30.0
NO_BUNDLE = "no bundle on it yet: bench run pushes it, or bench bundle push -d {}"
UNLISTED = "{} is attached and not in devices.yaml: bench init shows the lines to add"


@dataclass(frozen=True)
class DeviceState:
    """A device as it answered (`state` ready), or why it did not (busy, unreachable, unusable); `unlisted` is one that
    is there and not written down."""

    name: str
    transport: str
    state: str
    labels: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)
    runtimes: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    hint: str | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    bundle: str | None = None
    """Of a device that is given a Python: that Python's path there, or why there is none."""


def survey(devices: Mapping[str, DeviceConfig]) -> tuple[DeviceState, ...]:
    """Every device's state, asked in parallel; what cannot be reached is a row with its reason."""
    with tempfile.TemporaryDirectory() as folder:
        archive = build_agent(Path(folder))
        with ThreadPoolExecutor(max_workers=max(1, min(16, len(devices)))) as pool:
            return tuple(pool.map(lambda name: _ask(name, devices[name], archive), devices))


def _ask(name: str, device: DeviceConfig, archive: AgentArchive) -> DeviceState:
    try:
        transport = connect(name, device, Deadline(CONNECT_WITHIN_S))
        try:
            if device.brings_python:
                return _bundled(name, device, transport, archive)
            return _by_agent(name, device, transport, archive, python_of(device))
        finally:
            transport.close()
    except BenchError as error:
        state = "unreachable" if error.fault == "infrastructure" else "unusable"
        state = "busy" if isinstance(error, Busy) else state
        return DeviceState(name, device.transport, state, device.labels, error=error.message, hint=error.hint or None)


def _bundled(name: str, device: DeviceConfig, transport: Transport, archive: AgentArchive) -> DeviceState:
    """A device that is given a Python: by that Python where it is there, else by the device's own shell."""
    told = ask(transport, device.folder, Deadline(ASK_WITHIN_S))
    if told.launcher is not None:
        return _by_agent(name, device, transport, archive, told.launcher, told.launcher)
    if told.lacks is not None:
        return DeviceState(name, device.transport, "unusable", device.labels, told.facts, conditions=told.conditions,
                           error=f"bundle not runnable: {told.lacks}, and the bundle is for 64-bit arm",
                           hint="use a device with a 64-bit arm system, or name its own Python with python:")
    return DeviceState(name, device.transport, "ready", device.labels, told.facts, conditions=told.conditions,
                       bundle=NO_BUNDLE.format(name))


def _by_agent(name: str, device: DeviceConfig, transport: Transport, archive: AgentArchive, python: str,
              bundle: str | None = None) -> DeviceState:
    with open_session(transport, archive, python, device.folder) as session:
        return DeviceState(name, device.transport, "ready", device.labels, session.hello.facts, session.hello.runtimes,
                           conditions=session.look(), bundle=bundle)


def unlisted(devices: DevicesConfig) -> tuple[DeviceState, ...]:
    """Phones that are attached and not in `devices`, by their serials; no error of the devices that are."""
    return tuple(
        DeviceState(phone.serial, "adb", "unlisted", {}, hint=UNLISTED.format(
            f"{phone.serial} ({model})" if (model := model_of(phone)) else phone.serial)
            + ("" if phone.ready else f"; it is {phone.state}: {phone.remedy}"))
        for phone in unlisted_phones(devices))
