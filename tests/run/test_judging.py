from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.collect.judgements import from_json
from bench.config.load import LoadedSuite, parse_suite
from bench.errors import ConfigError, InfrastructureError
from bench.run import judging
from bench.run.events import Event
from bench.run.job import RunRequest
from bench.run.judging import check_expectations, judge_run, judge_with_retries
from bench.run.more import Ask
from bench.run.stop import Stop
from bench.store.packing import pack
from bench.store.store import Store
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights

LAST_GREEN = "{latency_p50: {against: last-green, at_most: +10%}}"
RETRY = "{on_inconclusive: retry, retry_trials: 5, latency_p50: {against: last-green, at_most: +5%}}"


def suite(expect: str | None = LAST_GREEN) -> LoadedSuite:
    """A suite of the nights' cells that expects this."""
    more = "" if expect is None else f"expect: {expect}\n"
    text = f"version: 1\nname: vision\nmodels: {{net: {{source: {{onnx: net.onnx}}}}}}\n{more}"
    return parse_suite(text, Path("s.yaml"), Path())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "bench.sqlite"


def judge_nights(path: Path, expect: str | None = LAST_GREEN, nights: Sequence[int] = (0, 1)) -> list[str]:
    """How each of the nights was judged, one after another."""
    with Store(path) as opened:
        return [judge_run(opened, run_id(night), suite(expect).config).state for night in nights]


def test_a_judgement_is_kept_with_the_run(store: Path) -> None:
    write_nights(store, [NightCell([10.0, 13.0])], trials=6)
    assert judge_nights(store) == ["green", "red"]
    with Store(store) as opened:
        run = opened.find_run(run_id(1))
        assert run.judgement is not None
        found = from_json(run.judgement)
    assert found.state == "red" and found.baseline == run_id(0)
    assert [(outcome.state, outcome.cell) for outcome in found.outcomes] == [("broken", NightCell([]).name)]


def test_a_suite_that_expects_nothing_is_judged_none(store: Path) -> None:
    write_nights(store, [NightCell([10.0])])
    assert judge_nights(store, None, [0]) == ["none"]
    with Store(store) as opened:
        assert (opened.find_run(run_id(0)).judgement or {})["state"] == "none"


def test_the_first_run_has_nothing_to_compare_with_and_says_so(store: Path) -> None:
    write_nights(store, [NightCell([10.0])])
    with Store(store) as opened:
        found = judge_run(opened, run_id(0), suite().config)
    assert found.notes == ("first run of vision: nothing to compare with",) and found.state == "green"


def test_a_red_night_is_no_baseline_and_the_next_is_held_against_the_last_green(store: Path) -> None:
    write_nights(store, [NightCell([10.0, 13.0, 13.0])], trials=6)
    assert judge_nights(store, nights=[0, 1, 2]) == ["green", "red", "red"]


def test_previous_is_the_run_before_whatever_became_of_it(store: Path) -> None:
    write_nights(store, [NightCell([10.0, 13.0, 13.0])], trials=6)
    expect = "{latency_p50: {against: previous, at_most: +10%}}"
    assert judge_nights(store, expect, [0, 1, 2]) == ["green", "red", "green"]


def test_a_run_may_be_named_in_the_suite_or_for_one_run(store: Path) -> None:
    write_nights(store, [NightCell([10.0, 13.0, 13.0])], trials=6)
    named = f"{{latency_p50: {{against: {run_id(0)}, at_most: +10%}}}}"
    assert judge_nights(store, named, [2]) == ["red"]
    with Store(store) as opened:
        found = judge_run(opened, run_id(2), suite().config, baseline=run_id(1))
    assert (found.state, found.baseline) == ("green", run_id(1))


def test_where_no_run_was_green_that_is_said(store: Path) -> None:
    write_nights(store, [NightCell([10.0, 10.0])])
    with Store(store) as opened:
        found = judge_run(opened, run_id(1), suite().config)
    assert found.notes == ("no green run of vision before this one: nothing to compare with",)


def test_another_system_is_not_judged_but_despite_it(store: Path) -> None:
    write_nights(store, [NightCell([10.0, 10.0])], trials=6,
                 circumstances=lambda night: Circumstances({"os": f"Debian {12 + night}"}))
    assert judge_nights(store) == ["green", "not judged"]
    assert judge_nights(store, f"{{despite: [os], {LAST_GREEN[1:]}", [1]) == ["green"]


@pytest.mark.parametrize(("expect", "words"), [
    ("{despite: [oz]}", "s.yaml:4: expect.despite[0]: unknown name 'oz', did you mean 'os'?"),
    ("{size: {against: 20200101-000000-abcd, at_most: +1%}}", "run '20200101-000000-abcd' was not found")])
def test_what_is_expected_is_checked_before_anything_is_measured(store: Path, expect: str, words: str) -> None:
    write_nights(store, [NightCell([10.0])])
    with Store(store) as opened, pytest.raises(ConfigError) as caught:
        check_expectations(suite(expect), opened)
    assert words in caught.value.message


def test_a_baseline_that_is_not_there_is_told_before_anything_is_measured(store: Path) -> None:
    write_nights(store, [NightCell([10.0])])
    with Store(store) as opened:
        assert check_expectations(suite(), opened) is None
        with pytest.raises(ConfigError, match="'2099' was not found"):
            check_expectations(suite(), opened, "2099")


def test_a_baseline_is_known_by_its_whole_id_before_the_new_run_may_begin_alike(store: Path) -> None:
    write_nights(store, [NightCell([10.0])])
    with Store(store) as opened:
        assert check_expectations(suite(), opened, run_id(0)[:6]) == run_id(0)


@pytest.mark.parametrize("expect", [
    None, "{latency_p50: {at_most: 20ms}}", LAST_GREEN.replace("last-green", "previous")])
def test_a_baseline_that_would_stand_for_nothing_is_refused(store: Path, expect: str | None) -> None:
    write_nights(store, [NightCell([10.0])])
    with Store(store) as opened, pytest.raises(ConfigError, match="vision expects nothing against last-green"):
        check_expectations(suite(expect), opened, run_id(0))


@dataclass
class Lab:
    """Stands in for measuring: notes what was asked for, and adds the trials that `medians` gives for a round."""

    path: Path
    medians: Callable[[int], tuple[float, float] | None]
    asks: list[list[Ask]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    def measure(self, request: Any, run: str, asks: Sequence[Ask], prepared: Any, store: Store, *rest: Any) -> None:
        self.asks.append(list(asks))
        told = self.medians(len(self.asks))
        trials = [trial for trial in store.load(store.find_run(run)).trials if trial.kind == "latency"]
        for ask in asks if told else ():
            for turn in range(ask.trials):
                for kind, p50_ms in zip(("latency", "baseline"), told or (), strict=True):
                    number, spread = len(self.asks) * 100 + turn, 1 + turn % 3 / 1000
                    of = ask.baseline.run if ask.baseline else ""
                    store.add_trial(_again(trials[0], kind, number, p50_ms * spread, of))

    def night(self, night: int, times: Sequence[float]) -> str:
        """How a night is judged, where the files of all nights can be measured again, and take `times`."""
        of = {run_id(number): time for number, time in enumerate(times)}
        self.medians = lambda _: (times[night], of[self.asks[-1][0].baseline.run])  # type: ignore[union-attr]
        request = RunRequest(suite(LAST_GREEN), {}, "", "")
        with Store(self.path) as opened:
            nothing: Any = None
            return judge_with_retries(request, run_id(night), nothing, opened, nothing, self.stop,
                                      self.events.append).state

    def judge(self, expect: str, night: int = 1) -> Any:
        request = RunRequest(suite(expect), {}, "", "")
        with Store(self.path) as opened:
            judge_run(opened, run_id(0), suite(expect).config)
            nothing: Any = None
            return judge_with_retries(request, run_id(night), nothing, opened, nothing, self.stop, self.events.append)


def _again(trial: Any, kind: str, number: int, p50_ms: float, of: str) -> Any:
    settings = {**trial.settings, "retry_of": of, **({"retry": True} if kind == "latency" else {})}
    return replace(trial, kind=kind, number=number, samples=pack([int(p50_ms * 1e6)]), settings=settings,
                   phases={**trial.phases, "samples_ns": int(p50_ms * 1e6)})


@pytest.fixture
def lab(store: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Two nights that leave it open whether the cell became slower."""
    write_nights(store, [NightCell([10.0, 10.3])], trials=3, trial_sd=0.03)
    lab = Lab(store, lambda _: None)
    monkeypatch.setattr(judging, "measure_more", lab.measure)
    return lab


def test_what_cannot_be_told_is_measured_again_in_turn_with_the_baseline(lab: Lab) -> None:
    lab.medians = lambda _: (10.3, 10.3)
    found = lab.judge(RETRY)
    assert found.state == "green"
    [[ask]] = lab.asks
    assert ask.trials == 3 and ask.baseline is not None and ask.baseline.run == run_id(0)
    assert found.notes == ("1 cell measured again by up to 3 more, for what could not be told",)
    assert [event.text for event in lab.events] == ["1 cell cannot be judged yet: 3 more trials of each"]


def test_a_regression_is_found_on_the_same_night(lab: Lab) -> None:
    lab.medians = lambda _: (11.5, 10.0)
    found = lab.judge(RETRY.replace("retry_trials: 5", "retry_trials: 10"))
    assert [outcome.state for outcome in found.outcomes] == ["broken"] and found.state == "red"


def test_no_more_trials_are_taken_than_the_suite_allows(lab: Lab) -> None:
    assert lab.judge(RETRY).state == "red"
    assert [ask.trials for asks in lab.asks for ask in asks] == [3, 2]


def test_a_limit_is_settled_by_the_cells_own_trials(lab: Lab) -> None:
    lab.judge("{on_inconclusive: retry, retry_trials: 1, latency_p50: {at_most: 10.3ms}}")
    assert [ask.baseline for asks in lab.asks for ask in asks] == [None]


def test_a_metric_that_the_baselines_trials_do_not_tell_is_measured_again_alone(lab: Lab) -> None:
    assert lab.judge(RETRY.replace("latency_p50", "latency_p90")).state == "red"
    assert [ask.baseline for asks in lab.asks for ask in asks] == [None, None]


@pytest.mark.parametrize("mode", ["pass", "fail"])
def test_without_retry_nothing_is_measured_again(lab: Lab, mode: str) -> None:
    found = lab.judge(RETRY.replace("retry,", f"{mode},"))
    assert lab.asks == [] and found.state == ("green" if mode == "pass" else "red")


def test_after_ctrl_c_nothing_is_measured_again(lab: Lab) -> None:
    lab.stop.request()
    assert lab.judge(RETRY).state == "red" and lab.asks == []


def test_a_lab_that_fails_while_measuring_again_leaves_the_run_judged_as_it_was(lab: Lab) -> None:
    def fail(_round: int) -> None:
        raise InfrastructureError("the cache could not be written")

    lab.medians = fail
    with pytest.raises(InfrastructureError):
        lab.judge(RETRY)
    with Store(lab.path) as opened:
        assert (opened.find_run(run_id(1)).judgement or {})["state"] == "red"


def test_other_circumstances_are_no_reason_to_measure_again(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_nights(store, [NightCell([10.0, 10.0])], circumstances=lambda night: Circumstances({"os": f"{night}"}))
    lab = Lab(store, lambda _: None)
    monkeypatch.setattr(judging, "measure_more", lab.measure)
    assert lab.judge(RETRY).state == "not judged" and lab.asks == []


OTHER_OPTIONS = {"graph": "off"}


def with_other_options(store: Path, monkeypatch: pytest.MonkeyPatch, medians: Callable[[int], Any]) -> Lab:
    """Two nights of equal times, the second with another option, and a lab that measures both options."""
    write_nights(store, [NightCell([10.0, 10.0, 10.0])], trials=6,
                 circumstances=lambda night: Circumstances(options=OTHER_OPTIONS if night else {"graph": "on"}))
    lab = Lab(store, medians)
    monkeypatch.setattr(judging, "measure_more", lab.measure)
    return lab


@pytest.mark.parametrize("expect", [LAST_GREEN, LAST_GREEN.replace("last-green", "previous"),
                                    f"{{on_inconclusive: pass, {LAST_GREEN[1:]}"])
@pytest.mark.parametrize(("now", "state"), [(10.0, "green"), (90.0, "red")])
def test_a_change_of_options_is_judged_on_its_own_night_with_the_options_of_before(
        store: Path, monkeypatch: pytest.MonkeyPatch, expect: str, now: float, state: str) -> None:
    lab = with_other_options(store, monkeypatch, lambda _: (now, 10.0))
    found = lab.judge(expect)
    assert found.state == state
    [[ask]] = lab.asks
    assert ask.trials == 5 and ask.baseline is not None and ask.baseline.run == run_id(0) and not ask.alone
    assert "interleaved with the artifact of that run and its options (graph=on, now graph=off)" in (
        found.outcomes[0].reason)


def test_what_the_new_options_met_is_the_baseline_of_the_next_night(store: Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    lab = with_other_options(store, monkeypatch, lambda _: (10.0, 10.0))
    assert lab.judge(LAST_GREEN).state == "green"
    with Store(store) as opened:
        found = judge_run(opened, run_id(2), suite().config)
    assert (found.state, found.baseline) == ("green", run_id(1))


def test_memory_and_tails_of_other_options_are_judged_by_the_interleaved_trials_too(
        store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the nights' own trials say of them was measured under unlike conditions."""
    expect = "{latency_p50: {against: last-green, at_most: +10%}, peak_memory: {against: last-green, at_most: +10%}}"
    found = with_other_options(store, monkeypatch, lambda _: (10.0, 10.0)).judge(expect)
    assert {outcome.expectation: outcome.state for outcome in found.outcomes} == {
        "latency_p50": "kept", "peak_memory": "inconclusive"}, "these trials tell of no memory"


def test_options_of_before_that_cannot_be_had_leave_the_night_not_judged(store: Path,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    lab = with_other_options(store, monkeypatch, lambda _: None)
    assert lab.judge(LAST_GREEN).state == "not judged"
    with Store(store) as opened:
        assert judge_run(opened, run_id(2), suite().config).state == "not judged", "nor is the night a baseline"


@settings(max_examples=10, deadline=None)
@given(used=st.lists(st.integers(0, 2), min_size=2, max_size=6), slower=st.integers(1, 5))
def test_however_options_flip_a_regression_is_found_on_its_night_and_stays_red(used: list[int], slower: int) -> None:
    """Options of equal speed, each judged by interleaved trials where it is new; from one night on the file is slow."""
    times = [20.0 if night >= slower else 10.0 for night in range(len(used))]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "s"
        write_nights(path, [NightCell(times)], trials=6, trial_sd=0.003,
                     circumstances=lambda night: Circumstances(options={"graph": str(used[night])}))
        lab = Lab(path, lambda _: None)
        patch.setattr(judging, "measure_more", lab.measure)
        states = [lab.night(night, times) for night in range(len(used))]
    assert states == ["red" if night >= slower else "green" for night in range(len(used))]
