from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.convert.encoding import decode, encode
from bench.errors import ModelError
from bench.models.spec import Quantization, TensorSpec

INT8 = TensorSpec("x", (4,), "int8", Quantization(0.5, -1))


def test_real_numbers_are_quantized_and_saturate() -> None:
    encoded = encode(np.array([0.0, 0.5, 1e9, -1e9], np.float32), INT8)
    assert encoded.dtype == np.int8
    assert encoded.tolist() == [-1, 0, 127, -128]


@given(st.lists(st.floats(-60, 60, width=32), min_size=1, max_size=8))
def test_decoding_what_was_encoded_errs_by_half_a_step_at_most(values: list[float]) -> None:
    array = np.array(values, np.float32)
    assert np.abs(decode(encode(array, INT8), INT8) - array).max() <= 0.25 + 1e-5


def test_integers_that_are_encoded_already_pass_as_they_are() -> None:
    array = np.array([1, 2, 3, 4], np.int8)
    assert encode(array, INT8).tolist() == [1, 2, 3, 4]


def test_a_cast_that_would_change_integers_is_refused() -> None:
    with pytest.raises(ModelError, match="input 'ids' takes int32, and the values given do not fit"):
        encode(np.array([2**40]), TensorSpec("ids", (1,), "int32"))



@pytest.mark.parametrize(("value", "spec"), [
    (np.array(16000), TensorSpec("rate", (), "int64")), (np.array(2.0, np.float32), TensorSpec("x", (), "float16")),
    (np.array(0.5), TensorSpec("offset", (), "int8", Quantization(0.1, 0)))])
def test_a_scalar_stays_a_scalar(value: np.ndarray[Any, Any], spec: TensorSpec) -> None:
    assert encode(value, spec).shape == ()
    assert decode(encode(value, spec), spec) == value
