from __future__ import annotations

import json
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.convert.gate import compare
from bench.convert.measures import (
    BLOCK,
    agreement,
    cosine,
    db_from_json,
    db_to_json,
    max_abs,
    sqnr_db,
    strange_count,
)


def test_sqnr_of_a_tenth_of_the_signal_as_noise_is_twenty_db() -> None:
    reference = np.array([1.0, -1.0, 1.0, -1.0])
    assert sqnr_db(reference, reference * 1.1) == pytest.approx(20.0)


def test_sqnr_of_identical_arrays_is_infinite_and_null_in_json() -> None:
    value = sqnr_db(np.ones(3), np.ones(3))
    assert value == math.inf
    assert json.dumps(db_to_json(value)) == "null"
    assert db_from_json(None) == math.inf


def test_sqnr_of_noise_on_a_zero_reference_is_minus_infinity() -> None:
    assert sqnr_db(np.zeros(3), np.ones(3)) == -math.inf


@given(st.floats(-200, 200))
def test_a_ratio_survives_json(value: float) -> None:
    assert db_from_json(json.loads(json.dumps(db_to_json(value)))) == value


def test_integers_do_not_overflow_in_the_measures() -> None:
    reference, value = np.array([127, -128], np.int8), np.array([-128, 127], np.int8)
    assert max_abs(reference, value) == 255.0
    assert sqnr_db(reference, value) < 0


def test_cosine_of_opposite_vectors_is_minus_one_and_of_zeros_is_one() -> None:
    assert cosine(np.array([1.0, 2.0]), np.array([-1.0, -2.0])) == pytest.approx(-1.0)
    assert cosine(np.zeros(2), np.zeros(2)) == 1.0
    assert cosine(np.zeros(2), np.ones(2)) == 0.0


def test_agreement_counts_rows_with_the_same_arg_max() -> None:
    reference = np.array([[[1.0, 2.0]], [[3.0, 1.0]]])
    assert agreement(reference, np.array([[[0.0, 9.0]], [[0.0, 9.0]]])) == 0.5


def test_agreement_is_unknown_where_an_arg_max_says_nothing() -> None:
    assert agreement(np.array(1.0), np.array(1.0)) is None
    assert agreement(np.ones((4, 1)), np.ones((4, 1))) is None


def test_large_outputs_are_compared_without_being_copied_whole() -> None:
    reference = np.random.default_rng(0).standard_normal((4, 1, 4, 1024, 1024), dtype=np.float32)
    found = reference + np.float32(0.01)
    tracemalloc.start()
    compared = compare([reference], [found])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 8 * BLOCK, f"{peak} bytes beside outputs of {reference.nbytes}"
    assert compared.sqnr_db == pytest.approx(40.0, abs=0.1) and compared.max_abs == pytest.approx(0.01, abs=1e-3)


def test_pieces_of_a_large_output_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    reference = random.normal(3, 1, (3, 2, 5, 7))
    found = reference + random.normal(0, 0.1, reference.shape)
    whole = compare([reference], [found])
    for module in ("measures", "parts"):
        monkeypatch.setattr(f"bench.convert.{module}.BLOCK", 8)
    cut = compare([reference], [found])
    for name in ("sqnr_db", "cosine", "max_abs", "varying_db"):
        assert getattr(cut, name) == pytest.approx(getattr(whole, name))
    assert whole.worst is not None and cut.worst is not None
    assert cut.worst.sqnr_db == pytest.approx(whole.worst.sqnr_db)


INF = math.inf


@pytest.mark.parametrize(("reference", "value", "count"), [
    ([1.0, -INF], [2.0, -INF], 0), ([1.0, -INF], [2.0, INF], 1), ([1.0, -INF], [2.0, -65504.0], 1),
    ([1.0, 2.0], [1.0, INF], 1), ([1.0, 2.0], [math.nan, 2.0], 1), ([INF, 1.0], [math.nan, 1.0], 1)])
def test_an_infinity_is_strange_where_the_reference_has_another_value(
        reference: list[float], value: list[float], count: int) -> None:
    assert strange_count(np.array(reference), np.array(value)) == count
    assert strange_count(np.array([1, 2]), np.array([1, 2])) == 0


def test_outputs_with_the_same_mask_of_infinities_are_compared_by_their_other_values() -> None:
    random = np.random.default_rng(2)
    reference = random.normal(0, 1, (8, 4, 16)).astype(np.float32)
    found = reference + random.normal(0, 0.01, reference.shape).astype(np.float32)
    plain = compare([reference], [found])
    reference[:, :, 8:] = found[:, :, 8:] = -INF
    masked = compare([reference], [found])
    assert masked.sqnr_db == pytest.approx(plain.sqnr_db, abs=1.0) and not masked.poor and not masked.samples
    assert all(map(math.isfinite, (masked.cosine, masked.max_abs, masked.varying_db)))
