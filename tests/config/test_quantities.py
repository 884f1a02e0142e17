from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.quantities import format_duration, parse_duration
from bench.config.suite import MeasureConfig, WarmupConfig


@pytest.mark.parametrize(("text", "seconds"), [
    ("500ms", 0.5), ("1s", 1.0), ("0.5s", 0.5), (" 5 m ", 300.0), ("2h", 7200.0), ("0s", 0.0)])
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["", "s", "1", "1 y", "-1s", "1e3s", "١s", "9" * 10 + "s", 1, 1.5, None, True, [1]])
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="wanted a duration such as 500ms, 1s or 5m, found "):
        parse_duration(value)


@pytest.mark.parametrize(("seconds", "text"), [(300.0, "5m"), (0.5, "500ms"), (1.0, "1s"), (900.0, "15m"), (0, "0s"),
                                                  (0.05, "50ms"), (0.29, "290ms"), (0.0005, "0.0005s")])
def test_durations_are_written_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(1, 10**8))
def test_a_written_duration_reads_the_same(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, rel=1e-5)


def test_in_code_a_duration_is_a_number_of_seconds() -> None:
    assert WarmupConfig(min_time=0.25, max_time=2).max_time == 2.0


def test_quick_never_measures_longer_than_asked() -> None:
    assert MeasureConfig(trials=1, min_samples=5, min_time=0.1).quick().model_dump()["trials"] == 1
    assert MeasureConfig().quick().trials == 2
