"""Asking devices what they are."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.bundles.agent import AgentArchive, build_agent
from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.devices.python import python_of
from bench.errors import BenchError
from bench.session import Busy, open_session
from bench.transports.connect import connect

CONNECT_WITHIN_S = 30.0


@dataclass(frozen=True)
class DeviceState:
    """A device as it answered (`state` ready), or why it did not (busy, unreachable, unusable)."""

    name: str
    transport: str
    state: str
    labels: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)
    runtimes: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    hint: str | None = None


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
            with open_session(transport, archive, python_of(device), device.folder) as session:
                hello = session.hello
        finally:
            transport.close()
    except BenchError as error:
        state = "unreachable" if error.fault == "infrastructure" else "unusable"
        state = "busy" if isinstance(error, Busy) else state
        return DeviceState(name, device.transport, state, device.labels, error=error.message, hint=error.hint or None)
    return DeviceState(name, device.transport, "ready", device.labels, hello.facts, hello.runtimes)
