from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.convert import tflite
from bench.convert.recipe import Work
from bench.errors import ModelError
from tests.fakes.conversion import REPOSITORY, SQNR_DB, file_source, measure, recipe_for, work_for

# Looked for, not imported: that takes seconds, also where these tests are not asked for.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"),
              pytest.mark.skipif(find_spec("litert_torch") is None, reason="needs litert-torch")]

FACTORIES = ("conv_net", "tagger")


@pytest.fixture(scope="module")
def floats(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Work]:
    """The fp32 file of every network, exported once."""
    folder = tmp_path_factory.mktemp("fp32")
    works = {name: replace(work_for(name, folder), output=folder / f"{name}.tflite") for name in (*FACTORIES, "plain")}
    for work in works.values():
        tflite.export(work)
    return works


def quantized(base: Work, precision: str, folder: Path) -> Work:
    work = replace(base, precision=precision, base=base.output, output=folder / f"{precision}.tflite")
    tflite.quantize(work)
    return work


@pytest.mark.parametrize("factory", FACTORIES)
def test_the_float_file_is_close_to_eager(factory: str, floats: Mapping[str, Work]) -> None:
    measured = measure(factory, floats[factory], floats[factory].output, "tflite")
    assert measured.precision == "fp32"
    assert measured.sqnr_db > SQNR_DB["fp32"]


@pytest.mark.parametrize("precision", tflite.MARKS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_every_precision_runs_and_is_close_to_eager(factory: str, precision: str, floats: Mapping[str, Work],
                                                    tmp_path: Path) -> None:
    work = quantized(floats[factory], precision, tmp_path)
    measured = measure(factory, work, work.output, "tflite")
    assert measured.precision == precision
    assert measured.sqnr_db > SQNR_DB[precision]
    assert work.output.stat().st_size < floats[factory].output.stat().st_size


def test_the_layout_stays_the_models_own(floats: Mapping[str, Work]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    (detail,) = Interpreter(str(floats["conv_net"].output)).get_input_details()
    assert tuple(detail["shape"]) == (1, 3, 16, 16)


def test_an_exported_program_gives_the_same_outputs(tmp_path: Path) -> None:
    import torch

    from tests.fakes.target_nets import tagger

    example = (torch.zeros(1, 12, dtype=torch.int64), torch.zeros(1, 8))
    torch.export.save(torch.export.export(tagger(), example), str(tmp_path / "tagger.pt2"))
    work = replace(work_for("tagger", tmp_path, file_source("exported", tmp_path / "tagger.pt2")),
                   output=tmp_path / "out.tflite")
    assert recipe_for(tflite.RECIPES, "exported", "fp32").function.endswith(":export")
    tflite.export(work)
    assert measure("tagger", work, work.output, "tflite").sqnr_db > SQNR_DB["fp32"]


def test_a_tflite_source_is_copied_as_its_own_fp32_file(floats: Mapping[str, Work], tmp_path: Path) -> None:
    source = file_source("tflite", floats["tagger"].output)
    work = replace(floats["tagger"], source=source, output=tmp_path / "copy.tflite")
    assert recipe_for(tflite.RECIPES, "tflite", "fp32").function.endswith(":copy")
    tflite.copy(work)
    assert work.output.read_bytes() == floats["tagger"].output.read_bytes()


def test_a_quantized_tflite_source_is_not_taken_for_an_fp32_file(floats: Mapping[str, Work], tmp_path: Path) -> None:
    done = quantized(floats["conv_net"], "int8-dynamic", tmp_path)
    work = replace(done, source=file_source("tflite", done.output), output=tmp_path / "copy.tflite")
    with pytest.raises(ModelError, match="the source file holds int8-dynamic: no fp32 file"):
        tflite.copy(replace(work, precision="fp32"))
    tflite.copy(work)
    assert work.output.read_bytes() == done.output.read_bytes()


def test_signatures_name_the_graphs_own_outputs_after_quantizing(floats: Mapping[str, Work], tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(quantized(floats["tagger"], "int8", tmp_path).output))
    told = interpreter.get_signature_runner("serving_default").get_output_details()
    assert {detail["index"] for detail in told.values()} == {
        detail["index"] for detail in interpreter.get_output_details()}


def test_every_recipe_names_a_function_of_this_module() -> None:
    assert {recipe.precision for recipe in tflite.RECIPES} == {"fp32", *tflite.MARKS}
    for recipe in tflite.RECIPES:
        module, _, name = recipe.function.partition(":")
        assert module == "bench.convert.tflite"
        assert callable(getattr(tflite, name))
        assert (recipe.base is None) == (recipe.precision == "fp32")


@pytest.mark.parametrize("precision", ["fp16", "int8-dynamic", "int8-weight", "int4-weight"])
def test_a_model_with_nothing_to_quantize_is_refused(precision: str, floats: Mapping[str, Work],
                                                     tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not quantized: litert-quantizer found nothing"):
        quantized(floats["plain"], precision, tmp_path)


def test_quantizing_does_not_import_torch(floats: Mapping[str, Work], tmp_path: Path) -> None:
    base = floats["conv_net"]
    script = f"""
import sys
from importlib.util import find_spec
from pathlib import Path
from bench.convert import tflite
from bench.convert.recipe import Work
from bench.models.spec import Source, TensorSpec
source = Source("tflite", {base.output.name!r}, Path({str(base.output.parent)!r}), "")
tflite.quantize(Work(source, (TensorSpec("image", (1, 3, 16, 16), "float32"),), "int8", Path({str(base.output)!r}),
                     Path({str(base.calibration)!r}), Path({str(tmp_path / "out.tflite")!r})))
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.tflite").stat().st_size > 0


def two_signatures(path: Path) -> None:
    import litert_torch
    import torch

    from tests.fakes.target_nets import plain

    image = (torch.rand(1, 3, 4, 4),)
    litert_torch.signature("one", plain(), image).signature("two", plain(), image).convert().export(str(path))


def test_calibration_of_a_file_with_several_signatures_names_them(tmp_path: Path) -> None:
    two_signatures(tmp_path / "two.tflite")
    work = replace(work_for("plain", tmp_path), base=tmp_path / "two.tflite", precision="int8")
    with pytest.raises(ModelError, match="needs one signature or one named 'serving_default', the file has: one, two"):
        tflite.quantize(work)


def test_calibration_of_a_file_with_other_inputs_is_refused(floats: Mapping[str, Work], tmp_path: Path) -> None:
    work = replace(floats["conv_net"], base=floats["tagger"].output, precision="int8", output=tmp_path / "out.tflite")
    with pytest.raises(ModelError, match="takes 2 inputs, the model 1"):
        tflite.quantize(work)
