"""devices.yaml: the devices and how each is reached. See `bench schema devices`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from bench.config.base import HostPath, Line, Name, Strict, Version, Word
from bench.config.quantities import Seconds
from bench.config.suite import Runtime

TRANSPORT_KEYS: Final = ("local", "ssh", "adb")
WORKDIR_PATTERN: Final = r"^(~/|/)[^/\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"


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
    """Wait before a trial until the device is cooler than `below_c`, at most `within`."""

    below_c: float
    """Degrees Celsius."""
    within: Seconds = 300.0
    """The longest wait."""


class SshDefaults(Strict):
    """For every device reached over SSH."""

    known_hosts: HostPath | None = None
    """The file of known host keys; default ~/.ssh/known_hosts."""


class Defaults(Strict):
    """What holds for every device that does not say otherwise."""

    ssh: SshDefaults = SshDefaults()
    cooldown: CooldownConfig | None = None


class DeviceConfig(Strict):
    """One device: exactly one of `local`, `ssh`, `adb`, and how `bench` works on it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [key]} for key in TRANSPORT_KEYS]})

    local: LocalConfig | None = None
    ssh: SshConfig | None = None
    adb: AdbConfig | None = None
    python: Word | None = None
    """The device's Python >= 3.8; default python3."""
    workdir: Annotated[str, StringConstraints(pattern=WORKDIR_PATTERN)] = "~/.cache/bench"
    """The one folder that bench writes to on the device; absolute, or below ~/."""
    runtimes: tuple[Runtime | PlannedRuntime, ...] | None = Field(default=None, min_length=1)
    """Runtimes to use; default: whatever the agent finds."""
    labels: dict[Line, str] = Field(default_factory=dict)
    """Free text by which suites select devices."""
    cooldown: CooldownConfig | None = None
    """Instead of the default one."""

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
