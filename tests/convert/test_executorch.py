from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.convert import executorch
from bench.convert.recipe import Work
from bench.errors import ModelError
from tests.fakes.conversion import SQNR_DB, file_source, measure, recipe_for, work_for

# Looked for, not imported: that takes seconds, also where these tests are not asked for.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"),
              pytest.mark.skipif(find_spec("executorch") is None, reason="needs executorch")]

FUNCTIONS: dict[str, Callable[[Work], None]] = {
    "fp32": executorch.fp32, "fp16": executorch.fp16, "int8-dynamic": executorch.int8_dynamic, "int8": executorch.int8}


def converted(work: Work, precision: str, folder: Path) -> Work:
    done = replace(work, precision=precision, output=folder / f"{precision}.pte")
    FUNCTIONS[precision](done)
    return done


@pytest.mark.parametrize("precision", FUNCTIONS)
@pytest.mark.parametrize("factory", ["conv_net", "tagger"])
def test_every_precision_runs_and_is_close_to_eager(factory: str, precision: str, tmp_path: Path) -> None:
    work = converted(work_for(factory, tmp_path), precision, tmp_path)
    measured = measure(factory, work, work.output, "executorch")
    assert measured.precision == precision
    assert measured.sqnr_db > SQNR_DB[precision]


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_an_exported_program_is_converted_like_its_module(precision: str, tmp_path: Path) -> None:
    import torch

    from tests.fakes.target_nets import tagger

    example = (torch.zeros(1, 12, dtype=torch.int64), torch.zeros(1, 8))
    torch.export.save(torch.export.export(tagger(), example), str(tmp_path / "tagger.pt2"))
    assert recipe_for(executorch.RECIPES, "exported", precision).base is None
    source = file_source("exported", tmp_path / "tagger.pt2")
    work = converted(work_for("tagger", tmp_path, source), precision, tmp_path)
    measured = measure("tagger", work, work.output, "executorch")
    assert measured.precision == precision
    assert measured.sqnr_db > SQNR_DB[precision]


def test_every_recipe_names_a_function_of_this_module() -> None:
    for recipe in executorch.RECIPES:
        module, _, name = recipe.function.partition(":")
        assert module == "bench.convert.executorch"
        assert getattr(executorch, name) is FUNCTIONS[recipe.precision]


def test_dynamic_int8_of_a_model_without_linear_layers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not quantized: XNNPACKQuantizer found no linear layers"):
        converted(work_for("conv_only", tmp_path), "int8-dynamic", tmp_path)


def test_a_model_that_cannot_be_exported_is_told_in_torchs_words(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"data-dependent|Could not guard"):
        converted(work_for("branching", tmp_path), "fp32", tmp_path)
