"""When the model itself scores no better than chance."""

from __future__ import annotations

import numpy as np
import pytest

from bench.run.chance import _could_be_chance


@pytest.mark.parametrize(("score", "counts", "suspect"), [
    (0.0, [100, 100], True), (0.5, [100, 100], True), (0.95, [100, 100], False), (0.1, [10] * 10, True),
    (0.35, [100] * 10, False), (0.9, [900, 100], True), (0.95, [900, 100], False), (1.0, [20], False),
    (0.0, [20], True), (0.0, [1, 1], False), (1.0, [1, 1], False)])
def test_a_score_that_chance_would_reach_is_suspect(score: float, counts: list[int], suspect: bool) -> None:
    """Chance is the most frequent label's share; of two labels nothing can be told."""
    labels = np.repeat(np.arange(len(counts)), counts)
    assert _could_be_chance(score, labels, max(2, len(counts))) == suspect


def test_a_model_that_guesses_is_suspect_and_one_that_knows_a_little_of_a_thousand_is_not() -> None:
    labels = np.arange(1000) % 10
    assert _could_be_chance(0.11, labels, 10) and not _could_be_chance(0.14, labels, 10)
