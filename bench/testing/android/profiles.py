"""What a phone is and how it fares: frozen, so that a change is a new profile (`dataclasses.replace`).

The texts that a phone prints from it are made in `answers.py`. Both phones here have two cores, because pinning to a
core is real and the smallest machines for tests have two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Core:
    """A core as /sys tells it; `capacity` is relative to 1024, `clock_mhz` what it runs at now."""

    capacity: int
    clock_mhz: int
    max_clock_mhz: int
    governor: str = "sched_pixel"
    part: str = "0xd05"
    """Arm's number of its design, for /proc/cpuinfo."""


@dataclass(frozen=True)
class Battery:
    """What `dumpsys battery` tells; `source` is who powers the phone ("ac", "usb", "wireless", "dock" or None)."""

    level_percent: int = 84
    status: int = 2
    """1 unknown, 2 charging, 3 discharging, 4 not charging, 5 full."""
    source: str | None = "usb"
    temperature_c: float = 27.4
    voltage_mv: int = 4063
    charge_uah: int = 3270000
    frozen: bool = False
    """Whether its values were faked by `dumpsys battery set`, which stops the updates."""
    dock: bool = True
    """Whether it knows docks (since Android 13)."""
    appendix: str = ""
    """What the vendor prints behind it."""


@dataclass(frozen=True)
class Sensor:
    """A sensor of the thermal service. Kinds: 0 CPU, 1 GPU, 2 battery, 3 skin, 4 USB, 5 power amplifier, 9 NPU."""

    name: str
    kind: int
    temperature_c: float
    status: int = 0


@dataclass(frozen=True)
class Zone:
    """A thermal zone of /sys: `reading` as the file has it (thousandths of a degree, with some vendors degrees)."""

    kind: str
    reading: str
    readable: bool = True
    """Whether the shell's user may read it."""


@dataclass(frozen=True)
class Profile:
    """A phone."""

    properties: Mapping[str, str]
    cores: tuple[Core, ...]
    kernel: str
    battery: Battery = Battery()
    thermal_status: int = 0
    """0 none, 1 light, 2 moderate, 3 severe, 4 critical, 5 emergency, 6 shutdown."""
    thermal_faked: bool = False
    """Whether `cmd thermalservice override-status` set the status."""
    sensors: tuple[Sensor, ...] = ()
    zones: tuple[Zone, ...] = ()
    awake: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    """What `settings get NAMESPACE KEY` answers, by "NAMESPACE KEY"."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """What a whole command line prints, such as "dumpsys battery" or "cmd -l": it goes before all of the above."""


_EMULATED = {"ro.boot.qemu": "1", "ro.kernel.qemu": "1"}
"""As Android's emulators say of themselves."""

_ARM64 = {
    "ro.product.cpu.abi": "arm64-v8a", "ro.product.cpu.abilist": "arm64-v8a,armeabi-v7a,armeabi",
    "ro.product.cpu.abilist64": "arm64-v8a", "ro.product.cpu.abilist32": "armeabi-v7a,armeabi",
    "ro.build.type": "user", "ro.build.tags": "release-keys", "ro.debuggable": "0", "sys.boot_completed": "1",
}

PIXEL = Profile(
    properties=_EMULATED | _ARM64 | {
        "ro.product.manufacturer": "Google", "ro.product.brand": "google", "ro.product.model": "Pixel 8 Pro",
        "ro.product.device": "husky", "ro.product.name": "husky", "ro.product.board": "husky",
        "ro.board.platform": "zuma", "ro.hardware": "husky", "ro.serialno": "EMULATOR0PIXEL",
        "ro.soc.manufacturer": "Google", "ro.soc.model": "Tensor G3",
        "ro.build.id": "AP1A.240505.005", "ro.build.version.release": "14", "ro.build.version.sdk": "34",
        "ro.build.version.security_patch": "2024-05-05",
        "ro.build.fingerprint": "google/husky/husky:14/AP1A.240505.005/11677807:user/release-keys",
    },
    cores=(Core(160, 324, 1704, part="0xd46"), Core(1024, 500, 2914, part="0xd4e")),
    kernel="5.15.137-android14-11-g1234567890ab-ab11500000",
    sensors=(Sensor("VIRTUAL-SKIN", 3, 31.4), Sensor("BIG", 0, 36.2), Sensor("LITTLE", 0, 35.0), Sensor("G3D", 1, 34.1),
             Sensor("battery", 2, 27.4), Sensor("TPU", 9, 33.9)),
    zones=(Zone("BIG", "36200"), Zone("LITTLE", "35000"), Zone("G3D", "34100"), Zone("battery", "27400", False)),
    settings={"global stay_on_while_plugged_in": "0", "global low_power": "0", "system screen_brightness": "102",
              "system screen_off_timeout": "30000"},
)
"""A recent phone that tells everything, in the clearest form."""

SAMSUNG = Profile(
    properties=_EMULATED | _ARM64 | {
        "ro.product.manufacturer": "samsung", "ro.product.brand": "samsung", "ro.product.model": "SM-A525F",
        "ro.product.device": "a52q", "ro.product.name": "a52qnsxx", "ro.product.board": "atoll",
        "ro.board.platform": "atoll", "ro.hardware": "qcom", "ro.serialno": "EMULATOR0GALAXY",
        "ro.chipname": "SM7125", "ro.build.id": "SP1A.210812.016", "ro.build.version.release": "12",
        "ro.build.version.sdk": "31", "ro.build.version.security_patch": "2022-06-01",
        "ro.build.fingerprint":
            "samsung/a52qnsxx/a52q:12/SP1A.210812.016/A525FXXU4BVE3:user/release-keys",
    },
    cores=(Core(376, 576, 1804, "schedutil", "0x805"), Core(1024, 652, 2323, "schedutil", "0x804")),
    kernel="4.14.190-23725627-abA525FXXU4BVE3",
    battery=Battery(level_percent=100, status=5, source="ac", voltage_mv=4352, charge_uah=220, dock=False, appendix=(
        "  LED Charging: true\n  LED Low Battery: true\n  current now: 0\n  Adaptive Fast Charging Settings: true\n"
        "  mSavedBatteryAsoc: -1\n\n[EventLogBuffer]\n"
        "07-29 18:00:27 level:99, status:2, health:2, temperature:301, voltage:4310\n"
        "  level: 98\n  temperature: 312\n  status: 2\n")),
    sensors=(Sensor("AP", 0, 39.6), Sensor("BAT", 2, 27.4), Sensor("SUBBAT", 2, 0.0), Sensor("SKIN", 3, 35.8),
             Sensor("USB", 4, 0.0), Sensor("PA", 5, 0.0)),
    zones=(Zone("cpu-0-0-usr", "39"), Zone("cpu-1-0-usr", "41"), Zone("pm6150-tz", "37000"), Zone("ac", "0"),
           Zone("battery", "274", False)),
    settings={"global stay_on_while_plugged_in": "0", "global low_power": "0"},
)
"""An older phone with its maker's habits: no ro.soc.*, text behind the battery's, sensors of 0.0, zones in degrees."""
