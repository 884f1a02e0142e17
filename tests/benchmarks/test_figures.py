"""What is said of an aim, and how figures are written."""

from __future__ import annotations

import json

import pytest

from benchmarks.figures import Aim, Figure, Part, judge, spread, to_json


def test_the_interval_of_six_values_is_their_range() -> None:
    found = spread([3, 1, 2, 6, 5, 4])
    assert (found.median, found.low, found.high, found.count) == (3.5, 1, 6, 6)


def test_an_outlier_among_many_values_does_not_widen_the_interval() -> None:
    found = spread([1.0] * 11 + [1000.0])
    assert (found.low, found.high, found.largest) == (1, 1, 1000)


def test_few_values_have_no_interval() -> None:
    assert spread([1, 2, 3, 4, 5]).low is None
    with pytest.raises(ValueError, match="at least one"):
        spread([])


@pytest.mark.parametrize(("values", "verdict"), [
    ([0.995, 1.0, 1.001], "within aim"),
    ([1.05, 1.06, 1.07], "outside"),
    ([0.95, 1.0, 1.05], "cannot tell"),
    ([1.005, 1.02, 1.03], "cannot tell"),
    ([0.9], "outside"),
])
def test_an_aim_is_met_or_missed_only_by_the_whole_interval(values: list[float], verdict: str) -> None:
    assert judge(spread(values), Aim(0.99, 1.01)) == verdict


def test_zero_is_within_the_aim_of_nothing() -> None:
    assert judge(spread([0]), Aim(0, 0)) == "within aim"
    assert judge(spread([1]), Aim(0, 0)) == "outside"


def test_a_spread_is_written_with_its_count_interval_and_range() -> None:
    assert spread([1, 2, 3, 4, 5, 6]).text(" s", 1) == "3.5 s (95 %: 1.0 .. 6.0; n = 6, 1.0 .. 6.0)"
    assert spread([1, 2]).text("", 2) == "1.50 (n = 2, 1.00 .. 2.00)"


def test_json_has_null_for_a_bound_that_is_none() -> None:
    part = Part("upload", "Upload", (Figure("speed", spread([0.97]), aim=Aim(least=0.95)), Figure("size", spread([1]))))
    first, second = json.loads(json.dumps(to_json(part), allow_nan=False))["figures"]
    assert (first["least"], first["most"], first["verdict"]) == (0.95, None, "within aim")
    assert (second["least"], second["verdict"]) == (None, None)
