"""What a suite may say of how long it measures: `until`, `max_trials`, `budget`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.config.load import parse_suite
from bench.config.quantities import parse_share
from bench.config.suite import MeasureConfig
from bench.errors import ConfigError


def _measure(text: str) -> MeasureConfig:
    suite = f"version: 1\nname: s\nmodels: {{m: {{source: {{onnx: m.onnx}}}}}}\nmeasure: {text}\n"
    return parse_suite(suite, Path("s.yaml"), Path()).config.measure


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), (" 2.5 % ", 0.025), ("99.999999%", 0.99999999)])
def test_shares_are_fractions(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("value", ["", "1", "%", "0%", "0.0 %", "100%", "-1%", "+1%", "1e1%", "١%", 1, None, True])
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="wanted a percentage above 0 and below 100 such as 1%, found "):
        parse_share(value)


def test_until_is_a_share_and_its_limits_have_defaults() -> None:
    measure = _measure("{until: 1%, budget: 30m}")
    assert (measure.until, measure.trials, measure.max_trials, measure.budget) == (0.01, 5, 30, 1800.0)
    assert (_measure("{}").until, _measure("{until: null}").until) == (None, None)


def test_a_quick_look_measures_no_longer_for_the_sake_of_an_interval() -> None:
    quick = _measure("{until: 1%, budget: 30m}").quick()
    assert (quick.trials, quick.until, quick.budget) == (2, None, None)


@pytest.mark.parametrize(("text", "problem"), [
    ("{until: 1}", "measure.until: wanted a percentage above 0 and below 100 such as 1%, found the number 1, no unit: "
                   "write 1%"),
    ("{until: 1%, trials: 2}", "measure.trials: wanted at least 3 with until:, found 2: fewer do not tell which cells "
                               "need more"),
    ("{until: 1%, trials: 40}", "measure.trials: wanted max_trials of at least trials, found 30 and 40"),
    ("{until: 1%, trials: 4, max_trials: 3}", "measure.max_trials: wanted max_trials of at least trials, found 3 and "
                                              "4"),
    ("{max_trials: 9}", "measure.max_trials: it limits the further trials of until:, and there is no until:"),
    ("{budget: 5m}", "measure.budget: it limits the further trials of until:, and there is no until:"),
    ("{until: 1%, budget: 0s}", "measure.budget: wanted more than 0s, found '0s'"),
])
def test_what_cannot_be_meant_is_refused_by_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _measure(text)
    assert caught.value.message == f"s.yaml:4: {problem}"


def test_many_trials_without_until_need_no_larger_maximum() -> None:
    assert _measure("{trials: 40}").trials == 40
