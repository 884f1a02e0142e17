"""Which cells a suite has on which devices, and the reason of each that is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.devices import AdbConfig, DeviceConfig, LocalConfig
from bench.config.suite import SuiteConfig
from bench.convert import recipes
from bench.plan import PlanModel, PlannedCell, plan
from bench.words import CALIBRATED, DELEGATES_OF_RUNTIME, FORMAT_OF_RUNTIME, PRECISIONS, RUNTIMES

FACTORY = PlanModel("torch", "fp32", 1)


def suite(**keys: Any) -> SuiteConfig:
    model = {"source": {"torch": "nets:make"}, "inputs": {"x": {"shape": [1, 3], "dtype": "float32"}}}
    return SuiteConfig.model_validate({"version": 1, "name": "s", "models": {"m": model}} | keys)


def device(**keys: Any) -> DeviceConfig:
    return DeviceConfig(local=LocalConfig(), **keys)


def planned(model: PlanModel = FACTORY, on: DeviceConfig | None = None, **keys: Any) -> tuple[PlannedCell, ...]:
    return plan(suite(**keys), {"here": on or device()}, {"m": model})


def reasons(cells: tuple[PlannedCell, ...]) -> dict[tuple[str, str], str | None]:
    return {(found.cell.runtime, found.cell.precision): found.reason for found in cells}


def test_without_further_words_every_runtime_is_planned_in_fp32_on_one_thread() -> None:
    cells = planned()
    assert [(found.cell.runtime, found.cell.format, found.cell.delegate, found.cell.threads, found.reason)
            for found in cells] == [(runtime, FORMAT_OF_RUNTIME[runtime], DELEGATES_OF_RUNTIME[runtime][0], 1, None)
                                    for runtime in RUNTIMES]
    assert cells[0].cell.id == "m/onnx/fp32/onnxruntime-cpu/t1@here"
    assert cells[0].cell.batch == 1


def test_delegates_and_threads_are_swept() -> None:
    cells = planned(runtimes=("tflite",), threads=(1, 4),
                    runtime_options={"tflite": {"delegates": ("builtin", "xnnpack")}})
    assert [(found.cell.delegate, found.cell.threads) for found in cells] == [
        ("builtin", 1), ("builtin", 4), ("xnnpack", 1), ("xnnpack", 4)]


def test_what_the_suite_excludes_says_because() -> None:
    rules = ({"because": "no kernels", "runtime": "tflite", "precision": "int8"},
             {"because": "too slow", "device": "there"})
    found = planned(runtimes=("onnxruntime", "tflite"), precisions=("fp32", "int8"), exclude=rules)
    assert reasons(found) == {("onnxruntime", "fp32"): None, ("onnxruntime", "int8"): None, ("tflite", "fp32"): None,
                              ("tflite", "int8"): "excluded: no kernels"}
    assert found[-1].fault == "config"


@pytest.mark.parametrize(("key", "value"), [("model", "m"), ("format", "onnx"), ("precision", "fp32"),
                                            ("runtime", "onnxruntime"), ("device", "here")])
def test_every_key_of_an_exclusion_matches_by_itself(key: str, value: str) -> None:
    (found,) = planned(runtimes=("onnxruntime",), exclude=({"because": "so", key: value},))
    assert found.reason == "excluded: so"


def test_a_device_that_is_listed_with_some_runtimes_has_those_only() -> None:
    found = planned(on=device(runtimes=("tflite", "torch")))
    assert {runtime for (runtime, _), reason in reasons(found).items() if reason is None} == {"tflite", "torch"}
    assert reasons(found)["executorch", "fp32"] == "here is listed with the runtimes tflite, torch only"
    assert {cell.fault for cell in found if cell.reason} == {"config"}


def test_an_impossible_format_says_what_is_possible() -> None:
    found = planned(PlanModel("onnx", "fp32", 1), runtimes=("onnxruntime", "tflite"))
    assert reasons(found)["onnxruntime", "fp32"] is None
    reason = reasons(found)["tflite", "fp32"]
    assert reason is not None
    assert reason.startswith("onnx models cannot become tflite, possible from onnx: onnx (fp32, fp16")
    assert found[-1].fault == "model"


def test_an_impossible_precision_says_what_is_possible() -> None:
    (found,) = planned(runtimes=("onnxruntime",), precisions=("int16x8",))
    assert found.reason is not None and found.reason.startswith("no recipe makes int16x8 onnx from torch, possible")
    assert "tflite (fp32, fp16, int8-dynamic, int8, int8-weight, int16x8, int4-weight)" in found.reason


def test_a_quantized_file_is_measured_as_it_is_whether_asked_for_or_not() -> None:
    found = planned(PlanModel("tflite", "int8", 1), runtimes=("tflite", "onnxruntime"),
                    precisions=("fp32", "int8-dynamic"))
    assert list(reasons(found)) == [(runtime, precision) for runtime in ("tflite", "onnxruntime")
                                    for precision in ("int8", "fp32", "int8-dynamic")]
    assert reasons(found)["tflite", "int8"] is None
    assert all(reason == "source is already int8: it is only taken as it is, possible: tflite (int8)"
               for which, reason in reasons(found).items() if which != ("tflite", "int8"))


@pytest.mark.parametrize("held", ["fp16", "bf16"])
def test_a_module_with_16_bit_weights_goes_into_every_format_as_it_is_and_is_no_fp32(held: str) -> None:
    found = reasons(planned(PlanModel("torch", held, 1)))
    assert {which for which, reason in found.items() if reason is None} == {(runtime, held) for runtime in RUNTIMES}
    assert {reason for (_, precision), reason in found.items() if precision == "fp32"} == {
        f"source is already {held}: it is only taken as it is, possible: onnx tflite torchscript executorch ({held})"}


def test_a_file_with_16_bit_weights_stays_in_its_format() -> None:
    found = reasons(planned(PlanModel("onnx", "fp16", 1), runtimes=("onnxruntime", "tflite"), precisions=("fp16",)))
    assert found["onnxruntime", "fp16"] is None and found["tflite", "fp16"] is not None


def test_what_is_calibrated_on_made_up_values_says_so_and_the_rest_does_not() -> None:
    precisions = ("fp32", "fp16", "int8-dynamic", "int8", "int16x8")
    model = replace(FACTORY, made_up={"x": "[0, 1)", "ids": "[0, 300)"}, calibration_warnings=("few samples",))
    found = {item.cell.precision: item.warnings for item in planned(model, runtimes=("tflite",), precisions=precisions)}
    for precision, warnings in found.items():
        said = (f"{precision} is calibrated on made-up values (x in [0, 1), ids in [0, 300)): give calibration:, "
                "dataset: or range:", "few samples")
        assert warnings == (said if precision in CALIBRATED else ())


def test_only_calibrated_recipes_make_calibrated_precisions() -> None:
    assert {recipe.precision for recipe in recipes.ALL if recipe.calibrated} == set(CALIBRATED)


def test_a_file_that_was_quantized_by_others_is_not_calibrated_here() -> None:
    (found,) = planned(PlanModel("tflite", "int8", 1, made_up={"x": "[0, 1)"}), runtimes=("tflite",),
                       precisions=("int8",))
    assert found.reason is None and found.warnings == ()


def test_a_model_that_cannot_be_used_gives_its_reason_to_all_its_cells_but_the_excluded() -> None:
    found = planned(PlanModel("onnx", "fp32", None, "m.onnx is truncated"), runtimes=("onnxruntime", "tflite"),
                    exclude=({"because": "so", "runtime": "tflite"},))
    assert reasons(found) == {("onnxruntime", "fp32"): "m.onnx is truncated", ("tflite", "fp32"): "excluded: so"}
    assert found[0].fault == "model"


@given(precisions=st.lists(st.sampled_from(PRECISIONS), min_size=1, unique=True).map(tuple),
       runtimes=st.lists(st.sampled_from(RUNTIMES), min_size=1, unique=True).map(tuple),
       threads=st.lists(st.integers(1, 8), min_size=1, unique=True).map(tuple), held=st.sampled_from(PRECISIONS),
       kind=st.sampled_from(("torch", "exported", "onnx", "tflite", "torchscript")))
def test_every_cell_has_a_name_of_its_own_and_the_order_is_always_the_same(
        precisions: tuple[str, ...], runtimes: tuple[str, ...], threads: tuple[int, ...], held: str, kind: Any) -> None:
    chosen = suite(precisions=precisions, runtimes=runtimes, threads=threads)
    models = {"a": FACTORY, "b": PlanModel(kind, held, None)}
    devices = {"one": device(), "two": device(runtimes=("onnxruntime",))}
    found = plan(chosen, devices, models)
    assert len({item.cell.id for item in found}) == len(found) >= 4 * len(precisions) * len(runtimes) * len(threads)
    assert plan(chosen, devices, models) == found
    assert all((item.reason is None) == (item.fault is None) for item in found)
    assert [item.cell.device for item in found] == sorted(item.cell.device for item in found)


@pytest.mark.parametrize(("bundled", "words"), [
    (None, "here has no Python of its own to use, and no bundle has been built: bench bundle build"),
    (("tflite",), "here has no Python of its own to use, and the bundle has no onnxruntime: bench bundle build")])
def test_a_phone_needs_a_bundle_that_has_the_runtime(bundled: tuple[str, ...] | None, words: str) -> None:
    devices = {"here": DeviceConfig(adb=AdbConfig(serial="x"))}
    first, second = plan(suite(runtimes=("onnxruntime", "tflite")), devices, {"m": FACTORY}, bundled)
    assert (first.reason, first.fault) == (words, "device")
    assert (second.reason is None) == (bundled is not None)


def test_a_phone_with_a_python_of_its_own_needs_no_bundle() -> None:
    devices = {"here": DeviceConfig(adb=AdbConfig(serial="x"), python="/data/local/tmp/python3")}
    assert all(found.reason is None for found in plan(suite(), devices, {"m": FACTORY}))
