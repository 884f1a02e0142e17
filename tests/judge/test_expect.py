from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.expect import ExpectConfig
from bench.config.load import parse_suite
from bench.judge.compare import compare_results
from bench.judge.expect import Baseline, judge_expectations, state_of
from bench.judge.limits import interval_of, more_trials, within
from bench.judge.noise import Floors
from bench.judge.types import NoiseFloor, Side
from bench.results import Accuracy, ArtifactRef, CellResult, Check, Judgement, Latency, Outputs, RunResult, Steadiness
from tests.fakes.results import lost_cell, ok_cell, run_info

FLOORS = {("this-machine", runtime): NoiseFloor("this-machine", runtime, 0.01, 40, 0.002, 8)
          for runtime in ("onnxruntime", "tflite", "torch", "executorch")}
STEPS = (-0.010, -0.004, 0.0, 0.004, 0.010)
"""How a cell's trials lie about its centre."""


def expect(text: str) -> ExpectConfig:
    """`expect:` with this mapping."""
    suite = parse_suite("version: 1\nname: s\nmodels: {mobilenet: {source: {onnx: a}, dataset: fashion-mnist-1k}, "
                        "net: {source: {onnx: a}}}\nprecisions: [fp32, fp16, int8-dynamic, int8]\n"
                        f"expect: {text}\n", Path("s.yaml"), Path())
    assert suite.config.expect is not None
    return suite.config.expect


def cell(centre: float = 10.0, steps: tuple[float, ...] = STEPS, **names: Any) -> CellResult:
    """A measured cell whose trials lie by `steps` about a p50 in ms, as its p90, loading and memory do about theirs."""
    medians = tuple(centre * (1 + step) for step in steps)
    p50 = statistics.median(medians)
    return replace(ok_cell(**names), latency_ms=Latency(p50, min(medians), max(medians)), trial_medians_ms=medians,
                   trial_p90s_ms=tuple(1.2 * each for each in medians), circumstances={"os": "Debian 12"},
                   trial_loads_ms=tuple(30 * (1 + step) for step in steps), trials=len(steps),
                   trial_peak_rss_mib=tuple(90 * (1 + step / 10) for step in steps), trial_seconds=2.0)


def result(*cells: CellResult, run: str = "20261121-031500-7f3a") -> RunResult:
    return RunResult(run_info(id=run), cells)


def against(before: RunResult, after: RunResult, despite: frozenset[str] = frozenset()) -> dict[str, Baseline]:
    """`before` as the newest green run."""
    sides = [Side("run", each.run.id, each.run) for each in (before, after)]
    return {"last-green": Baseline(compare_results(sides[0], sides[1], (before, after), FLOORS, despite=despite))}


def judged(text: str, after: RunResult, before: RunResult | None = None, floors: Floors = FLOORS) -> Judgement:
    wanted = expect(text)
    known = against(before, after, frozenset(wanted.despite)) if before else {
        name: Baseline(None, "first run: nothing to compare with") for name in wanted.baselines()}
    return judge_expectations(wanted, after, known, floors)


def states(found: Judgement) -> list[str]:
    return [outcome.state for outcome in found.outcomes]


EARLIER = "20261120-031500-1c2d"
REGRESSION = "{latency_p50: {against: last-green, at_most: +5%}}"


@pytest.mark.parametrize(("limit", "state"), [("10.2ms", "kept"), ("10.05ms", "inconclusive"),
                                           ("9.95ms", "inconclusive"), ("9.8ms", "broken")])
def test_a_limit_is_kept_broken_or_open_as_the_interval_lies_to_it(limit: str, state: str) -> None:
    found = judged(f"{{latency_p50: {{at_most: {limit}}}}}", result(cell()))
    assert states(found) == [state]
    assert found.state == ("green" if state == "kept" else "red")
    assert found.outcomes[0].found == "10.0 ms (9.90 to 10.1)"


def test_an_open_limit_says_how_many_more_trials_would_settle_it() -> None:
    outcome = judged("{latency_p50: {at_most: 10.05ms}}", result(cell())).outcomes[0]
    assert outcome.reason == "the interval holds the limit; 7 more trials would settle it"
    assert outcome.limit == "at most 10.05 ms"


def test_a_limit_at_the_very_value_is_not_settled_by_trials() -> None:
    outcome = judged("{latency_p50: {at_most: 10ms}}", result(cell())).outcomes[0]
    assert "more trials would hardly settle it" in outcome.reason


def test_a_coarse_clocks_zero_keeps_no_limit() -> None:
    stopped = replace(cell(), latency_ms=Latency(0.0, 0.0, 0.0), trial_medians_ms=(0.0,) * 5)
    assert states(judged("{latency_p50: {at_most: 1ms}}", result(stopped))) == ["inconclusive"]


def test_a_single_trial_keeps_no_limit() -> None:
    """Not even by the narrow interval of its samples, which says nothing of other processes."""
    outcome = judged("{latency_p50: {at_most: 1s}}", result(cell(steps=(0.0,)))).outcomes[0]
    assert (outcome.state, outcome.reason) == ("inconclusive", "a single trial has no interval")


@pytest.mark.parametrize(("text", "states_"), [
    ("{latency_p90: [{at_most: 12.5ms}, {at_most: 12ms}, {at_most: 11ms}]}", ["kept", "inconclusive", "broken"]),
    ("{load_time: [{at_most: 31ms}, {at_most: 30ms}, {at_most: 29ms}]}", ["kept", "inconclusive", "broken"]),
    ("{peak_memory: [{at_most: 91MiB}, {at_most: 90MiB}, {at_most: 80MiB}]}", ["kept", "inconclusive", "broken"]),
    ("{size: [{at_most: 14MiB}, {at_most: 13MiB}]}", ["kept", "broken"]),
    ("{accuracy_drop: [{against: fp32, at_most: 0.7pp}, {against: fp32, at_most: 0.6pp}]}", ["kept", "broken"])])
def test_every_metric_has_limits(text: str, states_: list[str]) -> None:
    measured = replace(cell(), accuracy=Accuracy("top1", 0.877, 1000, 0.007))
    assert states(judged(text, result(measured))) == states_


@pytest.mark.parametrize(("factor", "state"), [(1.10, "broken"), (1.0, "kept"), (0.8, "kept"), (1.049, "inconclusive")])
def test_a_regression_is_judged_by_its_own_margin(factor: float, state: str) -> None:
    found = judged(REGRESSION, result(cell(10 * factor)), result(cell(), run=EARLIER))
    assert states(found) == [state]
    assert found.baseline == EARLIER


def test_a_change_below_the_usual_margin_passes_a_wider_limit_and_breaks_a_narrower_one() -> None:
    before, after = result(cell(), run=EARLIER), result(cell(10.6))
    assert states(judged("{latency_p50: {against: last-green, at_most: +20%}}", after, before)) == ["kept"]
    assert states(judged("{latency_p50: {against: last-green, at_most: +2%}}", after, before)) == ["broken"]


def test_what_may_well_be_faster_is_surely_not_slower() -> None:
    """Nobody can call it better, and the whole interval is below the limit all the same."""
    wide = tuple(6 * step for step in STEPS)
    [outcome] = judged(REGRESSION, result(cell(9.4, wide)), result(cell(10, wide), run=EARLIER)).outcomes
    assert (outcome.state, outcome.reason) == ("kept", "the whole interval is within the limit")


def test_chance_is_shared_out_among_all_cells_of_an_expectation() -> None:
    """A rise that alone would be found is not among sixty: one in sixty is what chance makes of them."""
    wide = tuple(8 * step for step in STEPS)
    alone = (cell(10, wide), cell(12.6, wide))
    others = [(cell(10, wide, threads=2 + n), cell(10, wide, threads=2 + n)) for n in range(59)]
    many = [alone, *others]
    one = judged(REGRESSION, result(alone[1]), result(alone[0], run=EARLIER))
    all_ = judged(REGRESSION, result(*(b for _, b in many)), result(*(a for a, _ in many), run=EARLIER))
    assert one.outcomes[0].state == "broken"
    assert all_.outcomes[0].state == "inconclusive"


@pytest.mark.parametrize("metric", ["latency_p90", "load_time", "peak_memory"])
def test_other_metrics_regress_by_their_own_trials(metric: str) -> None:
    names = {"latency_p90": "trial_p90s_ms", "load_time": "trial_loads_ms", "peak_memory": "trial_peak_rss_mib"}
    before = cell()
    changed: dict[str, Any] = {names[metric]: tuple(1.2 * value for value in getattr(before, names[metric]))}
    worse = replace(before, **changed)
    text = f"{{{metric}: {{against: last-green, at_most: +5%}}, {REGRESSION[1:]}"
    found = judged(text, result(worse), result(before, run=EARLIER))
    assert {outcome.expectation: outcome.state for outcome in found.outcomes} == {
        metric: "broken", "latency_p50": "kept"}


def test_what_one_side_does_not_tell_is_not_judged_silently() -> None:
    found = judged("{latency_p90: {against: last-green, at_most: +5%}}", result(replace(cell(), trial_p90s_ms=())),
                   result(cell(), run=EARLIER))
    assert states(found) == ["inconclusive"] and found.state == "red"


def test_trials_taken_in_turn_with_the_baselines_artifact_decide() -> None:
    nightly = cell(11.0)
    again = replace(nightly, baseline_medians_ms=tuple(11 * (1 + step) for step in STEPS), baseline_run=EARLIER,
                    retry_medians_ms=tuple(11 * (1 + step) for step in STEPS))
    assert states(judged(REGRESSION, result(nightly), result(cell(), run=EARLIER))) == ["broken"]
    found = judged(REGRESSION, result(again), result(cell(), run=EARLIER))
    assert states(found) == ["kept"]
    assert "measured again, interleaved with the artifact of that run" in found.outcomes[0].reason


def test_a_device_that_drifts_while_both_are_measured_again_does_not_hide_that_they_are_equal() -> None:
    drifting = tuple(10 * 1.03**turn for turn in range(8))
    again = replace(cell(11.0), baseline_medians_ms=drifting, baseline_run=EARLIER,
                    retry_medians_ms=tuple(1.02 * value for value in drifting))
    assert states(judged(REGRESSION, result(again), result(cell(), run=EARLIER))) == ["kept"]
    shorter = replace(again, retry_medians_ms=again.retry_medians_ms[:7])
    assert states(judged(REGRESSION, result(shorter), result(cell(), run=EARLIER))) == ["inconclusive"]


def test_what_nights_differ_by_does_not_hide_what_trials_in_turn_show() -> None:
    restless = {key: replace(floor, run_sd=0.06) for key, floor in FLOORS.items()}
    values = tuple(11.5 * (1 + step) for step in STEPS)
    again = replace(cell(11.5), baseline_medians_ms=cell().trial_medians_ms, baseline_run=EARLIER,
                    retry_medians_ms=values)
    before = result(cell(), run=EARLIER)
    assert states(judged(REGRESSION, result(cell(11.5)), before, restless)) == ["inconclusive"]
    assert states(judged(REGRESSION, result(again), before, restless)) == ["broken"]


def test_a_difference_too_small_to_count_is_not_said_to_be_within_the_limit() -> None:
    """20 % of 10 us are two calls of the clock."""
    [outcome] = judged(REGRESSION, result(cell(0.012)), result(cell(0.010), run=EARLIER)).outcomes
    assert outcome.state == "kept" and outcome.found.startswith("+20.0 %")
    assert "within the smallest difference that counts" in outcome.reason


def test_other_circumstances_are_not_judged_and_listed() -> None:
    moved = replace(cell(), circumstances={"os": "Debian 13"})
    found = judged(REGRESSION, result(moved), result(cell(), run=EARLIER))
    assert states(found) == ["not judged"] and found.state == "not judged"
    assert found.outcomes[0].reason == ("not comparable: os (Debian 12, now Debian 13); the os of then cannot be had "
                                        "any more, to measure both now")


def test_other_circumstances_pass_where_the_suite_says_so_and_are_said() -> None:
    moved = replace(cell(), circumstances={"os": "Debian 13"})
    text = "{despite: [os], latency_p50: {against: last-green, at_most: +5%}}"
    found = judged(text, result(moved), result(cell(), run=EARLIER))
    assert found.state == "green"
    assert "despite os (Debian 12, now Debian 13)" in found.outcomes[0].reason


def test_size_and_accuracy_are_judged_whatever_the_system() -> None:
    before = replace(cell(), accuracy=Accuracy("top1", 0.88, 1000, 0.0))
    after = replace(before, circumstances={"os": "Debian 13"}, artifact=ArtifactRef("0" * 64, 15_000_000),
                    accuracy=Accuracy("top1", 0.86, 1000, 0.02))
    text = ("{size: [{against: last-green, at_most: +2%}, {against: last-green, at_most: +10%}], accuracy_drop: "
            "[{against: last-green, at_most: 1pp}, {against: last-green, at_most: 2pp}]}")
    found = judged(text, result(after), result(before, run=EARLIER))
    assert states(found) == ["broken", "kept", "broken", "kept"]
    assert found.outcomes[2].found == "2.00 pp (88.0 % to 86.0 %)"


def test_accuracy_on_another_set_is_not_compared() -> None:
    before = replace(cell(), accuracy=Accuracy("top1", 0.88, 500, 0.0))
    found = judged("{accuracy_drop: {against: last-green, at_most: 1pp}}", result(cell()),
                   result(before, run=EARLIER))
    assert states(found) == ["not judged"] and "another labelled set" in found.outcomes[0].reason


def test_an_unknown_accuracy_is_no_kept_one_but_of_models_without_a_dataset() -> None:
    text, unscored = "{accuracy_drop: {against: fp32, at_most: 1pp}}", replace(cell(), accuracy=None)
    assert states(judged(text, result(unscored))) == ["inconclusive"]
    found = judge_expectations(expect(text), result(unscored), {}, FLOORS, labelled=["other"])
    assert found.state == "none" and found.notes == (
        "accuracy_drop at most 1 pp against fp32: no cell of this run is held against it",)


def test_without_a_baseline_everything_is_new_and_said_to_be() -> None:
    found = judged(REGRESSION, result(cell()))
    assert (found.state, found.baseline, found.notes) == ("green", None, ("first run: nothing to compare with",))
    assert found.outcomes[0].reason == "new: nothing to compare with"


def test_a_cell_that_the_baseline_does_not_have_is_new() -> None:
    found = judged(REGRESSION, result(cell(), cell(99, precision="int8")), result(cell(), run=EARLIER))
    assert [(each.state, each.reason) for each in found.outcomes][1] == ("kept", "new: nothing to compare with")


@pytest.mark.parametrize(("fault", "tried", "state"), [
    ("model", True, "broken"), ("device", True, "broken"), ("infrastructure", True, "not judged"),
    ("device", False, "not judged"), ("config", False, "not judged")])
def test_a_cell_that_fails_now_breaks_what_it_kept_unless_the_lab_failed(fault: str, tried: bool, state: str) -> None:
    lost = replace(lost_cell("failed", "worker crashed", fault), cell="c", tried=tried)
    text = "{latency_p50: [{against: last-green, at_most: +5%}, {at_most: 20ms}], size: {at_most: 20MiB}, " \
           "accuracy_drop: {against: fp32, at_most: 1pp}}"
    before = result(replace(cell(runtime="torch", precision="int8"), cell="c"), run=EARLIER)
    assert states(judged(text, result(lost), before)) == [state] * 4


def test_a_cell_that_failed_before_too_is_not_judged() -> None:
    lost = lost_cell("failed", "worker crashed", "model")
    found = judged(REGRESSION, result(lost), result(lost, run=EARLIER))
    assert states(found) == ["not judged"] and "worker crashed; neither in run" in found.outcomes[0].reason


def test_cells_that_were_left_out_are_not_judged() -> None:
    found = judged("{latency_p50: {at_most: 20ms}}", result(lost_cell("skipped", "no such kernel", "model")))
    assert (found.state, found.outcomes) == ("none", ())


@pytest.mark.parametrize("metric", ["latency_p50", "peak_memory", "size", "accuracy_drop"])
@pytest.mark.parametrize(("fault", "states_"), [
    ("model", ["broken"]), ("device", ["not judged"]), ("infrastructure", ["not judged"]), ("config", [])])
def test_a_cell_that_is_left_out_since_breaks_what_it_kept_unless_the_suite_or_the_lab_leaves_it_out(
        metric: str, fault: str, states_: list[str]) -> None:
    left_out = replace(lost_cell("skipped", "tflite is not installed", fault), cell=cell().cell, runtime="onnxruntime",
                       format="onnx", precision="fp32")
    limit = "1pp" if metric == "accuracy_drop" else "+5%"
    found = judged(f"{{{metric}: {{against: last-green, at_most: {limit}}}}}", result(left_out),
                   result(cell(), run=EARLIER))
    assert states(found) == states_
    assert all(outcome.reason == f"measured in run {EARLIER} and not now: tflite is not installed"
               for outcome in found.outcomes)


def test_cells_that_the_baseline_had_and_the_run_has_not_are_told() -> None:
    before = result(cell(), cell(device="phone"), cell(device="board"), run=EARLIER)
    found = judged(REGRESSION, result(cell(), cell(device="phone-2")), before)
    assert found.state == "green"
    assert found.notes == (f"2 cells of run {EARLIER} not in this one: {cell(device='phone').cell}, ...",)


def test_a_cell_that_is_mended_has_nothing_to_be_compared_with_and_is_not_called_new() -> None:
    before = replace(lost_cell("failed", "ran out of memory", "device"), cell=cell().cell, runtime="onnxruntime",
                     format="onnx", precision="fp32")
    [outcome] = judged(REGRESSION, result(cell()), result(before, run=EARLIER)).outcomes
    assert outcome.state == "kept"
    assert outcome.reason == f"nothing to compare with: run {EARLIER} has no right outputs of it"


def test_wrong_outputs_keep_no_timing_and_their_loss_breaks_a_regression() -> None:
    wrong = replace(cell(), outputs=Outputs("differs", 3.0))
    text = f"{{latency_p90: {{at_most: 1s}}, size: {{at_most: 1GiB}}, {REGRESSION[1:]}"
    found = judged(text, result(wrong), result(cell(), run=EARLIER))
    assert {each.expectation: each.state for each in found.outcomes} == {
        "latency_p50": "broken", "latency_p90": "not judged", "size": "kept"}


def test_an_expectation_is_said_of_the_cells_that_match_all_its_keys() -> None:
    cells = [cell(precision=precision, runtime=runtime) for precision in ("fp32", "int8")
             for runtime in ("onnxruntime", "tflite")]
    text = "{latency_p50: [{at_most: 20ms, precision: int8, runtime: tflite}, {at_most: 1ms, device: phone}]}"
    found = judged(text, result(*cells))
    assert [outcome.cell for outcome in found.outcomes] == [cells[3].cell]
    assert found.notes == ("latency_p50 at most 1 ms: no cell of this run is held against it",)


def test_the_reason_that_the_suite_gives_and_failed_checks_stand_beside_what_is_broken() -> None:
    doubted = replace(cell(), checks=(Check("clocks steady", "failed", "they fell"),))
    found = judged('{latency_p50: {at_most: 1ms, because: "a frame"}}', result(doubted))
    assert found.outcomes[0].reason == ("the whole interval is above the limit; not trusted (clocks steady); "
                                        "the suite says: a frame")


def test_a_device_that_moved_as_a_whole_is_said_and_stays_broken() -> None:
    names: list[dict[str, Any]] = [{"model": f"model-{n}"} for n in range(8)]
    before = result(*(cell(10, **name) for name in names), run=EARLIER)
    found = judged(REGRESSION, result(*(cell(11.5, **name) for name in names)), before)
    assert states(found) == ["broken"] * 8
    assert all("device-wide: " in outcome.reason for outcome in found.outcomes)


@pytest.mark.parametrize(("states_", "mode", "state"), [
    (["kept"], "fail", "green"), (["kept", "inconclusive"], "fail", "red"), (["kept", "inconclusive"], "pass", "green"),
    (["broken", "kept"], "pass", "red"), (["broken", "not judged"], "pass", "red"),
    (["inconclusive", "not judged"], "retry", "red"), ([], "fail", "none"), (["not judged"], "pass", "not judged"),
    (["kept", "not judged"], "retry", "partly judged"), (["kept", "inconclusive", "not judged"], "pass",
                                                         "partly judged")])
def test_what_cannot_be_told_is_red_unless_the_suite_lets_it_pass(states_: list[Any], mode: str, state: str) -> None:
    outcome = judged("{latency_p50: {at_most: 1s}}", result(cell())).outcomes[0]
    assert state_of([replace(outcome, state=each) for each in states_], mode) == state


@given(st.lists(st.floats(1, 2), min_size=2, max_size=12), st.floats(0.1, 10))
def test_an_interval_scales_with_its_values(values: list[float], factor: float) -> None:
    one, other = interval_of(values), interval_of([factor * value for value in values])
    assert one.low is not None and one.high is not None and one.low <= one.value <= one.high
    assert other.value == pytest.approx(factor * one.value) and other.high == pytest.approx(factor * one.high)


@given(st.lists(st.floats(1, 1.2), min_size=3, max_size=8), st.floats(0.8, 1.5))
def test_no_more_trials_are_asked_for_what_is_settled(values: list[float], limit: float) -> None:
    found = interval_of(values)
    if within(found, limit) == "inconclusive" and found.sd > 0:
        more = more_trials(found, limit)
        assert more is None or more >= 1


def disturbed(found: CellResult) -> CellResult:
    """The same measured while others took the processor."""
    return replace(found, steadiness=(Steadiness("processor", 5, 5, "other processes used 1.9 of 2 cores"),),
                   circumstances={**found.circumstances, "contention": "disturbed"})


def test_a_disturbed_cell_breaks_no_expectation_of_its_time_and_may_keep_it() -> None:
    told = judged("{latency_p50: [{at_most: 5ms}, {at_most: 50ms}], size: [{at_most: 1KiB}]}",
                  result(disturbed(cell(10.0))))
    assert [(each.expectation, each.state) for each in told.outcomes] == [
        ("latency_p50", "inconclusive"), ("latency_p50", "kept"), ("size", "broken")]
    assert "measure again" in told.outcomes[0].reason


@pytest.mark.parametrize("sides", [(True, False), (False, True), (True, True)])
def test_a_disturbed_cell_is_neither_better_nor_worse_than_it_was(sides: tuple[bool, bool]) -> None:
    before, after = (result(disturbed(cell(centre)) if side else cell(centre), run=run) for side, centre, run in zip(
        sides, (36.0, 10.0), ("20261120-031500-1c2d", "20261121-031500-7f3a"), strict=True))
    wanted = "{latency_p50: {against: last-green, at_most: +5%}}"
    (outcome,) = judged(wanted, after, before).outcomes
    assert outcome.state == "not judged" and "disturbed by other processes" in outcome.reason
    (despite,) = judged(wanted.replace("{latency", "{despite: [contention], latency"), after, before).outcomes
    assert despite.state == "kept"


def test_a_cell_whose_device_was_in_use_is_judged_by_its_file_alone() -> None:
    before = replace(cell(10.0), artifact=ArtifactRef("a" * 64, 10 << 20))
    names = {name: getattr(before, name) for name in (
        "cell", "device", "model", "format", "precision", "runtime", "delegate", "batch")}
    busy = replace(lost_cell("skipped", "the device is in use by ann", "busy"), **names,
                   artifact=ArtifactRef("b" * 64, 11 << 20))
    told = judged("{latency_p50: [{at_most: 5ms}, {against: last-green, at_most: +5%}], accuracy_drop: {against: fp32, "
                  "at_most: 1pp}, size: [{at_most: 20MiB}, {against: last-green, at_most: +5%}]}",
                  result(busy, run="20261121-031500-7f3a"), result(before, run="20261120-031500-1c2d"))
    assert [(each.expectation, each.state, each.found) for each in told.outcomes] == [
        ("size", "kept", "11.0 MiB"), ("size", "broken", "+10 % (10.0 to 11.0 MiB)")]
