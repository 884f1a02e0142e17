from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.convert.measures import agreement, cosine, db_from_json, db_to_json, max_abs, sqnr_db


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
