from __future__ import annotations

from bench.convert.recipes import ALL, find, formats_for, precisions_for, why_not


def test_no_two_recipes_make_the_same_variant_from_the_same_source() -> None:
    made = [(kind, recipe.format, recipe.precision) for recipe in ALL for kind in recipe.sources]
    assert len(made) == len(set(made))


def test_every_base_can_be_made_from_the_same_source() -> None:
    for recipe in ALL:
        for kind in recipe.sources:
            assert recipe.base is None or find(kind, recipe.format, recipe.base) is not None


def test_what_a_kind_can_become() -> None:
    assert formats_for("torch") == ("onnx", "tflite", "torchscript", "executorch")
    assert formats_for("onnx") == ("onnx",)
    assert precisions_for("onnx", "onnx") == ("fp32", "fp16", "int8-dynamic", "int8", "int8-weight", "int4-weight")


def test_why_not_names_what_is_possible() -> None:
    assert find("onnx", "executorch", "fp32") is None
    assert why_not("onnx", "executorch", "fp32") == (
        "onnx models cannot become executorch, possible from onnx: onnx (fp32, fp16, int8-dynamic, int8, int8-weight, "
        "int4-weight)")
    assert why_not("onnx", "onnx", "int16x8").startswith("no recipe makes int16x8 onnx from onnx, possible from onnx: ")


def test_a_quantized_source_is_only_taken_as_it_is() -> None:
    taken = find("tflite", "tflite", "int8", held="int8")
    assert taken is not None and taken.precision == "int8" and taken.base is None
    assert find("tflite", "tflite", "fp16", held="int8") is None
    assert find("tflite", "tflite", "fp32", held="int8") is None
