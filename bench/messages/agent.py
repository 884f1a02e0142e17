"""The messages of the agent that `bench.protocol` describes in words: types, ranges and lengths of all that is used.

What a number or a verdict rests on makes its trial fail where it is not as declared here; facts, conditions and all
that only describes become unknown.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from bench.messages.kinds import (
    Bytes,
    Celsius,
    Count,
    Folder,
    Hash,
    Name,
    Nanoseconds,
    Text,
    Texts,
    Told,
    Words,
)
from bench.protocol import SAMPLES_PER_MESSAGE

MOST_CORES: Final = 4096
MOST_SAMPLES: Final = 2_000_000
"""Of a trial; what the agent stops at."""
MOST_INPUTS: Final = 100_000
END_OF_TIME: Final = 253_402_300_799
"""Seconds: the last that a calendar with years of four digits has."""

Megahertz = Annotated[int | float, Field(ge=0, le=1e6)]
Core = Annotated[int, Field(ge=0, lt=MOST_CORES)]
Cores = Annotated[list[Core], Field(max_length=MOST_CORES)]
Percent = Annotated[int, Field(ge=0, le=100)]
ThermalStatus = Annotated[int, Field(ge=0, le=6)]
Seconds = Annotated[float, Field(ge=0, le=END_OF_TIME)]
Taken = Annotated[int, Field(gt=0, le=1 << 60)]
When = Literal["before", "during", "after", "asked"]
Samples = Annotated[list[Nanoseconds], Field(max_length=SAMPLES_PER_MESSAGE)]


class Android(Words):
    """What a phone is."""

    manufacturer: Told[Text] = None
    model: Told[Text] = None
    soc: Told[Text] = None
    release: Told[Text] = None
    api_level: Told[Count] = None
    fingerprint: Told[Text] = None
    security_patch: Told[Text] = None
    abis: Told[Texts] = None


class Facts(Words):
    """What the device is. Descriptions, all of them, but `emulated`: whether its times are a real device's."""

    os: Told[Text] = None
    kernel: Told[Text] = None
    arch: Told[Text] = None
    soc: Told[Text] = None
    cpu_flags: Told[Texts] = None
    cores: Told[Annotated[int, Field(ge=1, le=MOST_CORES)]] = None
    core_capacities: Told[Annotated[list[Count], Field(max_length=MOST_CORES)]] = None
    max_clocks_mhz: Told[Annotated[list[Megahertz], Field(max_length=MOST_CORES)]] = None
    memory_bytes: Told[Bytes] = None
    disk_free_bytes: Told[Bytes] = None
    temperature_c: Told[Celsius] = None
    page_size: Told[Bytes] = None
    python: Told[Text] = None
    libc: Told[Text] = None
    emulated: bool | None = None
    power_mode: Told[Text] = None
    android: Told[Android] = None
    problems: Told[Texts] = None


class Processor(Words):
    cores: Told[Count] = None
    busy_ns: Told[Nanoseconds] = None
    stolen_ns: Told[Nanoseconds] = None
    monotonic_ns: Told[Nanoseconds] = None


class Battery(Words):
    level_percent: Told[Percent] = None
    charging: Told[bool] = None
    source: Told[Name] = None
    temperature_c: Told[Celsius] = None
    faked: Told[bool] = None


class Reading(Words):
    """One look at the device, whenever it was."""

    time: Told[Seconds] = None
    load_1m: Told[Annotated[float, Field(ge=0, le=1e6)]] = None
    processor: Told[Processor] = None
    clocks_mhz: Told[Annotated[list[Megahertz | None], Field(max_length=MOST_CORES)]] = None
    governor: Told[Name] = None
    available_memory_bytes: Told[Bytes] = None
    temperature_c: Told[Celsius] = None
    temperature_of: Told[Name] = None
    sensors_c: Told[Annotated[dict[Name, Celsius], Field(max_length=256)]] = None
    thermal_status: Told[ThermalStatus] = None
    thermal_faked: Told[bool] = None
    battery: Told[Battery] = None
    screen_on: Told[bool] = None
    services_age_s: Told[Seconds] = None
    problems: Told[Texts] = None


class Conditions(Reading):
    """One look at the device."""

    when: When


class Hello(Words):
    agent: Name
    workdir: Folder
    pid: Annotated[int, Field(ge=1, le=1 << 31)]
    boot_id: Told[Name] = None
    facts: Facts
    runtimes: Annotated[dict[Name, Name], Field(max_length=64)]

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Hello:
        if self.facts.emulated is None:
            raise ValueError("should have facts.emulated, true or false")
        return self


class Holder(Words):
    """Of a device in use."""

    owner: Told[Name] = None
    pid: Told[Count] = None
    since: Told[Seconds] = None


class Files(Words):
    missing: Annotated[list[Name], Field(max_length=1024)]


class Phases(Words):
    """How long each took. A trial of kind accuracy has no samples."""

    import_ns: Nanoseconds | None = None
    load_ns: Nanoseconds | None = None
    first_ns: Nanoseconds | None = None
    samples_ns: Nanoseconds | None = None
    by_turns_ns: Nanoseconds | None = None
    reload_ns: Nanoseconds | None = None
    verify_ns: Nanoseconds | None = None


class Memory(Words):
    """None where the kernel does not tell. A process takes some: 0 is no measurement."""

    after_import_bytes: Taken | None = None
    after_load_bytes: Taken | None = None
    peak_rss_bytes: Taken | None = None
    pss_bytes: Taken | None = None


class Findings(Words):
    inputs_changed: bool
    cycle: Annotated[int, Field(ge=1, le=MOST_INPUTS)] = 1
    by_sample_ns: Annotated[list[Samples], Field(min_length=1, max_length=MOST_INPUTS)] | None = None

    @model_validator(mode="after")
    def _are_alike(self) -> Findings:
        if self.by_sample_ns is not None and (len({len(row) for row in self.by_sample_ns}) != 1
                                              or not self.by_sample_ns[0]):
            raise ValueError("should have times by sample, equally many for each")
        return self


class WarmUp(Words):
    runs: Count
    ns: Nanoseconds
    settled: bool


class Processed(Words):
    """`cpu_ns`: how the samples' process shared the processor."""

    user: Told[Nanoseconds] = None
    system: Told[Nanoseconds] = None
    wall: Told[Nanoseconds] = None
    waited: Told[Nanoseconds] = None
    involuntary: Told[Count] = None
    cores: Told[Annotated[int, Field(ge=1, le=MOST_CORES)]] = None
    others: Told[Nanoseconds] = None
    stolen: Told[Nanoseconds] = None


class Versions(Words):
    runtime: Told[Name] = None
    numpy: Told[Name] = None
    python: Told[Name] = None


class OutputsFile(Words):
    sha256: Hash
    bytes: Bytes
    count: Count
    file: Told[Text] = None


class Result(Words):
    phases: Phases
    memory: Memory
    findings: Findings
    versions: Versions
    outputs: OutputsFile
    cores: Annotated[Cores, Field(min_length=1)]
    sample_count: Annotated[int, Field(ge=0, le=MOST_SAMPLES + MOST_INPUTS)] = 0
    warm_up: WarmUp | None = None
    cpu_ns: Told[Processed] = None


class SamplesTaken(Words):
    ns: Samples


class Failed(Words):
    """Its message is shown whatever it is."""

    kind: Told[Name] = None


class Done(Words):
    frames: Count
    crc: Annotated[int, Field(ge=0, lt=1 << 32)]


def plain(words: Words | None) -> dict[str, Any]:
    """What was told, as plain values; what was not is left out."""
    return {} if words is None else words.model_dump(exclude_unset=True)
