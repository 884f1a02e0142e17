from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.convert import torchscript
from bench.convert.recipe import Work
from bench.errors import ModelError
from bench.models.torchscript import read
from tests.fakes.conversion import SQNR_DB, file_source, measure, recipe_for, work_for

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

FUNCTIONS: dict[str, Callable[[Work], None]] = {
    "fp32": torchscript.fp32, "fp16": torchscript.fp16, "int8-dynamic": torchscript.int8_dynamic,
    "int8": torchscript.int8}


def converted(factory: str, precision: str, folder: Path) -> Work:
    work = replace(work_for(factory, folder), precision=precision, output=folder / f"{precision}.ptl")
    FUNCTIONS[precision](work)
    return work


@pytest.mark.parametrize("precision", FUNCTIONS)
@pytest.mark.parametrize("factory", ["conv_net", "tagger"])
def test_every_precision_runs_in_the_lite_interpreter_and_is_close_to_eager(factory: str, precision: str,
                                                                            tmp_path: Path) -> None:
    work = converted(factory, precision, tmp_path)
    measured = measure(factory, work, work.output, "torchscript")
    assert measured.precision == precision
    assert measured.sqnr_db > SQNR_DB[precision]


def test_every_recipe_names_a_function_of_this_module() -> None:
    for recipe in torchscript.RECIPES:
        module, _, name = recipe.function.partition(":")
        assert module == "bench.convert.torchscript"
        assert getattr(torchscript, name) is FUNCTIONS[recipe.precision]


def test_the_file_does_not_keep_its_own_name_so_the_same_model_is_the_same_bytes(tmp_path: Path) -> None:
    work = converted("conv_net", "fp32", tmp_path)
    with zipfile.ZipFile(work.output) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {"archive"}


def test_a_half_file_says_that_it_takes_float16(tmp_path: Path) -> None:
    info = read(converted("tagger", "fp16", tmp_path).output)
    assert [(spec.name, spec.shape, spec.dtype) for spec in info.inputs] == [
        ("tokens", (1, 12), "int64"), ("extra", (1, 8), "float16")]
    assert [(spec.shape, spec.dtype) for spec in info.outputs] == [((1, 4), "float16"), ((1,), "float16")]


def test_dynamic_int8_of_a_model_without_linear_layers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not quantized: no Linear/LSTM/GRU layers"):
        converted("conv_only", "int8-dynamic", tmp_path)


def test_static_int8_of_a_model_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not quantized"):
        converted("plain", "int8", tmp_path)


def test_a_model_that_scripting_refuses_is_traced(tmp_path: Path) -> None:
    work = converted("branching", "fp32", tmp_path)
    assert measure("branching", work, work.output, "torchscript").sqnr_db > SQNR_DB["fp32"]


def test_static_int8_of_a_model_that_fx_cannot_trace_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"torch\.fx cannot trace the model: symbolically traced variables"):
        converted("branching", "int8", tmp_path)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_torchscript_file_becomes_a_lite_file(frozen: bool, tmp_path: Path) -> None:
    from tests.fakes.target_nets import tagger

    script = torch.jit.script(tagger())
    torch.jit.save(torch.jit.freeze(script) if frozen else script, str(tmp_path / "source.pt"))
    work = replace(work_for("tagger", tmp_path, file_source("torchscript", tmp_path / "source.pt")),
                   output=tmp_path / "out.ptl")
    recipe = recipe_for(torchscript.RECIPES, "torchscript", "fp32")
    assert recipe.base is None
    torchscript.fp32(work)
    assert measure("tagger", work, work.output, "torchscript").sqnr_db > SQNR_DB["fp32"]
    assert read(work.output).version.startswith("bytecode")
