"""Numbers as people read them."""

from __future__ import annotations

import pytest

from bench.units import ranges


@pytest.mark.parametrize(("numbers", "shown"), [([], ""), ([3], "3"), ([0, 1, 2, 3, 7], "0-3, 7"),
                                                ([0, 2, 4], "0, 2, 4"), ([4, 5], "4-5")])
def test_successive_numbers_are_shown_as_a_range(numbers: list[int], shown: str) -> None:
    assert ranges(numbers) == shown
