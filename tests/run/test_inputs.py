"""What a suite gives a model to compute on, from the plan to the checks: made-up values, tables, outputs, labels of
precision. Real converters, the real agent, this machine."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import ConfigError
from bench.judge.trust import with_checks
from bench.results import CellResult
from bench.run.prepare import OpenedModel
from tests.fakes.embedding import ROWS
from tests.fakes.onnx_files import IMAGE
from tests.fakes.runs import Place

MADE_UP = "net: {source: {onnx: net.onnx}}"
TOKENS = ("tok: {source: {torch: 'tests.fakes.embedding:tokens'}, inputs: {ids: {shape: [1, 12], dtype: int64%s}, "
          "types: {shape: [1, 12], dtype: int64}, mask: {shape: [1, 12], dtype: int64}}}")


def _checked(place: Place) -> dict[str, CellResult]:
    return {cell.precision: cell for cell in with_checks(place.result(), {}).cells}


def _check(cell: CellResult, name: str) -> tuple[str, str]:
    (found,) = [check for check in cell.checks if check.name == name]
    return found.state, found.reason


def test_int8_calibrated_on_made_up_values_is_not_known_to_be_right(place: Place) -> None:
    place.suite(MADE_UP, precisions="[fp32, int8, int8-dynamic]")
    place.run()
    doubt = "int8 is calibrated on made-up values in [0, 1): give calibration:, dataset: or range:"
    cells = _checked(place)
    assert doubt in cells["int8"].warnings
    assert _check(cells["int8"], "outputs verified") == ("unknown", doubt)
    for precision in ("fp32", "int8-dynamic"):
        assert _check(cells[precision], "outputs verified")[0] == "passed", "the same values go in on both sides"
    assert [event.text for event in place.events if doubt in event.text] == [f"warning: net: {doubt}"]
    assert any(event.text == "net: input image: made-up values, range [0, 1): nothing says its range"
               for event in place.events)


def test_int8_calibrated_on_the_users_values_is_verified_on_others(place: Place) -> None:
    np.save(place.folder / "cal.npy", np.random.default_rng(0).normal(size=(40, *IMAGE.shape)).astype(np.float32))
    place.suite("net: {source: {onnx: net.onnx}, calibration: cal.npy}", precisions="[fp32, int8]")
    place.run()
    cell = _checked(place)["int8"]
    assert not any("made-up" in text for text in cell.warnings)
    assert _check(cell, "outputs verified")[0] == "passed"
    model = place.prepared().models["net"]
    assert isinstance(model, OpenedModel) and model.origins == {"image": "calibration"}
    with np.load(model.calibration.path) as calibrated, np.load(model.verification.path) as verified:
        assert (len(calibrated["image"]), len(verified["image"])) == (32, 8)


def test_one_sample_for_both_is_no_verification_of_int8(place: Place) -> None:
    np.save(place.folder / "one.npy", np.random.default_rng(0).random((1, *IMAGE.shape), dtype=np.float32))
    place.suite("net: {source: {onnx: net.onnx}, inputs: {image: {file: one.npy}}}", precisions="[fp32, int8]")
    place.run()
    cells = _checked(place)
    assert _check(cells["fp32"], "outputs verified")[0] == "passed"
    assert _check(cells["int8"], "outputs verified") == (
        "unknown", "int8 is verified on the sample that it is calibrated on: there is only one sample to calibrate "
                   "and to verify on")


@pytest.mark.slow
def test_ids_of_a_factory_stay_within_its_tables_and_a_range_beyond_is_an_error(place: Place) -> None:
    place.suite(TOKENS % "")
    model = place.prepared().models["tok"]
    assert isinstance(model, OpenedModel)
    assert model.words == {"ids": f"made-up values, range [0, {ROWS}): the table that embedding reads",
                           "types": "made-up values, range [0, 2): the table that embedding reads",
                           "mask": "made-up values, range [0, 2): assumed, nothing says its range"}
    place.suite(TOKENS % f", range: [0, {ROWS + 1}]")
    with pytest.raises(ConfigError, match=f"model 'tok': range: .* the {ROWS} rows of the table that embedding reads"):
        place.prepared()


@pytest.mark.slow
def test_weights_of_16_bits_are_measured_as_such_and_not_as_fp32(place: Place) -> None:
    place.suite("half: {source: {torch: 'tests.fakes.embedding:half_features'}, inputs: {x: {shape: [1, 8], dtype: "
                "float16}}}, brain: {source: {torch: 'tests.fakes.embedding:brain'}, inputs: {x: {shape: [1, 8], "
                "dtype: float32}}}", precisions="[fp32]", runtimes="[onnxruntime, torch]")
    place.run()
    cells = {(cell.model, cell.runtime, cell.precision): cell for cell in place.result().cells}
    for runtime in ("onnxruntime", "torch"):
        assert cells["half", runtime, "fp16"].status == "ok"
        refused = cells["half", runtime, "fp32"]
        assert refused.status == "skipped" and "source is already fp16: it is only taken as it is" in (
            refused.reason or "")
        assert cells["brain", runtime, "fp32"].status == "skipped"
    assert cells["brain", "torch", "bf16"].status == "ok"


def _labelled(place: Place, *, wrong: bool = False) -> None:
    random = np.random.default_rng(7)
    x = random.normal(0, 1, (200, 3)).astype(np.float32)
    scores = x @ np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]], np.float32).T + np.array([0.1, -0.1], np.float32)
    right = scores.argmax(1)
    np.save(place.folder / "x.npy", x)
    np.save(place.folder / "y.npy", 1 - right if wrong else right)


TWO = ("two: {source: {torch: 'tests.fakes.embedding:two_outputs'}, inputs: {x: {shape: [1, 3]}}, dataset: "
       "{inputs: x.npy, labels: y.npy%s}}")


@pytest.mark.slow
def test_the_output_that_is_named_is_scored_and_an_unclear_one_is_an_error_before_anything_runs(place: Place) -> None:
    _labelled(place)
    place.suite(TWO % "")
    with pytest.raises(ConfigError, match=r"model 'two': which .* features float32 \(1, 16\), logits") as caught:
        place.prepared()
    assert caught.value.hint == "write in the suite: dataset: {..., output: features or logits}"
    place.suite(TWO % ", output: logits")
    place.run()
    (cell,) = place.result().cells
    assert cell.accuracy is not None and (cell.accuracy.value, cell.accuracy.suspect) == (1.0, None)


@pytest.mark.slow
def test_a_reference_that_is_no_better_than_chance_is_said_loudly(place: Place) -> None:
    _labelled(place, wrong=True)
    place.suite(TWO % ", output: logits")
    place.run()
    said = ("the fp32 model itself scores 0.0 % on these 200 labels, no better than chance: right labels, output, "
            "scaling?")
    cell = _checked(place)["fp32"]
    assert said in cell.warnings and cell.accuracy is not None and cell.accuracy.suspect == said
    assert _check(cell, "accuracy known") == ("unknown", said)
    assert any(event.text == f"warning: two: {said}" for event in place.events)
