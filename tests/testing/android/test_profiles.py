"""What a phone tells of itself, and that it can be made to tell something else while it runs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench.testing.android import answers, layout
from bench.testing.android.profiles import PIXEL, SAMSUNG, Sensor, Zone
from bench.testing.android.programs import Programs
from bench.testing.android.root import AndroidRoot, android_root
from tests.fakes.android import on


def test_a_battery_is_told_as_android_tells_it() -> None:
    text = answers.battery(replace(PIXEL.battery, temperature_c=32.6, level_percent=41))
    assert text.startswith("Current Battery Service state:\n  AC powered: false\n  USB powered: true\n")
    assert "\n  level: 41\n" in text and "\n  temperature: 326\n" in text and "UPDATES STOPPED" not in text
    faked = answers.battery(replace(PIXEL.battery, frozen=True)).splitlines()
    assert faked[1] == "  (UPDATES STOPPED -- use 'reset' to restart)"


def test_the_second_phone_has_its_makers_habits() -> None:
    assert not [key for key in SAMSUNG.properties if key.startswith("ro.soc.")]
    assert SAMSUNG.properties["ro.chipname"]
    head, _, tail = answers.battery(SAMSUNG.battery).partition("[EventLogBuffer]\n")
    assert "\n  level: 100\n" in head and "\n  level: 98\n" in "\n" + tail
    assert "Dock" not in head
    assert "mValue=0.0, mType=2, mName=SUBBAT" in answers.thermal_service(SAMSUNG)


def test_both_say_that_they_are_emulated_and_have_a_small_and_a_big_core() -> None:
    for profile in (PIXEL, SAMSUNG):
        assert profile.properties["ro.boot.qemu"] == profile.properties["ro.kernel.qemu"] == "1"
        small, big = profile.cores
        assert small.capacity < big.capacity == 1024 and small.max_clock_mhz < big.max_clock_mhz


def test_files_that_are_told_no_more_are_gone_and_all_may_read_the_others(tmp_path: Path) -> None:
    programs = Programs(Path("/bin/sh"), Path("/bin/sh"))
    before = os.umask(0o077)
    try:
        layout.make_files(tmp_path / "phone", programs, PIXEL)
        layout.show(tmp_path / "phone", replace(PIXEL, zones=(Zone("BIG", "45000"),), settings={}))
    finally:
        os.umask(before)
    root = tmp_path / "phone/root"
    assert (root / "sys/class/thermal/thermal_zone0/temp").read_text() == "45000\n"
    assert not (root / "sys/class/thermal/thermal_zone1/temp").exists()
    assert not list((root / "vendor/answers").glob("settings*"))
    closed = [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o044 != 0o044]
    assert closed == []


@pytest.mark.slow
def test_properties_are_answered_as_getprop_does(phone: AndroidRoot) -> None:
    asked = on(phone, "getprop ro.product.model; getprop ro.missing; getprop ro.missing else; getprop ro.product")
    assert (asked.returncode, asked.stdout) == (0, "Pixel 8 Pro\n\nelse\n\n")
    assert on(phone, "getprop").stdout == answers.properties(PIXEL)


@pytest.mark.slow
def test_services_are_answered_and_unknown_ones_refused(phone: AndroidRoot) -> None:
    assert on(phone, "dumpsys battery").stdout == answers.battery(PIXEL.battery)
    assert on(phone, "dumpsys -t 5 thermalservice").stdout == answers.thermal_service(PIXEL)
    assert "  mWakefulness=Awake\n" in on(phone, "dumpsys power").stdout
    unknown = on(phone, "dumpsys nonsense")
    assert (unknown.returncode, unknown.stdout, unknown.stderr) == (0, "", "Can't find service: nonsense\n")
    assert on(phone, "cmd nonsense").returncode == 20
    asked = on(phone, "settings get global low_power; settings get global missing; settings put global low_power 1")
    assert (asked.returncode, asked.stdout) == (255, "0\nnull\n")


@pytest.mark.slow
def test_the_kernel_tells_the_phones_cores_and_zones(phone: AndroidRoot) -> None:
    cpu = "/sys/devices/system/cpu"
    told = on(phone, f"cat {cpu}/possible {cpu}/cpu*/cpu_capacity {cpu}/cpu1/cpufreq/cpuinfo_max_freq").stdout.split()
    assert told == ["0-1", "160", "1024", "2914000"]
    assert on(phone, "cat /sys/class/thermal/thermal_zone0/temp").stdout == "36200\n"
    assert "Permission denied" in on(phone, "cat /sys/class/thermal/thermal_zone3/temp").stderr
    assert on(phone, "cat /proc/cpuinfo").stdout.count("CPU part") == 2


@pytest.mark.slow
def test_it_heats_up_and_drains_while_it_runs(arm64: Programs, tmp_path: Path) -> None:
    with android_root(tmp_path / "phone", SAMSUNG, using=arm64) as phone:
        phone.change(thermal_status=3, sensors=(Sensor("AP", 0, 71.5, 3),), awake=False,
                     battery=replace(SAMSUNG.battery, level_percent=9, source=None, status=3, appendix=""),
                     cores=(SAMSUNG.cores[0], replace(SAMSUNG.cores[1], clock_mhz=300)),
                     answers={"cmd thermalservice help": "Thermal service commands\n"})
        assert "Thermal Status: 3\n" in on(phone, "dumpsys thermalservice").stdout
        assert "mValue=71.5" in on(phone, "dumpsys thermalservice").stdout
        assert "\n  level: 9\n" in on(phone, "dumpsys battery").stdout
        assert "mWakefulness=Asleep" in on(phone, "dumpsys power").stdout
        assert on(phone, "cat /sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq").stdout == "300000\n"
        assert on(phone, "cmd thermalservice help").stdout == "Thermal service commands\n"
        assert on(phone, "getprop ro.chipname; getprop ro.soc.model").stdout == "SM7125\n\n"
