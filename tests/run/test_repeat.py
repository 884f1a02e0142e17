"""Whether outputs repeat: no difference of rounding counts, and no other is hidden by larger values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from bench.run.repeat import difference, verdict

FLOATS = arrays_of.arrays("f4", arrays_of.array_shapes(max_dims=3, max_side=5),
                          elements=st.floats(-1000, 1000, width=32) | st.sampled_from([np.nan, np.inf, -np.inf]))


def again(outputs: Any, repeated: Any) -> str | None:
    """Of one output, with a second sample that is nobody's business."""
    first, other = np.asarray(outputs)[None], np.asarray(repeated)[None]
    return difference([np.concatenate([first, first + 1 if first.dtype != np.bool_ else first])], [other])


@given(FLOATS, st.integers(0, 2**32 - 1))
def test_rounding_is_no_difference(output: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    assert again(output, output) is None
    assert again(output, output * (1 + 5e-4 * random.uniform(-1, 1, output.shape).astype("f4"))) is None


@given(arrays_of.arrays("f4", (2, 8), elements=st.floats(0, 640, width=32)), st.integers(0, 7))
def test_a_small_part_that_differs_is_seen_beside_large_ones(boxes: Any, place: int) -> None:
    output = np.concatenate([boxes, np.full((1, 8), 0.9, "f4")])
    other = output.copy()
    other[2, place] = 0.8
    assert again(output, other) is not None


@pytest.mark.parametrize(("one", "two", "words"), [
    ([1.0, 2.0], [1.0, 2.5], "output 0 differs by up to 0.5 when run again (its values reach 2)"),
    ([1.0, 2.0], [1.0, np.nan], "NaN or infinity in other places"),
    ([np.nan, 2.0], [1.0, 2.0], "NaN or infinity in other places"),
    ([np.inf, 2.0], [-np.inf, 2.0], "NaN or infinity in other places"),
    ([0.0, 0.0], [0.0, 1e-20], "differs by up to 1e-20"),
    ([[1.0], [2.0]], [[1.0]], "the shape [2, 1] at first and [1, 1]")])
def test_what_differs_is_told(one: list[Any], two: list[Any], words: str) -> None:
    reason = difference([np.asarray([one], "f4")], [np.asarray([two], "f4")])
    assert reason is not None and words in reason


@pytest.mark.parametrize("dtype", ["i8", "u1"])
def test_labels_and_counts_must_be_equal(dtype: str) -> None:
    assert again(np.asarray([200, 7], dtype), np.asarray([200, 7], dtype)) is None
    assert "1 of 2 values" in (again(np.asarray([200, 7], dtype), np.asarray([201, 7], dtype)) or "")


def test_the_output_that_differs_is_named() -> None:
    same, other = np.zeros((3, 2), "f4"), np.ones((3, 2), "f4")
    assert (difference([same, other], [same[:1], other[:1] * 2]) or "").startswith("output 1 ")


def test_a_verdict_keeps_what_the_host_knows() -> None:
    assert verdict(None, True) == {"ok": True, "reason": None, "host": True}
    assert verdict("output 0 differs", None) == {"ok": False, "reason": "output 0 differs", "host": None}
