"""Whatever a module returns its tensors in, every format gives them in the module's own order, and what is none is
left out and said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.convert.binding import load_bound
from bench.convert.module_results import is_plain, left_out, specs_of
from bench.errors import ModelError
from bench.models.spec import Source, TensorSpec
from tests.fakes.returns import SHAPES, Detected, Returning
from tests.fakes.runs import Place

ROOT = Path(__file__).parents[2]
INPUTS = (TensorSpec("x", (2, 8), "float32"),)
PLAIN = ("masked", "tuple", "named tuple", "list in a tuple")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrapped_module_gives_the_tensors_alone_in_their_order(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    monkeypatch.setattr("tests.fakes.returns.PLAN", [shape])
    x = torch.rand(2, 8)
    wanted = Returning("tuple")(x)
    result = Returning(shape)(x)
    assert [spec.shape for spec in specs_of(result)] == [(2, 3), (2, 4)] and is_plain(result) == (shape in PLAIN)
    module = load_bound(Source("torch", "tests.fakes.returns:planned", ROOT, "0"), INPUTS, plain=is_plain(result))
    if shape not in PLAIN:
        found = module(x)
        assert type(found) is tuple and all(map(torch.equal, found, wanted))


@pytest.mark.parametrize(("shape", "names"), [
    ("tuple", ["output_0", "output_1"]), ("dict", ["scores", "boxes"]), ("nested dict", ["z.scores", "a.0"]),
    ("dataclass", ["scores", "boxes"]), ("named tuple", ["scores", "boxes"]), ("dict of a class", ["scores", "boxes"])])
def test_outputs_are_named_as_their_author_named_them(shape: str, names: list[str]) -> None:
    assert [spec.name for spec in specs_of(Returning(shape)(torch.rand(2, 8)))] == names


def test_what_is_no_tensor_is_told_with_its_place() -> None:
    x = torch.rand(1)
    assert left_out((x, None, 4, {"at": 0.5})) == ("None at 1", "4 at 2", "0.5 at 3.at")
    assert left_out(Detected(x, x)) == ("cat at names.0", "dog at names.1") and left_out((x, [x])) == ()


@dataclass
class Odd:
    value: Any


@pytest.mark.parametrize(("result", "words"), [
    (None, "no tensor: it is None"), ((1, 2.0), "no tensor"), ({}, "no tensor"),
    (Odd(object()), "a value of the type object at value"), ((None, {1, 2}), "a value of the type set at 1"),
    (torch.rand(2, dtype=torch.complex64), "complex numbers")])
def test_what_no_format_can_give_is_refused_by_type_and_place(result: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        specs_of(result)


@pytest.mark.slow
def test_in_every_format_and_on_the_device_each_output_is_what_it_is_called(place: Place) -> None:
    """Sorted by their keys, as one exporter does, boxes would be scores; None has no place in any format; and a mask of
    infinities is the model's own."""
    (place.folder / "net.py").write_text("from tests.fakes.returns import Returning\n\n\n"
                                         "def made():\n    return Returning('dict of a class')\n\n\n"
                                         "def masked():\n    return Returning('masked')\n")
    inputs = "inputs: {x: {shape: [2, 8], range: [0, 1]}}"
    place.suite(", ".join(f'{name}: {{source: {{torch: "net:{name}"}}, {inputs}}}' for name in ("made", "masked")),
                runtimes="[onnxruntime, tflite, torch, executorch]",
                measure="{trials: 1, min_samples: 3, min_time: 0s, remeasure: 0%, warmup: {min_runs: 1, min_time: 0s}}")
    place.run()
    states = {(cell.model, cell.runtime): cell.outputs.state if cell.outputs else cell.reason
              for cell in place.result().cells}
    assert states == {(model, runtime): "ok" for model in ("made", "masked")
                      for runtime in ("onnxruntime", "tflite", "torch", "executorch")}
    assert any("None at loss" in event.text for event in place.events)
