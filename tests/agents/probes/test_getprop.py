"""`getprop`'s lines."""

from __future__ import annotations

from bench.agents.probes import getprop
from tests.fakes.phone_answers import PIXEL_8_PRO


def parsed(text: str) -> tuple[dict[str, str], list[str]]:
    problems: list[str] = []
    return getprop.parse(text, problems), problems


def test_values_are_read_and_those_of_several_lines_are_whole() -> None:
    found, problems = parsed(PIXEL_8_PRO)
    assert problems == []
    assert found["ro.product.model"] == "Pixel 8 Pro"
    assert found["persist.sys.boot.reason.history"].split("\n") == [
        "reboot,adb,1709823000", "reboot,ota,1709000000", "cold,powerkey,1708000000"]


def test_an_empty_value_is_empty_and_brackets_in_a_value_are_kept() -> None:
    assert parsed("[a]: []\n[b]: [x]y]\r\n") == ({"a": "", "b": "x]y"}, [])


def test_a_value_that_looks_like_a_second_property_is_not_believed() -> None:
    found, problems = parsed("[ro.product.model]: [Real]\n[note]: [\n[ro.product.model]: [Forged]\n]\n")
    assert "ro.product.model" not in found
    assert any("ro.product.model" in problem for problem in problems)


def test_what_is_no_property_is_told_with_its_first_words_and_no_control_characters() -> None:
    found, problems = parsed("\x1b]0;title\x07getprop: inaccessible or not found\n")
    assert found == {}
    assert len(problems) == 1
    assert "inaccessible or not found" in problems[0]
    assert problems[0].isprintable()


def test_an_entry_without_its_end_is_refused() -> None:
    found, problems = parsed("[a]: [1]\n[b]: [half")
    assert found == {"a": "1"}
    assert problems
