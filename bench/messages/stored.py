"""The agent's words as a store keeps them: an earlier version may have kept what is refused now, or asked for less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from bench.errors import InfrastructureError
from bench.messages.agent import (
    Cores,
    Facts,
    Findings,
    Memory,
    Phases,
    Processed,
    Reading,
    Versions,
    WarmUp,
    When,
    plain,
)
from bench.messages.kinds import Count, Name, Nanoseconds, Text, Told, Words, shown, take


class KeptReading(Reading):
    when: Told[When] = None


class KeptFacts(Facts):
    emulated: Told[bool] = None


class Repeats(Words):
    """As `bench.run.repeat` words it."""

    ok: Told[bool] = None
    reason: Told[Text] = None
    host: Told[bool] = None


class KeptFindings(Findings):
    inputs_changed: bool = False
    repeats: Told[Repeats] = None


class Looked(Words):
    """What was used of the device right after a trial, as the host saw it."""

    wall: Told[Nanoseconds] = None
    busy: Told[Nanoseconds] = None
    cores: Told[Count] = None


class KeptProcessed(Processed):
    after: Told[Looked] = None


class KeptTrial(Words):
    """Columns of a trial whose values came from the device."""

    phases: Phases
    memory: Memory
    versions: Told[Versions] = None
    warm_up: WarmUp | None = None
    cpu_ns: Told[KeptProcessed] = None
    findings: KeptFindings | None = None
    conditions: Told[list[Told[KeptReading]]] = None


class KeptSession(Words):
    """Columns of a session whose values came from the device."""

    boot_id: Told[Name] = None
    agent: Told[Name] = None
    facts: Told[KeptFacts] = None
    runtimes: Told[Annotated[dict[Name, Told[Name]], Field(max_length=64)]] = None


class _Used(Words):
    cores_used: Told[Cores] = None


def kept_trial(row: Mapping[str, Any]) -> dict[str, Any]:
    """Those columns of a trial's row, as they are used.

    Raises InfrastructureError, naming the word, where one that a number rests on is not what it should be.
    """
    told = {name: row[name] for name in KeptTrial.model_fields if name in row}
    words, _ = take(KeptTrial, told, "of then")
    found: dict[str, Any] = {name: plain(getattr(words, name)) for name in ("phases", "memory", "versions")}
    found |= {name: plain(held) if (held := getattr(words, name)) is not None else None
              for name in ("warm_up", "cpu_ns", "findings")}
    cycle = 1 if words.findings is None else words.findings.cycle
    if row["sample_count"] % cycle:
        raise InfrastructureError(f"findings.cycle is {cycle}, which does not divide its {row['sample_count']} samples")
    return {**found, "conditions": _kept(words.conditions), "settings": _settings(row["settings"])}


def kept_conditions(told: object) -> list[dict[str, Any]]:
    """The readings of a trial; one that is none is left out."""
    return _kept(take(_Readings, {"conditions": told}, "of then")[0].conditions)


def kept_session(row: Mapping[str, Any]) -> dict[str, Any]:
    """Those columns of a session's row, as they are used: what is not understood is None, or left out."""
    words, _ = take(KeptSession, {name: row[name] for name in KeptSession.model_fields}, "of then")
    runtimes = {name: version for name, version in (words.runtimes or {}).items() if version is not None}
    return {"boot_id": words.boot_id, "agent": words.agent or "unknown", "facts": plain(words.facts),
            "runtimes": runtimes}


class _Readings(Words):
    conditions: Told[list[Told[KeptReading]]] = None


def _kept(readings: list[KeptReading | None] | None) -> list[dict[str, Any]]:
    return [plain(reading) for reading in readings or () if reading is not None]


def _settings(told: Any) -> dict[str, Any]:
    """A trial's settings are the suite's, but for the cores that the device allowed."""
    if not isinstance(told, dict):
        raise InfrastructureError(f"its settings are {shown(told)}")
    if "cores_used" not in told:
        return told
    used = take(_Used, told, "of then")[0].cores_used
    return {**told, "cores_used": used} if used else {name: held for name, held in told.items() if name != "cores_used"}
