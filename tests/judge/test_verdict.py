from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.types import NoiseFloor, Pair, Verdict
from bench.judge.verdict import LEVEL, METHOD, RUN_SD_UNKNOWN, judge, trials_needed

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "verdicts.json").read_text(encoding="utf-8"))
FLOOR = NoiseFloor("phone", "tflite", 0.02, 40, 0.005, 10)
VALUES = st.lists(st.floats(0.5, 2), min_size=1, max_size=8).map(tuple)
PAIRS = st.builds(Pair, st.just("cell"), VALUES, VALUES, st.booleans(), st.sampled_from([None, FLOOR]), st.just(2.0))
VALUE = st.integers(500_000, 2_000_000).map(lambda value: value / 1e6)
TURNS = st.lists(st.tuples(VALUE, VALUE), min_size=5, max_size=12).map(
    lambda turns: Pair("cell", tuple(turn[0] for turn in turns), tuple(turn[1] for turn in turns), True, FLOOR, 2.0,
                       in_turn=True))
EITHER = st.one_of(PAIRS, TURNS)
MIRRORED = {"better": "worse", "worse": "better", "same": "same", "cannot tell": "cannot tell"}


def _pair(before: list[float], after: list[float], *, same_run: bool = True, floor: NoiseFloor | None = None,
          in_turn: bool = False) -> Pair:
    return Pair("cell", tuple(before), tuple(after), same_run, floor, 2.0, in_turn)


def _one(pair: Pair, **options: float) -> Verdict:
    return judge([pair], **options)[0]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: str(case["name"]))
def test_pairs_are_called_as_they_were_by_hand(case: dict[str, Any]) -> None:
    floor = NoiseFloor("phone", "tflite", **case["floor"]) if case["floor"] else None
    found = _one(_pair(case["before"], case["after"], same_run=case["same_run"], floor=floor,
                       in_turn=case.get("in_turn", False)))
    assert found.call == case["call"]
    assert found.ratio == pytest.approx(case["ratio"], abs=1e-4)
    interval = None if found.low is None or found.high is None else [found.low, found.high]
    assert interval == (case["interval"] and pytest.approx(case["interval"], abs=1e-4))
    assert (found.more_trials, found.reason) == (case["more_trials"], case["reason"])


@given(st.lists(EITHER, min_size=1, max_size=5))
def test_swapping_the_sides_mirrors_the_verdict(pairs: list[Pair]) -> None:
    swapped = judge([replace(pair, before=pair.after, after=pair.before) for pair in pairs])
    for there, back in zip(judge(pairs), swapped, strict=True):
        assert back.call == MIRRORED[there.call]
        assert (back.p, back.more_trials) == (there.p, there.more_trials)
        assert there.ratio * back.ratio == pytest.approx(1)
        if there.low is not None and back.high is not None:
            assert there.low * back.high == pytest.approx(1)


@given(EITHER, st.sampled_from([2.0**-20, 0.25, 2.0, 1024.0]))
def test_the_unit_does_not_matter(pair: Pair, scale: float) -> None:
    scaled = replace(pair, before=tuple(value * scale for value in pair.before),
                     after=tuple(value * scale for value in pair.after))
    plain, other = _one(pair), _one(scaled)
    if pair.before != pair.after:
        assert plain.call == other.call and plain.ratio == pytest.approx(other.ratio)
        assert plain.p is None or plain.p == pytest.approx(other.p, rel=1e-6, abs=1e-9)


@given(st.lists(EITHER, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_trials_of_turns_and_of_pairs_does_not_matter(pairs: list[Pair], random: Any) -> None:
    def shuffle(pair: Pair) -> Pair:
        before = random.sample(range(len(pair.before)), len(pair.before))
        after = before if pair.in_turn else random.sample(range(len(pair.after)), len(pair.after))
        return replace(pair, before=tuple(pair.before[place] for place in before),
                       after=tuple(pair.after[place] for place in after))

    order = random.sample(range(len(pairs)), len(pairs))
    shuffled = [shuffle(pair) for pair in pairs]
    plain, other = judge(pairs), judge([shuffled[place] for place in order])
    assert [plain[place].call for place in order] == [verdict.call for verdict in other]
    assert [plain[place].p for place in order] == [verdict.p and pytest.approx(verdict.p) for verdict in other]


@given(EITHER)
def test_a_verdict_says_nothing_against_itself(pair: Pair) -> None:
    found = _one(pair)
    assert (found.more_trials is None) == (found.more_seconds is None)
    assert found.call == "cannot tell" or found.more_trials is None
    if found.low is not None and found.high is not None:
        assert found.low <= found.ratio * (1 + 1e-12) and found.ratio <= found.high * (1 + 1e-12)
    if found.call in ("better", "worse"):
        assert found.p is not None and found.p <= LEVEL and abs(math.log(found.ratio)) > math.log(1.03)


def test_among_many_cells_one_difference_must_be_rarer() -> None:
    changed = _pair([10.0, 10.3, 9.8, 10.1, 9.9], [10.8, 11.1, 10.5, 10.9, 10.7])
    equal = _pair([10.0, 10.3, 9.8, 10.1, 9.9], [10.0, 10.2, 9.9, 10.1, 9.95])
    assert _one(changed).call == "worse"
    among = judge([changed, *[equal] * 99])[0]
    assert among.call == "cannot tell"
    assert "among 100 cells a difference like this arises by chance" in among.reason
    assert among.more_trials is not None and 1 <= among.more_trials <= 5
    assert judge([changed] * 100)[0].call == "worse"


def test_an_absolute_floor_keeps_small_differences_the_same() -> None:
    before, after = [0.010, 0.0101, 0.0099, 0.01005, 0.00995], [0.0112, 0.0113, 0.0111, 0.01125, 0.01115]
    assert _one(_pair(before, after)).call == "worse"
    held = _one(_pair(before, after), least=0.005)
    assert held.call == "same" and held.reason.endswith("all within the smallest difference that counts")
    assert _one(_pair(before, after), least=0.0011).call == "worse"


def test_more_trials_than_asked_for_settle_it() -> None:
    before, after = [10.0, 10.6, 9.4, 10.3, 9.7], [10.5, 11.1, 9.9, 10.8, 10.2]
    found = _one(_pair(before, after))
    assert found.more_trials is not None and found.more_seconds == 2 * found.more_trials * 2.0
    again = math.ceil(1 + found.more_trials / 5) + 1
    assert _one(_pair(before * again, after * again)).call == "worse"


def test_runs_that_differ_more_than_the_margin_are_settled_by_no_trials() -> None:
    wild = replace(FLOOR, run_sd=0.05)
    found = _one(_pair([10.0, 10.01, 9.99], [10.6, 10.61, 10.59], same_run=False, floor=wild))
    assert (found.call, found.more_trials, found.more_seconds) == ("cannot tell", None, None)
    assert "no number of trials would tell: two runs differ by 7.1 % by chance" in found.reason


def test_what_runs_differ_by_is_as_sure_as_it_was_learnt() -> None:
    before, after = [10.0, 10.1, 9.9, 10.05, 9.95], [11.0, 11.1, 10.9, 11.05, 10.95]
    few, stretches = (_one(_pair(before, after, same_run=False, floor=replace(FLOOR, run_sd=0.02, runs=4, run_df=df)))
                      for df in (0, 30))
    assert few.call == "cannot tell" and few.p == pytest.approx(_one(_pair(
        before, after, same_run=False, floor=replace(FLOOR, run_sd=0.02, runs=9, run_df=3))).p)
    assert stretches.p is not None and few.p is not None and stretches.p < few.p / 3


def test_what_is_assumed_of_runs_is_said() -> None:
    before, after = [10.0, 10.1, 9.9, 10.05, 9.95], [10.5, 10.6, 10.4, 10.55, 10.45]
    unknown, known = (_one(_pair(before, after, same_run=False, floor=floor))
                      for floor in (replace(FLOOR, run_sd=None), replace(FLOOR, run_sd=RUN_SD_UNKNOWN, runs=10**6)))
    assert "not known here and taken as 2.0 %" in unknown.reason and "taken as" not in known.reason
    assert unknown.p == pytest.approx(known.p, rel=1e-3)
    wandering = _one(_pair(before, after, same_run=False, floor=replace(FLOOR, run_sd=None, wander_sd=0.03)))
    assert "taken as 3.0 %" in wandering.reason
    assert wandering.p is not None and unknown.p is not None and wandering.p > unknown.p
    assert "taken as" not in _one(_pair(before, after)).reason


def test_no_pairs_have_no_verdicts_and_no_values_are_refused() -> None:
    assert judge([]) == ()
    with pytest.raises(ValueError, match="values on both sides"):
        _one(_pair([], [1.0]))
    with pytest.raises(ValueError, match="above 0"):
        _one(_pair([1.0, 0.0], [1.0, 2.0]))


def test_which_trials_were_taken_together_matters_to_eight_turns_and_more() -> None:
    drifting = [10 * 1.03**turn for turn in range(8)]
    slower = [value * factor for value, factor in zip(drifting, (1.05, 1.06, 1.04, 1.05, 1.06, 1.04, 1.05, 1.05),
                                                      strict=True)]
    apart, together, mixed = (_one(pair) for pair in (
        _pair(drifting, slower), _pair(drifting, slower, in_turn=True), _pair(drifting, slower[::-1], in_turn=True)))
    assert (apart.call, together.call, mixed.call) == ("cannot tell", "worse", "cannot tell")
    assert _one(_pair(drifting[:7], slower[:7], in_turn=True)) == _one(_pair(drifting[:7], slower[:7]))


@pytest.mark.parametrize("noise", ["log-normal", "two speeds"])
@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("trials", [3, 5, 10])
def test_equal_cells_are_rarely_called_different(noise: str, in_turn: bool, trials: int) -> None:
    rng = np.random.default_rng(20261127)
    logs = rng.normal(0, 0.08 if noise == "log-normal" else 0.01, (1000, 2, trials))
    if noise == "two speeds":
        logs += 0.2 * (rng.random(logs.shape) < 0.5)
    floor = NoiseFloor("phone", "tflite", 0.08 if noise == "log-normal" else 0.1, 40)
    calls = [_one(_pair(list(a), list(b), floor=floor, in_turn=in_turn)).call for a, b in np.exp(logs)]
    assert np.mean([call in ("better", "worse") for call in calls]) <= 0.007


@pytest.mark.parametrize("sd", [0.01, 0.02, 0.03])
def test_a_slowdown_of_five_percent_is_found_with_the_trials_asked_for(sd: float) -> None:
    trials = trials_needed(sd, effect=0.05)
    assert trials is not None
    logs = np.random.default_rng(20261128).normal(0, sd, (600, 2, trials))
    floor = NoiseFloor("phone", "tflite", sd, 40)
    calls = [_one(_pair(list(np.exp(a)), list(1.05 * np.exp(b)), floor=floor, in_turn=True)).call for a, b in logs]
    assert np.mean([call == "worse" for call in calls]) >= 0.88


def test_trials_needed_grow_with_noise_cells_and_runs() -> None:
    def needed(sd: float, **options: float) -> int:
        found = trials_needed(sd, effect=0.05, **options)  # type: ignore[arg-type]
        assert found is not None
        return found

    assert needed(0.01) < needed(0.02) < needed(0.03) < needed(0.08)
    assert needed(0.02) < needed(0.02, cells=48)
    assert needed(0.02) < needed(0.02, run_sd=0.005)
    assert needed(0.02, power=0.5) < needed(0.02) < needed(0.02, power=0.99)
    assert trials_needed(0.02, effect=0.03) is None
    assert trials_needed(0.02, effect=0.05, run_sd=0.02) is None


def test_planning_takes_less_than_a_millisecond_and_thousands_of_cells_a_second_or_two() -> None:
    trials_needed(0.0199, effect=0.05, cells=48)
    started = time.process_time()
    for step in range(50):
        trials_needed(0.02 + step * 1e-4, effect=0.05, cells=48)
    assert (time.process_time() - started) / 50 < 0.002
    values = np.random.default_rng(1).lognormal(0, 0.03, (1000, 2, 5))
    pairs = [_pair(list(a), list(b)) for a, b in values]
    started = time.process_time()
    judge(pairs)
    assert time.process_time() - started < 1


def test_the_method_is_one_plain_sentence() -> None:
    assert "Benjamini and Hochberg" in METHOD and ". " not in METHOD


def test_a_floor_of_few_trials_does_not_vouch_for_few_that_look_alike() -> None:
    alike = _pair([10.0, 10.01, 10.0, 9.99], [12.5, 12.51, 12.5, 12.49], floor=NoiseFloor("phone", "tflite", 0.001, 40))
    assert _one(alike).call == "worse"
    hasty = _pair([10.0, 10.01, 10.0, 9.99], [12.5, 12.51, 12.5, 12.49], floor=NoiseFloor("phone", "tflite", 0.001, 6))
    assert _one(hasty).call == "cannot tell" and "without a known noise floor" in _one(hasty).reason
