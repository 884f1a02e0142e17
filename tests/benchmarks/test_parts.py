"""The parts for real, as far as they are quick: the bare loops, the counting of files, the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from bench.datasets.npz import write_npz
from bench.plan import Cell
from bench.run.files import InputFile
from benchmarks.__main__ import PARTS, text_of
from benchmarks.fidelity import BARE, FULL, Pairs, Side, pooled
from benchmarks.figures import Part
from benchmarks.repeat import written
from benchmarks.subjects import Subject

ROOT = Path(__file__).parent.parent.parent


def test_a_bare_loop_gives_the_median_of_at_least_so_many_inferences(tmp_path: Path) -> None:
    model, inputs = tmp_path / "model.onnx", tmp_path / "inputs.npz"
    onnx.save(onnx.parser.parse_model('<ir_version: 8, opset_import: ["": 17]> g (float[1, 4] x) => (float[1, 4] y)'
                                      "{ y = Relu(x) }"), str(model))
    write_npz(inputs, {"0": np.zeros((2, 1, 4), np.float32)})
    task = {"runtime": "onnxruntime", "artifact": str(model), "inputs": str(inputs), "warm_up_ns": 0, "min_ns": 0,
            "min_samples": 7}
    done = subprocess.run([sys.executable, str(BARE), json.dumps(task)], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["count"] == 7
    assert 0 < answer["p50_ns"] < 1e9


def test_the_bare_loop_imports_nothing_of_bench() -> None:
    assert not any(line.strip().startswith(("import bench", "from bench")) for line in BARE.read_text().splitlines())


def pairs_of(*medians: tuple[float, float], runtime: str = "tflite") -> Pairs:
    """Undisturbed pairs (bench, bare) of a file, in ns."""
    file = InputFile(Path("file"), "0")
    pairs = Pairs(Subject(Cell("here", "mlp", "tflite", "fp32", runtime, "xnnpack", 1, 1), file, file))
    for bench, bare in medians:
        pairs.add(Side(bench, 1.0), Side(bare, 1.0))
    return pairs


def test_a_fast_file_is_compared_by_difference_and_a_slow_one_by_ratio() -> None:
    fast, slow = pairs_of((6000, 5000)).figure(), pairs_of((2.2e6, 2e6)).figure()
    assert (fast.spread.median, fast.unit, fast.verdict) == (1.0, " us", "within aim")
    assert (round(slow.spread.median, 9), slow.unit, slow.verdict) == (1.1, "", "outside")


def test_a_pair_that_had_to_share_its_core_is_counted_and_left_out() -> None:
    pairs = pairs_of()
    pairs.add(Side(5000, 0.5), Side(5000, 1.0))
    assert (pairs.disturbed, pairs.bare_ns) == (1, [])
    assert pairs.wants_more(FULL)


def test_pairs_are_taken_until_they_tell() -> None:
    assert pairs_of(*[(5000, 5000)] * 5).wants_more(FULL)
    assert not pairs_of(*[(5000, 5000)] * 6).wants_more(FULL)
    assert pairs_of(*[(5000, 5000)] * 5, (9000, 5000)).wants_more(FULL)


def test_files_that_run_in_several_modes_are_named() -> None:
    assert pairs_of(*[(5000, 5000)] * 6).modes() is None
    assert "bench 0.005 .. 0.009 ms" in str(pairs_of(*[(5000, 5000)] * 5, (9000, 5000)).modes())


def test_pooled_figures_keep_runtimes_and_fast_and_slow_files_apart() -> None:
    table = [pairs_of((5000, 5000)), pairs_of((7000, 6000)), pairs_of((2e6, 2e6)),
             pairs_of((8000, 5000), runtime="torch")]
    assert [(figure.name, figure.spread.median) for figure in pooled(table)] == [
        ("tflite, all files below 1 ms", 0.5), ("tflite, all files from 1 ms on", 1.0),
        ("torch, all files below 1 ms", 3.0)]


def test_a_file_that_is_pushed_again_counts_and_one_that_is_only_used_does_not(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "agent.pyz").write_bytes(b"agent")
    (tmp_path / "files" / "model.onnx").write_bytes(b"model!")
    before = written(tmp_path)
    os.utime(tmp_path / "agent.pyz", (1, 1))
    (tmp_path / "files" / "part").write_bytes(b"other!")
    (tmp_path / "files" / "part").replace(tmp_path / "files" / "model.onnx")
    assert [size for file, size in written(tmp_path).items() if file not in before] == [6]


def test_a_part_that_could_not_be_measured_says_why() -> None:
    assert text_of(Part("upload", "Upload", missing="needs scp")).splitlines() == ["== Upload",
                                                                                   "  not measured: needs scp"]


def test_an_unknown_part_is_refused_with_the_names_of_those_there_are() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks", "uplod"], capture_output=True, text=True, cwd=ROOT,
                          check=False)
    assert done.returncode == 2
    assert all(name in done.stderr for name in PARTS)


@pytest.mark.slow
def test_a_second_run_converts_and_pushes_nothing(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    subprocess.run([sys.executable, "-m", "benchmarks", "repeat", "--quick", "--json", str(found)], cwd=ROOT,
                   check=True, capture_output=True)
    (part,) = json.loads(found.read_text())["parts"]
    assert {figure["name"]: figure["median"] for figure in part["figures"]} == {
        "conversions": 0, "fp32 references computed": 0, "pushed": 0}
