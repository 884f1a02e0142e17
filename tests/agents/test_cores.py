"""Pinning to cores by kind and by number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.agents import cores
from bench.errors import DeviceError
from bench.messages.trial import TrialError
from tests.fakes.device import fake_trial, local_session

HERE = sorted(os.sched_getaffinity(0))


def cpus(folder: Path, online: str, capacities: list[int], max_khz: list[int]) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "online").write_text(online + "\n")
    for name, values in (("cpu_capacity", capacities), ("cpufreq/cpuinfo_max_freq", max_khz)):
        for number, value in enumerate(values):
            file = folder / f"cpu{number}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{value}\n")
    return str(folder)


def test_big_and_little_go_by_capacity(tmp_path: Path) -> None:
    folder = cpus(tmp_path, "0-7", [250] * 4 + [870] * 3 + [1024], [])
    assert cores.chosen("big", folder) == [7]
    assert cores.chosen("little", folder) == [0, 1, 2, 3]
    assert cores.chosen("all", folder) == list(range(8))


@pytest.mark.parametrize("capacities", [[], [1024] * 4, [512, 1024]])
def test_where_capacity_tells_nothing_the_highest_clock_does(tmp_path: Path, capacities: list[int]) -> None:
    folder = cpus(tmp_path, "0-3", capacities, [1800000, 1800000, 2400000, 2400000])
    assert cores.chosen("big", folder) == [2, 3]
    assert cores.chosen("little", folder) == [0, 1]


def test_only_cores_that_are_online_count(tmp_path: Path) -> None:
    folder = cpus(tmp_path, "0-2,4", [250, 250, 250, 1024, 870], [])
    assert cores.chosen("big", folder) == [4]
    assert cores.chosen([4, 0, 4], folder) == [0, 4]
    with pytest.raises(cores.NotPinned, match="no core 3 9 is online; those online: 0 1 2 4"):
        cores.chosen([9, 3, 0], folder)


@pytest.mark.parametrize(("capacities", "max_khz"), [([], []), ([1024] * 4, [2000000] * 4)])
@pytest.mark.parametrize("kind", ["big", "little"])
def test_kinds_that_the_device_does_not_tell_apart_are_not_guessed(
        tmp_path: Path, capacities: list[int], max_khz: list[int], kind: str) -> None:
    folder = cpus(tmp_path, "0-3", capacities, max_khz)
    with pytest.raises(cores.NotPinned, match=f"does not tell which cores are {kind}: name them by number.*0 1 2 3"):
        cores.chosen(kind, folder)


def test_a_kernel_that_does_not_tell_what_is_online_allows_what_it_allows(tmp_path: Path) -> None:
    assert cores.online(str(tmp_path)) == HERE
    (tmp_path / "online").write_text("0-\n")
    assert cores.online(str(tmp_path)) == HERE


def test_a_refusal_of_the_kernel_names_the_cores_it_allows(tmp_path: Path) -> None:
    folder = cpus(tmp_path, "0,900", [], [])
    with pytest.raises(cores.NotPinned, match=f"refuses to pin to the cores 900: .*; it allows {cores.listed(HERE)}"):
        cores.pin([900], folder)


def test_a_cpuset_narrower_than_asked_is_told(tmp_path: Path) -> None:
    folder = cpus(tmp_path, f"{HERE[0]},900", [], [])
    try:
        with pytest.raises(cores.NotPinned, match=f"wanted the cores {HERE[0]} 900, .* allows .* {HERE[0]} of them"):
            cores.pin([HERE[0], 900], folder)
    finally:
        os.sched_setaffinity(0, HERE)


def test_a_process_that_was_moved_while_it_ran_is_not_pinned() -> None:
    assert cores.still(None) == cores.still(HERE) == HERE
    with pytest.raises(cores.NotPinned, match="moved the trial from the cores 900 to"):
        cores.still([900])


def test_without_a_wish_nothing_is_pinned_and_the_cores_are_told(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        assert session.trial(fake_trial(tmp_path, {})).cores == tuple(HERE)
        assert session.trial(fake_trial(tmp_path, {}, trial="t2", cores=None)).cores == tuple(HERE)


def test_a_trial_runs_on_the_cores_that_were_named(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        for trial, wanted in (("t1", [HERE[-1]]), ("t2", [HERE[0]])):
            assert session.trial(fake_trial(tmp_path, {}, trial=trial, cores=wanted)).cores == tuple(wanted)
        assert session.trial(fake_trial(tmp_path, {}, trial="t3")).cores == tuple(HERE), "the next one is free again"


def test_cores_that_cannot_be_had_are_the_devices_fault_and_the_next_trial_goes_on(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        with pytest.raises(TrialError, match="no core 999 is online; those online: 0") as caught:
            session.trial(fake_trial(tmp_path, {}, cores=[999]))
        assert isinstance(caught.value.error, DeviceError)
        assert session.trial(fake_trial(tmp_path, {}, trial="t2")).samples_ns


def test_every_thread_of_a_runtime_inherits_the_cores(tmp_path: Path) -> None:
    """numpy's own threads, which start when it is imported, are the first that could miss it."""
    seen: list[set[int]] = []

    with local_session(tmp_path) as session:
        def look(phase: str) -> None:
            if phase == "samples":
                agent = session.hello.pid
                worker = Path(f"/proc/{agent}/task/{agent}/children").read_text().split()[0]
                seen.extend(os.sched_getaffinity(int(task.name)) for task in Path(f"/proc/{worker}/task").iterdir())

        session.trial(fake_trial(tmp_path, {"latency_ms": 50}, cores=[HERE[-1]]), look)
    assert seen and all(affinity == {HERE[-1]} for affinity in seen)
