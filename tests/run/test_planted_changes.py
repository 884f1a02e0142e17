"""Changes that are planted into a real model, its runtime and its device, and found by what a nightly runs."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stored import seal
from tests.fakes.onnx_files import write_deep_net
from tests.fakes.runs import Place

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MODELS = {"a": 6, "b": 8, "c": 10}
"""Names and layers: an inference takes longer than the scheduler lets a process run beside others."""
MEASURE = "{trials: 5, min_samples: 8, min_time: 0s, remeasure: 0%, warmup: {min_runs: 2, min_time: 0s, max_time: 1s}}"
EXPECT = "{on_inconclusive: fail, despite: [contention], latency_p50: {against: last-green, at_most: +20%}}"
"""What else runs on the machine of these tests must not hide what is planted."""



def plant(place: Place, layers: dict[str, int], *, options: str = "{}", threads: int = 1, cores: str = "[0]",
          expect: str = EXPECT) -> None:
    """The suite over these models, all with transpositions that only an optimizer takes out."""
    for name, count in layers.items():
        write_deep_net(place.folder / f"{name}.onnx", layers=count, flips=24)
    models = ", ".join(f"{name}: {{source: {{onnx: {name}.onnx}}}}" for name in layers)
    place.suite(models, id="planted", measure=MEASURE, expect=expect, threads=f"[{threads}]",
                runtime_options=f"{{onnxruntime: {{options: {options}}}}}")
    place.devices(f"this-machine: {{local: {{}}, workdir: {place.workdir}, cores: {cores}}}")


@pytest.fixture(scope="module")
def first_night(cache_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("nights"), cache_root)
    plant(place, MODELS)
    done = place.bench("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing to compare with" in done.stdout
    return place


@pytest.fixture
def night(first_night: Place, tmp_path: Path) -> Place:
    """The second night's place: a copy of the first's, with its store; one suite, as its id says."""
    shutil.copytree(first_night.folder, tmp_path / "night")
    return Place(tmp_path / "night", first_night.cache_root)


def compared(place: Place, *despite: str) -> dict[str, Any]:
    done = place.bench("compare", "previous", "last", "--format", "json", "--store", str(place.store), "--despite",
                       ",".join(("contention", *despite)))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def calls(found: dict[str, Any]) -> dict[str, str]:
    return {pair["after"]["model"]: pair["latency"]["call"] for pair in found["pairs"]}


@contextmanager
def busy_core(core: int, processes: int) -> Iterator[None]:
    """Other processes that want the same core all the time, each of a session of its own: sessions share alike."""
    line = f"import os; os.sched_setaffinity(0, [{core}])\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", line], start_new_session=True) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def forget_neighbours(place: Place) -> None:
    """What else ran during the first night is not known: were it known and much, that night would be no baseline."""
    with sqlite3.connect(place.store) as store:
        store.execute("UPDATE trials SET cpu_ns = NULL")
        store.execute("DELETE FROM digests")
    seal(place.store)


def test_extra_layers_are_found_and_the_cell_is_named(night: Place) -> None:
    plant(night, MODELS | {"b": 48})
    done = night.bench("run")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "broken latency_p50 of b fp32 onnxruntime/cpu" in " ".join(done.stdout.split())
    found = compared(night)
    assert calls(found)["b"] == "worse" and "better" not in calls(found).values()
    assert not found["shifts"]


def test_an_option_that_is_switched_off_is_found_on_its_night_by_measuring_both(night: Place) -> None:
    plant(night, {"a": 6}, options="{graph_optimization_level: disable}")
    done = night.bench("run")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "options" in done.stdout and "graph_optimization_level" in done.stdout
    found = compared(night)
    assert calls(found) == {"a": "worse"}
    [pair] = found["pairs"]
    assert pair["retried"] and {item["name"] for item in pair["unlike"]} - {"contention"} == {"options"}


def test_other_threads_and_cores_are_refused_by_name(night: Place) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("needs two cores")
    plant(night, {"a": 6}, threads=2, cores=f"[{cores[0]}, {cores[1]}]")
    night.bench("run")
    refused = night.bench("compare", "previous", "last", "--store", str(night.store))
    assert refused.returncode == 2
    assert "threads" in refused.stderr + refused.stdout and "cores" in refused.stderr + refused.stdout
    assert compared(night, "threads", "cores")["pairs"]


def test_a_slower_device_is_called_so_and_not_three_regressions(night: Place) -> None:
    with busy_core(0, processes=4):
        done = night.bench("run")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "device-wide" in done.stdout
    found = compared(night)
    shift, = found["shifts"]
    assert (shift["device"], shift["call"], shift["moved"], shift["cells"]) == ("this-machine", "worse", 3, 3)


def test_a_busy_neighbour_is_no_slower_device_but_a_reason_to_measure_again(night: Place) -> None:
    plant(night, MODELS, expect="{latency_p50: {against: last-green, at_most: +20%}}")
    forget_neighbours(night)
    with busy_core(0, processes=4):
        done = night.bench("run")
    said = " ".join(done.stdout.split())
    assert done.returncode == 3 and "broken" not in said and "device-wide" not in said, done.stdout + done.stderr
    assert said.count("measure again") >= 3 and "disturbed onnxruntime/cpu fp32: other processes used" in said
    assert "its numbers will be disturbed" in done.stderr and "throttled" not in said
    refused = night.bench("compare", "previous", "last", "--store", str(night.store))
    assert refused.returncode == 2 and "disturbed by other processes: measure again" in refused.stderr + refused.stdout
