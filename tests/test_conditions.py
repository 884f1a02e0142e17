"""Reading what a device said of itself: an older agent's words, a newer one's, and nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.conditions import Battery, read, thermal
from tests.fakes.stored_phone import seen

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def test_a_phones_conditions_are_read_whole() -> None:
    reading = read(seen("during"))
    assert (reading.when, reading.clocks_mhz[-1], reading.temperature_c) == ("during", 2914, 31.0)
    assert reading.battery == Battery(84, True, "usb", 29.5, False)
    assert (reading.thermal_status, reading.thermal_faked, reading.screen_on, reading.problems) == (0, False, False, ())


def test_what_an_older_agent_does_not_say_is_not_told() -> None:
    reading = read({"time": 1.0, "load_1m": 0.1, "clocks_mhz": [], "temperature_c": None})
    assert (reading.when, reading.clocks_mhz, reading.temperature_c, reading.battery) == ("", (), None, None)
    assert (reading.thermal_status, reading.screen_on, reading.problems) == (None, None, ())


@pytest.mark.parametrize(("key", "value"), [
    ("thermal_status", 7), ("thermal_status", -1), ("thermal_status", True), ("thermal_status", "0"),
    ("screen_on", 1), ("battery", [84]), ("temperature_c", "31"),
    ("temperature_c", float("nan")), ("temperature_c", float("-inf")), ("temperature_c", 10**400)])
def test_what_is_no_sense_is_not_told(key: str, value: object) -> None:
    assert getattr(read(seen("before", **{key: value})), key) is None


def test_one_clock_that_is_no_number_spoils_them_all() -> None:
    assert read(seen("before", clocks_mhz=[1704, "2914", 2914])).clocks_mhz == ()


def test_the_clock_of_a_core_that_is_switched_off_is_a_gap() -> None:
    assert read(seen("before", clocks_mhz=[1704, None, 2914])).clocks_mhz == (1704, None, 2914)


@given(st.dictionaries(st.sampled_from(sorted(seen("before"))), JSON))
def test_nothing_that_a_device_says_breaks_the_reading(told: dict[str, Any]) -> None:
    assert read(told) == read(told) or "nan" in repr(told)


def test_a_thermal_status_has_a_name() -> None:
    assert thermal(2) == "thermal status 2 (moderate)"
