"""Which devices a run uses, and what holds for each once the file's defaults are put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.config.devices import Defaults, DeviceConfig, DevicesConfig
from bench.config.problems import quoted, suggest
from bench.config.suite import SuiteConfig
from bench.errors import ConfigError


def resolve_devices(config: DevicesConfig) -> DevicesConfig:
    """`config` with the defaults put into every device that does not say otherwise."""
    devices = {name: _resolve(device, config.defaults) for name, device in config.devices.items()}
    return config.model_copy(update={"devices": devices})


def _resolve(device: DeviceConfig, defaults: Defaults) -> DeviceConfig:
    ssh = device.ssh
    if ssh is not None and ssh.known_hosts is None:
        ssh = ssh.model_copy(update={"known_hosts": defaults.ssh.known_hosts})
    battery = defaults.battery_at_least if device.battery_at_least is None else device.battery_at_least
    return device.model_copy(update={"ssh": ssh, "cooldown": device.cooldown or defaults.cooldown,
                                     "battery_at_least": battery})


def select_devices(suite: SuiteConfig, devices: DevicesConfig, names: Sequence[str]) -> dict[str, DeviceConfig]:
    """The devices of a run, defaults put in: `names` in their order, else all whose labels the suite asks for.

    Raises ConfigError for a name that is no device, and when no device has the labels.
    """
    known = resolve_devices(devices).devices
    for name in names:
        if name not in known:
            raise ConfigError(f"no device {quoted(name)}{suggest(name, known)}",
                              hint="devices are listed in the devices file (devices.yaml, or --devices FILE)")
    if names:
        return {name: known[name] for name in names}
    wanted = {key: (value,) if isinstance(value, str) else value for key, value in suite.devices.labels.items()}
    chosen = {name: device for name, device in known.items() if _matches(device.labels, wanted)}
    if not chosen:
        asked = ", ".join(f"{key}: {' or '.join(values)}" for key, values in wanted.items())
        raise ConfigError(f"no device has the labels that the suite asks for ({asked}), found {_labels_of(known)}",
                          hint="change the suite's devices.labels or the devices' labels, or name devices with -d")
    return chosen


def named_devices(devices: DevicesConfig, names: Sequence[str]) -> dict[str, DeviceConfig]:
    """The devices of those names (all, when none are given), defaults put in. Raises ConfigError for an unknown one."""
    known = resolve_devices(devices).devices
    for name in names:
        if name not in known:
            raise ConfigError(f"no device {quoted(name)}{suggest(name, known)}",
                              hint="devices are listed in the devices file (devices.yaml, or --devices FILE)")
    return {name: known[name] for name in names or known}


def _matches(labels: Mapping[str, str], wanted: Mapping[str, tuple[str, ...]]) -> bool:
    return all(labels.get(key) in values for key, values in wanted.items())


def _labels_of(devices: Mapping[str, DeviceConfig]) -> str:
    """Every label with its values: `soc: orin, tensor-g3; tier: edge`."""
    values: dict[str, set[str]] = {}
    for device in devices.values():
        for key, value in device.labels.items():
            values.setdefault(key, set()).add(value)
    return "; ".join(f"{key}: {', '.join(sorted(found))}" for key, found in sorted(values.items())) or "no labels"
