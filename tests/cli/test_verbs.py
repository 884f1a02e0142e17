"""The smaller verbs: logs, gc, devices, convert, report."""

from __future__ import annotations

import json
from pathlib import Path

from bench.store.records import CellRecord
from bench.store.store import Store
from tests.fakes.fake_cells import fake_run
from tests.fakes.runs import NET, Place


def test_logs_show_what_converter_and_worker_printed(place: Place) -> None:
    place.suite(precisions="[fp32, int8-dynamic]")
    place.run()
    done = place.bench("logs", "int8-dynamic")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("== conversion\n")
    assert "== latency trial 1, attempt 1: ok" in done.stdout and "== latency trial 2, attempt 1: ok" in done.stdout


def test_logs_of_an_ambiguous_or_unknown_cell_name_the_choices(place: Place) -> None:
    place.suite(precisions="[fp32, int8-dynamic]")
    place.run()
    done = place.bench("logs", "net")
    assert done.returncode == 2
    assert "'net' names 2 cells of run" in done.stderr and "net/onnx/int8-dynamic/onnxruntime-cpu/t1" in done.stderr
    done = place.bench("logs", "net/onnx/fp23/onnxruntime-cpu/t1@this-machine")
    assert done.returncode == 2
    assert "no cell" in done.stderr and "did you mean 'net/onnx/fp32/onnxruntime-cpu/t1@this-machine'?" in done.stderr


def test_logs_show_control_characters_instead_of_obeying_them(place: Place) -> None:
    run = fake_run()
    cell = CellRecord(run.id, "m@here", 0, "here", "m", "onnx", "fp32", "onnxruntime", "cpu", 1, 1, "skipped",
                      "bad \x1b[2J name", "model", None, "\x1b]0;owned\x07 and\nnext\x00\u202e")
    with Store(place.store, create=True) as store:
        store.add_run(run, [cell])
    done = place.bench("logs", "m@here")
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout) & set("\x1b\x07\x00\u202e")
    assert "and\nnext" in done.stdout and "[2J name" in done.stdout


def test_gc_removes_what_was_converted_and_the_inputs_and_no_results(place: Place, tmp_path: Path) -> None:
    place.cache_root = tmp_path / "own"
    place.run()
    kept = place.bench("gc")
    assert kept.returncode == 0 and kept.stdout.startswith("0 entries removed")
    done = place.bench("gc", "--all")
    assert done.returncode == 0 and " entries removed" in done.stdout and not done.stdout.startswith("0 ")
    assert list((tmp_path / "own" / "entries").iterdir()) == list((tmp_path / "own" / "inputs").iterdir()) == []
    assert place.bench("report", "--format", "md").returncode == 0
    assert place.bench("run").returncode == 0, "and all is made again when it is needed"


def test_devices_shows_each_device_and_those_that_cannot_be_reached(place: Place) -> None:
    (place.folder / "known").write_text("")
    place.devices(f"this-machine: {{local: {{}}, workdir: {place.workdir}, labels: {{tier: desk}}}}",
                  f"nopython: {{local: {{}}, python: /nonexistent, workdir: {place.folder}/w2}}",
                  f"gone: {{ssh: {{host: 127.0.0.1, port: 1, user: x, known_hosts: {place.folder}/known}}}}")
    done = place.bench("devices", "--json")
    assert done.returncode == 3, done.stderr
    ready, unusable, gone = json.loads(done.stdout)
    assert (ready["name"], ready["state"], ready["error"], ready["labels"]) == (
        "this-machine", "ready", None, {"tier": "desk"})
    assert ready["runtimes"]["onnxruntime"].startswith("onnxruntime ")
    assert {"os", "kernel", "arch", "soc", "cpu_flags", "cores", "max_clocks_mhz", "memory_bytes", "disk_free_bytes",
            "temperature_c", "python"} <= set(ready["facts"])
    assert unusable["state"] == "unusable" and "/nonexistent" in unusable["error"]
    assert gone["state"] == "unreachable" and "127.0.0.1" in gone["error"]
    text = place.bench("devices", "-d", "this-machine")
    assert text.returncode == 0
    assert text.stdout.startswith("this-machine  [local]  ready") and "free disk" in text.stdout


def test_devices_that_nobody_wrote_down_are_one_error(place: Place) -> None:
    done = place.bench("devices", "-d", "this-machin")
    assert done.returncode == 2 and "did you mean 'this-machine'?" in done.stderr


def test_convert_shows_every_variant_and_copies_the_files(place: Place) -> None:
    place.suite(precisions="[fp32, int8-dynamic, int16x8]")
    done = place.bench("convert", "-o", "out")
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first.startswith("net  onnx        fp32") and "identical to fp32" in first
    assert "SQNR" in second and "refused: " in third
    assert sorted(path.name for path in (place.folder / "out").iterdir()) == ["net-fp32.onnx", "net-int8-dynamic.onnx"]


def test_convert_as_json_tells_what_was_made_and_why_not(place: Place) -> None:
    place.suite(precisions="[int8-dynamic, int16x8]")
    made, refused = json.loads(place.bench("convert", "--json").stdout)
    assert (made["status"], made["fault"], made["precision"]) == ("made", None, "int8-dynamic")
    assert Path(made["path"]).stat().st_size == made["bytes"] and 20 < made["sqnr_db"] < 80 and made["cosine"] > 0.9
    assert (refused["status"], refused["fault"]) == ("refused", "model") and "int16x8" in refused["reason"]


def test_convert_of_a_bad_model_is_exit_code_3_and_the_others_are_made(place: Place) -> None:
    (place.folder / "bad.onnx").write_bytes(place.net().read_bytes()[:2000])
    place.suite("bad: {source: {onnx: bad.onnx}}, " + NET)
    done = place.bench("convert", "--json")
    assert done.returncode == 3, done.stderr
    bad, good = json.loads(done.stdout)
    assert (bad["status"], bad["fault"], good["status"]) == ("refused", "model", "made")
    assert "truncated" in bad["reason"]


def test_convert_to_a_folder_that_cannot_be_made_is_one_error(place: Place) -> None:
    (place.folder / "out").write_text("a file")
    done = place.bench("convert", "-o", "out/deeper")
    assert done.returncode == 2 and "cannot write to out/deeper" in done.stderr
