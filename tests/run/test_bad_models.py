"""Whatever a model's file says or claims, the model is left out by name and the others are measured."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.models.open import open_model
from tests.fakes.mutations import before_its_beginning, is_zip, model_files, mutated
from tests.fakes.onnx_files import write_net
from tests.fakes.runs import NET, Place

SEEDS = range(25)
CUT = 0
PARSED = ("onnx", "tflite", "executorch", "exported")
"""Formats whose files are read without a process for each."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("sound")
    return list(model_files(folder, with_executorch=find_spec("executorch") is not None))


def test_a_damaged_file_is_opened_or_refused_and_never_met_with_another_error(
        files: list[tuple[str, Path]], tmp_path: Path) -> None:
    refused = 0
    for kind, path in files:
        if kind not in PARSED:
            continue
        for seed in SEEDS:
            damaged = tmp_path / path.name
            damaged.write_bytes(mutated(path.read_bytes(), seed))
            try:
                open_model(damaged)
            except BenchError:
                refused += 1
    assert refused > 40


def claiming(path: Path) -> Path:
    """An ONNX file whose input claims 2^55 bytes."""
    import onnx

    write_net(path)
    model = onnx.load(path)
    for place, size in enumerate((8589934592, 1048576)):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_value = size
    onnx.save(model, path)
    return path


def test_bad_files_are_left_out_by_name_and_the_good_model_is_measured(
        files: list[tuple[str, Path]], place: Place) -> None:
    entries = [NET, "claims: {source: {onnx: claims.onnx}}"]
    claiming(place.folder / "claims.onnx")
    for number, (kind, path) in enumerate((kind, path) for kind, path in files if kind != "executorch"):
        data = path.read_bytes()
        damaged = before_its_beginning(data) if is_zip(path) else mutated(data, CUT)
        (place.folder / f"bad{number}{path.suffix}").write_bytes(damaged)
        entries.append(f"bad{number}: {{source: {{{kind}: bad{number}{path.suffix}}}}}")
    place.suite(", ".join(entries))
    done = place.bench("run")
    assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr
    cells = {cell.model: cell for cell in place.result().cells}
    assert cells["net"].status == "ok"
    assert cells["claims"].reason is not None and "bytes a sample" in cells["claims"].reason
    left_out = {name: cell for name, cell in cells.items() if name != "net"}
    assert len(left_out) == len(entries) - 1
    assert all(cell.status == "skipped" and cell.reason for cell in left_out.values())


def test_a_model_that_is_alone_and_not_what_the_suite_takes_it_for_is_the_users_error(place: Place) -> None:
    write_net(place.folder / "net.tflite")
    place.suite("net: {source: {tflite: net.tflite}}")
    assert place.bench("run", "--dry-run").returncode == 2


@pytest.mark.parametrize("limits", ["[-1.0e308, 1.0e308]", "[0, 1.0e300]"])
def test_a_range_that_its_type_does_not_hold_is_the_users_error(place: Place, limits: str) -> None:
    place.suite(f"net: {{source: {{onnx: net.onnx}}, inputs: {{image: {{range: {limits}}}}}}}")
    done = place.bench("run", "--dry-run")
    assert done.returncode == 2 and "range: wanted numbers from" in done.stderr
    assert "model 'net'" in done.stderr


def test_a_shape_of_the_suite_that_no_memory_holds_is_the_users_error(place: Place) -> None:
    (place.folder / "nets.py").write_text("import torch\n\ndef net():\n    return torch.nn.ReLU()\n")
    place.suite("net: {source: {torch: 'nets:net'}, inputs: {x: {shape: [8589934592, 1048576]}}}")
    done = place.bench("run", "--dry-run")
    assert done.returncode == 2 and "bytes a sample" in done.stderr
