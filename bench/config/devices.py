"""devices.yaml: the devices and how each is reached. See `bench schema devices`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, StringConstraints, Tag

from bench.config.base import HostPath, Line, Name, Strict, Version, Word
from bench.config.quantities import Seconds
from bench.config.suite import Runtime

TRANSPORT_KEYS: Final = ("local", "ssh", "adb")
WORKDIR_PATTERN: Final = r"^(~/|/)[^/\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"


BUNDLE: Final = "bundle"
"""What `python:` says of a device that is given a Python."""

Percent = Annotated[int, Field(ge=0, le=100)]


def _cores_tag(value: object) -> str:
    return "(list)" if isinstance(value, list | tuple) else "(kind)"


CoreNumbers = Annotated[tuple[Annotated[int, Field(ge=0, le=1023)], ...], Field(min_length=1)]
Cores = Annotated[Annotated[Literal["big", "little", "all"], Tag("(kind)")] | Annotated[CoreNumbers, Tag("(list)")],
                  Discriminator(_cores_tag)]
"""The fastest cores, the slowest, all of them, or a list of their numbers."""

PlannedRuntime = Literal["tensorrt", "coreml"]
"""May be listed already; nothing is measured by them yet."""


class LocalConfig(Strict):
    """This machine: child processes."""


class SshConfig(Strict):
    """A board reached over SSH. What is left out comes from ~/.ssh/config and the ssh-agent."""

    host: Word
    """Its name, address, or alias in ~/.ssh/config."""
    port: int | None = Field(default=None, ge=1, le=65535)
    user: Word | None = None
    key: HostPath | None = None
    """The private key's file."""
    known_hosts: HostPath | None = None
    """The file of known host keys; an unknown or changed key is refused."""


class AdbConfig(Strict):
    """A phone reached over ADB, by its serial (a string: quote it)."""

    serial: Word
    """As `adb devices` prints it."""


class CooldownConfig(Strict):
    """Wait before a trial until the device is cooler than `below_c` and tells of no throttling, at most `within`."""

    below_c: float | None = None
    """Degrees Celsius; without it, only the thermal status that Android tells counts."""
    within: Seconds = 300.0
    """The longest wait, for coolness and for charge."""


class SshDefaults(Strict):
    """For every device reached over SSH."""

    known_hosts: HostPath | None = None
    """The file of known host keys; default ~/.ssh/known_hosts."""


class Defaults(Strict):
    """What holds for every device that does not say otherwise."""

    ssh: SshDefaults = SshDefaults()
    cooldown: CooldownConfig = CooldownConfig()
    battery_at_least: Percent = 20
    """Charge, in percent, that a device with a battery needs before a trial begins."""


class DeviceConfig(Strict):
    """One device: exactly one of `local`, `ssh`, `adb`, and how `bench` works on it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [key]} for key in TRANSPORT_KEYS]})

    local: LocalConfig | None = None
    ssh: SshConfig | None = None
    adb: AdbConfig | None = None
    python: Word | None = None
    """The device's Python >= 3.8; default python3. `bundle` brings its own, which phones do by default."""
    workdir: Annotated[str, StringConstraints(pattern=WORKDIR_PATTERN)] | None = None
    """The one folder that bench writes to on the device; absolute, or below ~/.

    Default ~/.cache/bench, on phones /data/local/tmp/bench."""
    cores: Cores | None = None
    """The cores that trials are pinned to; default: none in particular."""
    runtimes: tuple[Runtime | PlannedRuntime, ...] | None = Field(default=None, min_length=1)
    """Runtimes to use; default: whatever the agent finds."""
    labels: dict[Line, str] = Field(default_factory=dict)
    """Free text by which suites select devices."""
    cooldown: CooldownConfig | None = None
    """Instead of the default one."""
    battery_at_least: Percent | None = None
    """Instead of the default one."""

    @property
    def folder(self) -> str:
        """`workdir`, or the default of its kind of device."""
        return self.workdir or ("/data/local/tmp/bench" if self.adb is not None else "~/.cache/bench")

    @property
    def brings_python(self) -> bool:
        """Whether a Python is pushed to it."""
        return self.python == BUNDLE or (self.python is None and self.adb is not None)

    @property
    def transport(self) -> Literal["local", "ssh", "adb"]:
        return "local" if self.local is not None else "ssh" if self.ssh is not None else "adb"


class DevicesConfig(Strict):
    """A whole devices.yaml."""

    version: Version
    """The version of the file format: 1."""
    defaults: Defaults = Defaults()
    devices: dict[Name, DeviceConfig] = Field(min_length=1)
    """By the name that runs and reports use."""
