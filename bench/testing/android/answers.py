"""The texts that a phone prints, written from its profile in the formats of Android's own services."""

from __future__ import annotations

from bench.testing.android.profiles import Battery, Profile, Sensor

_SOURCES = {"ac": "AC", "usb": "USB", "wireless": "Wireless", "dock": "Dock"}


def answers(profile: Profile) -> dict[str, str]:
    """What each command line prints."""
    made = {
        "dumpsys battery": battery(profile.battery),
        "dumpsys thermalservice": thermal_service(profile),
        "dumpsys power": power(profile),
        **{f"settings get {key}": f"{value}\n" for key, value in profile.settings.items()},
    }
    return made | dict(profile.answers)


def battery(state: Battery) -> str:
    """As BatteryService prints it: temperature in tenths of a degree, voltage in mV, charge in uAh."""
    lines = ["Current Battery Service state:"]
    if state.frozen:
        lines.append("  (UPDATES STOPPED -- use 'reset' to restart)")
    lines += [f"  {name} powered: {str(key == state.source).lower()}" for key, name in _SOURCES.items()
              if key != "dock" or state.dock]
    powered = state.source is not None
    lines += [f"  {key}: {value}" for key, value in {
        "Max charging current": 500000 if powered else 0, "Max charging voltage": 5000000 if powered else 0,
        "Charge counter": state.charge_uah, "status": state.status, "health": 2, "present": "true",
        "level": state.level_percent, "scale": 100, "voltage": state.voltage_mv,
        "temperature": round(state.temperature_c * 10), "technology": "Li-ion"}.items()]
    return "\n".join(lines) + "\n" + state.appendix


def thermal_service(profile: Profile) -> str:
    """As ThermalManagerService prints it."""
    sensors = "".join(f"\t{_sensor(sensor)}\n" for sensor in profile.sensors)
    return (f"IsStatusOverride: {str(profile.thermal_faked).lower()}\nThermalEventListeners:\n\tcallbacks: 1\n"
            f"\tkilled: false\n\tbroadcasts count: -1\nThermalStatusListeners:\n\tcallbacks: 3\n\tkilled: false\n"
            f"\tbroadcasts count: -1\nThermal Status: {profile.thermal_status}\nCached temperatures:\n{sensors}"
            "HAL Ready: true\nHAL connection:\n\tThermalHAL 2.0 connected: yes\n"
            f"Current temperatures from HAL:\n{sensors}Current cooling devices from HAL:\n"
            "Temperature static thresholds from HAL:\n")


def power(profile: Profile) -> str:
    """The lines of PowerManagerService that tell whether the screen is on."""
    state = "Awake" if profile.awake else "Asleep"
    return (f"POWER MANAGER (dumpsys power)\n\nPower Manager State:\n  mDirty=0x0\n  mWakefulness={state}\n"
            f"  mWakefulnessChanging=false\n  mIsPowered={str(profile.battery.source is not None).lower()}\n"
            f"  mStayOn=false\n\nDisplay Power: state={'ON' if profile.awake else 'OFF'}\n")


def properties(profile: Profile) -> str:
    """As `getprop` lists them."""
    return "".join(f"[{key}]: [{value}]\n" for key, value in sorted(profile.properties.items()))


def cpuinfo(profile: Profile) -> str:
    """As an arm64 kernel tells it."""
    return "".join(
        f"processor\t: {number}\nBogoMIPS\t: 49.15\n"
        "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc "
        "dcpop asimddp\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: {core.part}\nCPU revision\t: 0\n\n"
        for number, core in enumerate(profile.cores))


def system_files(profile: Profile) -> dict[str, str]:
    """The files below /sys."""
    all_cores = f"0-{len(profile.cores) - 1}" if len(profile.cores) > 1 else "0"
    cpu, files = "devices/system/cpu", {}
    for name in ("possible", "present", "online"):
        files[f"{cpu}/{name}"] = all_cores
    for number, core in enumerate(profile.cores):
        files[f"{cpu}/cpu{number}/cpu_capacity"] = str(core.capacity)
        highest = str(core.max_clock_mhz * 1000)
        for name, text in (("scaling_cur_freq", str(core.clock_mhz * 1000)), ("cpuinfo_max_freq", highest),
                           ("scaling_max_freq", highest), ("scaling_governor", core.governor)):
            files[f"{cpu}/cpu{number}/cpufreq/{name}"] = text
    for number, zone in enumerate(profile.zones):
        files[f"class/thermal/thermal_zone{number}/type"] = zone.kind
        files[f"class/thermal/thermal_zone{number}/temp"] = zone.reading
    return {name: text + "\n" for name, text in files.items()}


def _sensor(sensor: Sensor) -> str:
    return (f"Temperature{{mValue={sensor.temperature_c}, mType={sensor.kind}, mName={sensor.name}, "
            f"mStatus={sensor.status}}}")
