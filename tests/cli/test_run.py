"""`bench run` as a user types it: exit codes, results on standard output, one clear error for what is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.config.schema import json_schema
from bench.store.store import Store
from tests.fakes.files import save_tflite
from tests.fakes.runs import NET, Place, labelled
from tests.fakes.schema import violations

CELL_KEYS = ["device", "emulated", "model", "format", "precision", "runtime", "delegate", "threads", "batch", "status",
             "reason", "fault", "artifact", "latency_ms", "throughput_per_s", "load_ms", "first_inference_ms", "trials",
             "samples", "memory_mib", "accuracy", "outputs", "cores", "throttled", "disturbed", "warnings",
             "badge", "checks"]
PARTS = {
    "artifact": ["sha256", "bytes"],
    "latency_ms": ["p50", "p50_low", "p50_high", "p90", "p99", "min", "mean", "within_cv", "between_cv"],
    "memory_mib": ["peak_rss", "model", "pss"],
    "accuracy": ["metric", "value", "count", "drop", "suspect"],
    "outputs": ["ok", "state", "max_abs", "cosine", "sqnr_db", "agreement", "reason", "part", "part_sqnr_db",
                "short"],
}


def test_json_has_exactly_the_promised_shape(place: Place) -> None:
    place.suite(f"net: {{source: {{onnx: net.onnx}}, dataset: {labelled(place.folder)}}}", precisions="[fp32, int16x8]")
    found = place.json()
    assert violations(found, json_schema("results")) == []
    assert list(found) == ["schema", "run", "cells", "devices", "comparison"] and found["schema"] == 1
    measured, skipped = found["cells"]
    assert list(measured) == list(skipped) == CELL_KEYS
    assert {key: list(measured[key]) for key in PARTS} == PARTS
    assert measured["status"] == "ok" and measured["latency_ms"]["p99"] is None and measured["outputs"]["ok"]
    assert skipped["status"] == "skipped" and "int16x8" in skipped["reason"] and skipped["accuracy"] is None
    assert set(skipped["latency_ms"].values()) == {None}


def test_a_run_prints_its_table_and_writes_its_page(place: Place) -> None:
    done = place.bench("run")
    assert done.returncode == 0, done.stderr
    assert "fp32" in done.stdout and "net" in done.stdout
    page = place.folder / done.stdout.splitlines()[-1].removeprefix("report: ")
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "[2/2] net/onnx/fp32/onnxruntime-cpu/t1@this-machine" in done.stderr
    assert "Traceback" not in done.stderr


def test_on_a_terminal_a_live_table_is_shown_and_taken_away(place: Place) -> None:
    screen, terminal = pty.openpty()
    process = subprocess.Popen(place.argv("run"), cwd=place.folder, env={**place.environment(), "TERM": "xterm"},
                               stdout=subprocess.PIPE, stderr=terminal, text=True)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # a terminal ends with an error when its last writer is gone
        while data := os.read(screen, 65536):
            shown += data
    os.close(screen)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, shown.decode()
    assert "net/onnx/fp32/onnxruntime-cpu/t1" in shown.decode() and "report: " in out
    assert "Traceback" not in shown.decode()


def test_a_dry_run_prints_the_plan_with_its_reasons_and_measures_nothing(place: Place) -> None:
    save_tflite(place.folder / "t.tflite")
    place.suite(NET + ", t: {source: {tflite: t.tflite}, inputs: {x: {shape: [1, 4]}}}", precisions="[fp32, int8]",
                runtimes="[onnxruntime, tflite]", threads="[1, 4]",
                exclude='[{model: net, precision: int8, device: this-machine, because: "slow there"}]')
    place.devices("this-machine: {local: {}}", "board: {ssh: {host: b.lab}, runtimes: [tflite]}")
    done = place.bench("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (Path(__file__).parents[1] / "golden" / "plan.txt").read_text()
    assert not place.store.exists()
    rows = json.loads(place.bench("run", "--dry-run", "--json").stdout)
    assert len(rows) == 32 and sum(row["reason"] is None for row in rows) == 10


def _write(place: Place, name: str, content: bytes) -> None:
    (place.folder / name).write_bytes(content)


def _wrong_suffix(place: Place) -> None:
    save_tflite(place.folder / "net.onnx")


def _misfit(place: Place) -> None:
    np.save(place.folder / "x.npy", np.zeros((5, 3, 10, 10), np.float32))
    np.save(place.folder / "y.npy", np.zeros(5, np.int64))
    place.suite("net: {source: {onnx: net.onnx}, dataset: {inputs: x.npy, labels: y.npy}}")


CONFIG: dict[str, tuple[Callable[[Place], object], list[str], str]] = {
    "missing suite": (lambda place: (place.folder / "suite.yaml").unlink(), [], "suite.yaml"),
    "missing model": (lambda place: (place.folder / "net.onnx").unlink(), [], "net.onnx"),
    "wrong suffix": (_wrong_suffix, [], "wanted ONNX, found TFLite"),
    "unknown precision": (lambda place: place.suite(precisions="[fp23]"), [], "fp32"),
    "unknown runtime": (lambda place: place.suite(runtimes="[onnxruntim]"), [], "onnxruntime"),
    "unknown device": (lambda place: None, ["-d", "this-machin"], "this-machine"),
    "data that does not fit": (_misfit, [], "net"),
    "an open dimension": (lambda place: place.net(dynamic=True), [], "shape"),
    "an unknown input": (lambda place: place.suite("net: {source: {onnx: net.onnx}, inputs: {imag: {value: 1}}}"), [],
                         "image"),
    "no such factory": (lambda place: place.suite("net: {source: {torch: 'nowhere:make'}, "
                                                  "inputs: {x: {shape: [1], dtype: float32}}}"), [], "nowhere"),
    "nothing to resume": (lambda place: place.bench("run"), ["--resume"], "no run that can be resumed"),
    "no store to resume": (lambda place: None, ["--resume"], "no store"),
    "a store that is a folder": (lambda place: place.store.mkdir(parents=True), [], "bench.sqlite"),
    "a store in a file": (lambda place: (place.folder / "reports").write_text(""), [], "reports"),
    "a store that is none": (lambda place: place.devices().rename(place.folder / "bench.sqlite"),
                             ["--store", "bench.sqlite", "--devices", "bench.sqlite"], "cannot be used as a store"),
}


@pytest.mark.parametrize("kind", CONFIG)
def test_what_the_user_wrote_wrongly_is_one_error_and_exit_code_2(place: Place, kind: str) -> None:
    spoil, arguments, words = CONFIG[kind]
    spoil(place)
    done = place.bench("run", *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert "error: " in done.stderr and done.stdout == ""


MODELS: dict[str, tuple[Callable[[Place], object], str]] = {
    "truncated": (lambda place: _write(place, "bad.onnx", place.net().read_bytes()[:2000]), "truncated"),
    "empty": (lambda place: _write(place, "bad.onnx", b""), "is empty"),
    "pickled": (lambda place: _write(place, "bad.onnx", pickle.dumps({"weight": [1.0]})), "pickle"),
    "noise": (lambda place: _write(place, "bad.onnx", b"no model at all"), "is none that is known here"),
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_bad_model_is_skipped_with_its_reason_and_the_others_are_measured(place: Place, kind: str) -> None:
    spoil, words = MODELS[kind]
    spoil(place)
    place.suite("bad: {source: {onnx: bad.onnx}}, " + NET, precisions="[fp32, int8]", runtimes="[onnxruntime, tflite]")
    done = place.bench("run", "--json")
    assert done.returncode == 3, done.stderr
    cells = json.loads(done.stdout)["cells"]
    bad = [cell for cell in cells if cell["model"] == "bad"]
    assert len(bad) == 4
    assert {(cell["status"], cell["fault"]) for cell in bad} == {("skipped", "model")}
    assert all(words in cell["reason"] for cell in bad)
    assert {cell["status"] for cell in cells if cell["model"] == "net" and cell["runtime"] == "onnxruntime"} == {"ok"}
    assert "Traceback" not in done.stderr and "refused bad: " in done.stderr and words in done.stderr


@pytest.mark.slow
def test_a_factory_that_raises_is_skipped_with_its_words_and_the_others_are_measured(place: Place) -> None:
    (place.folder / "mine.py").write_text("def make():\n    raise ValueError('the weights are elsewhere')\n")
    place.suite("bad: {source: {torch: 'mine:make'}, inputs: {x: {shape: [1, 4], dtype: float32}}}, " + NET)
    done = place.bench("run", "--json")
    assert done.returncode == 3, done.stderr
    bad, good = json.loads(done.stdout)["cells"]
    assert (bad["status"], bad["fault"], good["status"]) == ("skipped", "model", "ok")
    assert "factory mine:make raised ValueError: the weights are elsewhere" in bad["reason"]


def test_a_device_that_cannot_be_reached_is_exit_code_3_with_the_way_to_mend_it(place: Place) -> None:
    (place.folder / "known").write_text("")
    place.devices(f"this-machine: {{local: {{}}, workdir: {place.workdir}}}",
                  f"gone: {{ssh: {{host: 127.0.0.1, port: 1, user: x, known_hosts: {place.folder}/known}}}}")
    done = place.bench("run", "--json")
    assert done.returncode == 3
    good, gone = json.loads(done.stdout)["cells"]
    assert (good["status"], gone["status"], gone["fault"]) == ("ok", "failed", "infrastructure")
    assert "gone" in gone["reason"] and "Traceback" not in done.stderr


@pytest.fixture
def small_disk(place: Place) -> Iterator[Path]:
    """A disk of 320 KiB."""
    disk = place.folder / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.call(["mount", "-t", "tmpfs", "-o", "size=320k", "none", str(disk)]) != 0:
        pytest.skip("this machine allows no mounts")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_store_on_a_full_disk_ends_the_run_and_stays_whole(place: Place, small_disk: Path) -> None:
    measure = ("{trials: 12, min_samples: 20000, min_time: 0s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}}")
    place.suite(measure=measure)
    done = place.bench("run", "--store", str(small_disk / "bench.sqlite"))
    assert done.returncode == 3, done.stdout
    assert "could not be written" in done.stderr and "full" in done.stderr and "Traceback" not in done.stderr
    with Store(small_disk / "bench.sqlite") as store:
        stored = store.load(store.find_run(None))
    assert stored.run.state == "interrupted" and 0 < len(stored.trials) < 12
    assert [trial.number for trial in stored.trials] == list(range(1, len(stored.trials) + 1))
    assert all(trial.state == "ok" for trial in stored.trials)


def test_a_cache_on_a_full_disk_is_named(place: Place, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * (300 << 10))
    place.cache_root = small_disk / "cache"
    done = place.bench("run")
    assert done.returncode == 3
    assert "no space left" in done.stderr and str(small_disk) in done.stderr and "Traceback" not in done.stderr


def test_resume_refuses_another_suite_than_the_runs_own(place: Place) -> None:
    stored: Any = place.run()
    with Store(place.store) as store:
        store.set_state(stored.run.id, "interrupted", None)
    other = place.folder / "other.yaml"
    other.write_text((place.folder / "suite.yaml").read_text())
    command = place.argv("run", "--resume")
    command[command.index("suite.yaml")] = "other.yaml"
    done = subprocess.run(command, cwd=place.folder, env=place.environment(), text=True, capture_output=True,
                          check=False)
    assert done.returncode == 2
    assert f"the newest unfinished run is {stored.run.id}" in done.stderr and "suite.yaml" in done.stderr
