"""No answer of a device makes a probe raise, or say more than the protocol carries."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import protocol
from bench.agents.probes import android, battery, getprop, problems, thermal
from tests.fakes import phone_answers

PARSERS: dict[str, Callable[[str, list[str]], Any]] = {
    "getprop": getprop.parse, "facts": android.facts_from, "battery": battery.parse, "thermal": thermal.parse,
    "screen": android.screen_on}
SAMPLES = [value for value in vars(phone_answers).values() if isinstance(value, str) and "\n" in value]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An answer with a part cut out and another put in."""
    text = draw(st.sampled_from(SAMPLES))
    first, last = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text[:first] + draw(st.text(max_size=20)) + text[min(last, first + 40):]


@given(text=st.one_of(damaged(), st.text()), parser=st.sampled_from(sorted(PARSERS)))
def test_any_answer_is_understood_or_refused(text: str, parser: str) -> None:
    told: list[str] = []
    found = PARSERS[parser](text, told)
    assert len(told) <= problems.LIMIT
    assert all(len(problem) < 1000 and problem.isprintable() for problem in told)
    assert len(protocol.encode({"type": "x", "found": found, "problems": told})) < 100_000


@pytest.mark.parametrize("parser", sorted(PARSERS))
@pytest.mark.parametrize("noise", ["\n", " ", "[", "[a]: [", "Temperature{", "Current Battery Service state:\n", "a: "])
def test_a_flood_is_read_in_no_more_time_than_its_length_allows(parser: str, noise: str) -> None:
    text = "Current Battery Service state:\n  level: 1\n" + noise * (500_000 // len(noise))
    begin = time.process_time()
    PARSERS[parser](text, [])
    assert time.process_time() - begin < 3.0
