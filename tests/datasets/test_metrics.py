"""Scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets.metrics import score
from bench.errors import ConfigError, ModelError

LABELS = np.array([0, 1, 2])


def test_top1_is_the_share_of_largest_values_at_the_label() -> None:
    assert score("top1", np.array([[9, 1, 1], [1, 9, 1], [9, 1, 1]]), LABELS) == pytest.approx(2 / 3)


def test_rows_with_nan_are_wrong() -> None:
    outputs = np.array([[1.0, 0.0, np.nan], [np.nan, 5.0, 1.0], [0.0, 1.0, np.nan]])
    assert score("top1", outputs, LABELS) == 0.0


def test_of_equal_values_the_first_counts() -> None:
    assert score("top1", np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]]), LABELS) == pytest.approx(1 / 3)


def test_an_unknown_metric_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'top1'"):
        score("top-1", np.zeros((3, 3)), LABELS)


@pytest.mark.parametrize("shape", [(2, 3), (3,), (3, 3, 1)])
def test_outputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"wanted outputs of shape \(3, classes\)"):
        score("top1", np.zeros(shape), LABELS)


def test_labels_without_a_class_are_refused() -> None:
    with pytest.raises(ConfigError, match="wanted labels below 2"):
        score("top1", np.zeros((3, 2)), LABELS)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(-1000, 1000))
def test_one_hot_outputs_score_one_wherever_their_zero_is(labels: list[int], offset: int) -> None:
    wanted = np.array(labels)
    assert score("top1", np.eye(5)[wanted] + offset, wanted) == 1.0
