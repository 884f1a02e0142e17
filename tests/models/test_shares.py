"""The label of a model by the larger share of its weights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.models.shares import label, label_of_bytes

KINDS = ("int4", "int8", "fp16", "bf16", "fp32", "fp64")


@pytest.mark.parametrize(("quantized", "numbers", "precision", "said"), [
    ("int8", {"int8": 62, "fp32": 38}, "int8", "mixed weights: 62 % int8, 38 % fp32"),
    ("int8-dynamic", {"int8": 38, "fp32": 62}, "fp32", "mixed weights: 62 % fp32, 38 % int8"),
    ("int4-weight", {"int4": 50, "fp16": 50}, "int4-weight", "mixed weights: 50 % int4, 50 % fp16"),
    ("int8", {"int8": 95, "fp32": 5}, "int8", ""), ("int16x8", {}, "int16x8", ""), ("", {}, "fp32", ""),
    ("", {"int8": 900, "fp32": 1}, "fp32", ""), ("", {"bf16": 99, "fp32": 1}, "bf16", ""),
    ("", {"fp16": 50, "fp32": 50}, "fp16", "mixed weights: 50 % fp32, 50 % fp16"),
    ("", {"fp64": 9}, "fp32", "its weights are fp64, which has no label of its own")])
def test_the_kind_of_the_larger_share_names_it(quantized: str, numbers: dict[str, int], precision: str,
                                               said: str) -> None:
    assert label(quantized, numbers) == (precision, said)


@given(numbers=st.dictionaries(st.sampled_from(KINDS), st.integers(1, 10**9)), quantized=st.sampled_from(("", "int8")))
def test_a_label_never_stands_for_less_than_the_rest_unsaid(numbers: dict[str, int], quantized: str) -> None:
    precision, said = label(quantized, numbers)
    own = {"int8": ("int4", "int8")}.get(precision, (precision,))
    counted = {kind: count for kind, count in numbers.items() if quantized or not kind.startswith("int")}
    share = sum(counted.get(kind, 0) for kind in own) / max(1, sum(counted.values()))
    assert said or not counted or share >= 0.9


def test_a_modules_bytes_count_as_numbers() -> None:
    assert label_of_bytes([("float32", 400), ("float16", 220)]) == ("fp16", "mixed weights: 52 % fp16, 48 % fp32")
    assert label_of_bytes([("bfloat16", 8)]) == ("bf16", "")
    assert label_of_bytes([]) == ("fp32", "")
