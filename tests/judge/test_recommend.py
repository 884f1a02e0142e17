"""Recommendations: the best cell within limits, what it is equal to, and why not the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.errors import ConfigError
from bench.judge.candidates import Objective, Wishes, drop_uncertainty
from bench.judge.ranking import baselines, lowest, may_be_lower, speedup
from bench.judge.ranking import pareto as front
from bench.judge.recommend import EMULATED, Candidate, Recommendation, pareto, recommend
from bench.judge.trust import UNDISTURBED
from bench.results import Accuracy, ArtifactRef, CellResult, Check, Latency, Memory, Outputs, RunResult, Steadiness
from bench.units import MIB
from tests.fakes.results import lost_cell, ok_cell, run_info

OFFSETS = (-0.004, -0.002, 0.0, 0.002, 0.004)


def cell(name: str, p50_ms: float, *, memory_mib: float = 50.0, size_mib: float = 5.0, drop: float = 0.0,
         spread: float = 1.0, trials: int = 5, device: str = "phone") -> CellResult:
    """A cell that may be recommended, by its precision's name; trials lie within 0.4 % times `spread`."""
    medians = tuple(p50_ms * (1 + spread * offset) for offset in OFFSETS[5 - trials:])
    return replace(
        ok_cell(device), cell=f"m/onnx/{name}@{device}", model="m", precision=name, trial_medians_ms=medians,
        latency_ms=Latency(p50_ms, medians[0], medians[-1]), trials=trials,
        memory_mib=Memory(memory_mib), trial_peak_rss_mib=tuple(memory_mib * (1 + offset / 10) for offset in OFFSETS),
        artifact=ArtifactRef("a" * 64, int(size_mib * MIB)), accuracy=Accuracy("top1", 0.9 - drop, 1000, drop),
        outputs=Outputs("ok", agreement=1.0 - abs(drop)), trial_seconds=2.0)


def on(cells: Sequence[CellResult], **wishes: object) -> Recommendation:
    (found,) = recommend(RunResult(run_info(), tuple(cells)), "m", Wishes(**wishes))  # type: ignore[arg-type]
    return found


def standing(found: Recommendation, name: str) -> Candidate:
    return next(item for item in found.candidates if item.cell.precision == name)


def test_the_choice_is_the_best_by_the_objective() -> None:
    cells = [cell("fast", 4, memory_mib=90, size_mib=9), cell("lean", 8, memory_mib=40, size_mib=9),
             cell("small", 9, memory_mib=90, size_mib=2)]
    by: dict[Objective, str] = {"latency": "fast", "memory": "lean", "size": "small"}
    for objective, name in by.items():
        found = on(cells, objective=objective)
        assert found.choice and found.choice.precision == name and found.equal == ()


def test_a_device_that_drifts_does_not_hide_which_cell_is_faster() -> None:
    drifting = tuple(1 + 0.03 * turn for turn in range(8))
    fast, slow = (replace(cell(name, p50_ms), trials=8, trial_medians_ms=tuple(p50_ms * each for each in drifting))
                  for name, p50_ms in (("int8", 4.0), ("fp32", 4.3)))
    assert standing(on([fast, slow]), "fp32").standing == "behind"
    fewer = replace(slow, trials=7, trial_medians_ms=slow.trial_medians_ms[:7])
    assert standing(on([fast, fewer]), "fp32").standing != "behind"


def test_each_alternative_says_what_it_loses_and_why_it_was_not_chosen() -> None:
    found = on([cell("int8", 4, drop=0.007), cell("fp32", 5.6, memory_mib=62, size_mib=14)])
    other = standing(found, "fp32")
    assert (other.standing, other.losses, other.gains) == (
        "behind", ("+40 % latency", "+12.0 MiB memory", "+9.0 MiB size"), ("+0.7 pp",))
    assert other.reason.startswith("worse by latency: ") and "40.0 %" in other.reason
    assert [item.standing for item in found.candidates] == ["chosen", "behind"]


@pytest.mark.parametrize("trials", [3, 4])
def test_a_cell_that_is_five_times_as_slow_is_not_equal_for_want_of_trials(trials: int) -> None:
    found = on([cell("int8", 4, drop=0.007, trials=trials), cell("fp32", 20, trials=trials)])
    assert found.choice and found.choice.precision == "int8" and found.equal == ()
    other = standing(found, "fp32")
    assert other.standing == "behind" and other.reason.startswith("most likely worse by latency: ")


def test_a_cell_that_is_better_by_all_its_trials_and_not_by_their_median_is_equal() -> None:
    two_speeds = [10 * (1 + step / 1000) for step in range(11)] + [20 * (1 + step / 1000) for step in range(9)]
    found = on([replace(cell("fast", 10), trial_medians_ms=tuple(two_speeds), trials=20),
                replace(cell("even", 10.5), trial_medians_ms=tuple(10.5 + step / 1000 for step in range(20)))])
    assert found.choice and [item.standing for item in found.candidates] == ["chosen", "equal"]
    assert "its median trial is no better, and all trials together are: " in found.candidates[1].reason


def test_cells_that_cannot_be_told_apart_are_equal_and_the_more_accurate_is_chosen() -> None:
    found = on([cell("int8", 4.0, drop=0.007, spread=10), cell("fp16", 4.05, spread=10), cell("fp32", 8)])
    assert found.choice and found.choice.precision == "fp16"
    assert [item.precision for item in found.equal] == ["int8"]
    assert "equal" in standing(found, "int8").reason and "accuracy, then memory, then size" in found.reason
    assert standing(found, "fp32").standing == "behind"


def test_among_equals_memory_counts_after_accuracy_and_size_after_memory() -> None:
    heavy, lean = cell("a", 4, memory_mib=80), cell("b", 4, memory_mib=60)
    assert on([heavy, lean]).choice is lean
    assert on([cell("a", 4, size_mib=3), cell("b", 4, size_mib=2)]).choice == cell("b", 4, size_mib=2)


def test_a_limit_is_kept_only_by_a_whole_interval() -> None:
    cells = [cell("in", 9.9), cell("across", 10.0), cell("beyond", 10.5)]
    found = on(cells, max_latency_ms=10.0)
    assert found.choice is cells[0]
    across = standing(found, "across")
    assert across.standing == "cannot tell"
    assert across.reason == "cannot tell: latency 10.0 ms (9.96–10.0), limit 10 ms; more trials would hardly settle it"
    assert standing(found, "beyond").reason == "latency 10.5 ms (10.5–10.5), limit 10 ms"


def test_a_limit_that_more_trials_would_settle_says_how_many() -> None:
    near = standing(on([cell("near", 9.9, spread=10)], max_latency_ms=10.0), "near")
    assert near.standing == "cannot tell" and "more trials would settle it" in near.reason


def test_memory_size_and_drop_are_limits_too() -> None:
    cells = [cell("fit", 9, memory_mib=40, size_mib=4, drop=0.001), cell("fat", 4, memory_mib=70),
             cell("big", 4, size_mib=20), cell("wrong", 4, drop=0.05)]
    found = on(cells, max_memory_mib=60, max_size_mib=10, max_drop=0.01)
    assert found.choice is cells[0]
    assert standing(found, "fat").reason.startswith("memory 70.0 MiB")
    assert standing(found, "big").reason == "size 20.0 MiB, limit 10 MiB"
    assert standing(found, "wrong").reason == "drop 5.0 ± 1.4 pp on 1000 inputs, limit 1 pp"
    assert {item.standing for item in found.candidates[1:]} == {"beyond a limit"}


def test_a_drop_whose_limit_lies_within_its_uncertainty_says_so() -> None:
    found = on([cell("int8", 4, drop=0.007)], max_drop=0.01)
    assert found.choice
    assert found.candidates[0].reason == (
        "drop 0.7 ± 0.6 pp on 1000 inputs, limit 1 pp, which lies within the uncertainty")


def test_a_drop_of_exactly_the_limit_keeps_it() -> None:
    assert on([cell("int8", 4, drop=0.9 - 0.89)], max_drop=0.01).choice


@pytest.mark.parametrize(("change", "reason"), [
    ({"outputs": None}, "its outputs were not verified"),
    ({"outputs": Outputs("differs")}, "its outputs differ from the fp32 reference"),
    ({"accuracy": None}, "its accuracy is not known"),
    ({"checks": (Check("clocks steady", "failed", "they fell"), Check("enough trials", "passed", "5"))},
     "failed: clocks steady (they fell)")])
def test_a_cell_that_was_not_verified_is_refused_however_fast(change: dict[str, object], reason: str) -> None:
    fast = replace(cell("fast", 1), **change)  # type: ignore[arg-type]
    found = on([fast, cell("slow", 9)])
    assert found.choice and found.choice.precision == "slow"
    assert (standing(found, "fast").standing, standing(found, "fast").reason) == ("refused", reason)
    assert not standing(found, "fast").front


def test_a_check_that_is_not_known_does_not_refuse() -> None:
    assert on([replace(cell("int8", 1), checks=(Check("clocks steady", "unknown", "not told"),))]).choice


def test_a_model_without_labelled_data_is_told_how_to_get_some() -> None:
    found = on([replace(cell(name, 1), accuracy=None) for name in ("fp32", "int8")])
    assert found.choice is None and "dataset: {" in found.hint
    assert "the model has no labelled data in this run" in found.reason and "2 of 2" in found.reason


def test_an_emulated_device_gets_no_recommendation() -> None:
    result = RunResult(run_info(), (replace(cell("int8", 1, device="qemu"), emulated=True), cell("int8", 2)))
    emulated, phone = recommend(result, "m", Wishes())
    assert (emulated.device, emulated.choice, emulated.reason) == ("qemu", None, EMULATED)
    assert {item.standing for item in emulated.candidates} == {"refused"}
    assert phone.choice and not phone.emulated


def test_a_cell_that_was_not_measured_is_refused_with_its_reason() -> None:
    lost = replace(lost_cell("failed", "it crashed", "device", device="phone"), model="m")
    found = on([cell("fp32", 1), lost])
    assert found.candidates[-1].reason == "not measured (failed): it crashed"


def test_where_nothing_is_left_the_limit_that_excludes_most_and_the_nearest_cell_are_named() -> None:
    cells = [cell("a", 30, memory_mib=61), cell("b", 40), cell("c", 10, memory_mib=90), cell("d", 21)]
    found = on(cells, max_latency_ms=20, max_memory_mib=60)
    assert found.choice is None
    assert found.reason == "no cell keeps all limits; latency excludes the most: 3 of 4"
    assert found.hint == "the nearest is m/onnx/d@phone: latency 21.0 ms (20.9–21.1), limit 20 ms"


def test_the_front_holds_what_no_other_beats_in_everything() -> None:
    cells = [cell("fast", 4, memory_mib=90), cell("lean", 8, memory_mib=40), cell("worst", 9, memory_mib=95),
             cell("exact", 9, memory_mib=91, drop=-0.01), replace(cell("unknown", 9), memory_mib=Memory())]
    assert [item.precision for item in pareto(cells)] == ["fast", "lean", "exact"]
    assert {item.precision for item in on(cells).front} == {"fast", "lean", "exact"}


def test_the_order_of_cells_does_not_matter() -> None:
    cells = [cell(f"p{number}", 4 + number % 3 / 100, memory_mib=50 + number % 2, spread=5) for number in range(6)]
    assert on(cells).choice == on(cells[::-1]).choice


def test_energy_and_unknown_models_are_errors() -> None:
    result = RunResult(run_info(), (cell("int8", 1),))
    with pytest.raises(ConfigError, match="no energy is measured"):
        recommend(result, "m", Wishes(objective="energy"))
    with pytest.raises(ConfigError, match=r"no model 'mm', did you mean 'm'\?"):
        recommend(result, "mm", Wishes())


def test_the_drops_uncertainty_is_that_of_matched_pairs() -> None:
    one = replace(cell("int8", 1), accuracy=Accuracy("top1", 0.88, 1000, 0.01), outputs=Outputs("ok", agreement=0.98))
    share, drop = (0.02 * 1000 + 1) / 1002, 0.01 * 1000 / 1002
    assert drop_uncertainty(one) == pytest.approx(1.96 * math.sqrt((share - drop**2) / 1002), rel=1e-3)
    unpaired = replace(one, outputs=Outputs("ok"))
    assert drop_uncertainty(unpaired) > 2 * (drop_uncertainty(one) or 1)  # type: ignore[operator]
    assert drop_uncertainty(replace(one, accuracy=Accuracy("top1", 0.88, 1000, None))) is None


def disturbed(found: CellResult, fastest_ms: float | None = None) -> CellResult:
    """The same measured while others took the processor."""
    seen = Steadiness("processor", 5, 5, "other processes used 1.9 of 2 cores")
    return replace(found, steadiness=(seen,), latency_ms=replace(found.latency_ms, min=fastest_ms),
                   checks=(Check(UNDISTURBED, "failed", "other processes used 1.9 of 2 cores"),))


@pytest.mark.parametrize("fastest_ms", [None, 2.0, 7.9])
def test_a_neighbours_work_does_not_decide_the_choice(fastest_ms: float | None) -> None:
    found = on([cell("int8", 4), disturbed(cell("fp32", 12), fastest_ms), cell("fp16", 9)])
    assert found.choice is None and found.equal == ()
    assert found.reason.startswith("measure again: m/onnx/fp32@phone was disturbed: other processes used 1.9 of 2 ")
    assert "m/onnx/int8@phone" in found.hint
    assert [standing(found, name).standing for name in ("fp32", "int8", "fp16")] == [
        "cannot tell", "cannot tell", "behind"]


def test_a_disturbed_cell_that_cannot_win_hinders_nothing() -> None:
    choices = [on([cell("int8", 4), disturbed(cell("fp32", 12), 9.0)]),
               on([cell("int8", 4), disturbed(cell("fp32", 12, size_mib=50), 2.0)], max_size_mib=20.0),
               on([cell("int8", 4, drop=0.001), disturbed(cell("fp32", 12, drop=0.1), 2.0)], max_drop=0.01)]
    assert [found.choice and found.choice.precision for found in choices] == ["int8"] * 3


def test_what_others_work_does_not_move_is_recommended_all_the_same() -> None:
    cells = [cell("int8", 4, memory_mib=60, size_mib=3), disturbed(cell("fp32", 12, memory_mib=40, size_mib=2))]
    for objective in ("memory", "size"):
        found = on(cells, objective=objective)
        assert found.choice and found.choice.precision == "fp32"
        assert on(cells, objective=objective, max_latency_ms=5.0).choice is None, "it may be fast enough"


def test_where_everything_was_disturbed_the_answer_is_to_measure_again() -> None:
    found = on([disturbed(cell("int8", 4)), disturbed(cell("fp32", 12))])
    assert found.choice is None and found.reason.count("was disturbed") == 2


def test_no_cell_stands_out_where_a_disturbed_one_may_be_faster() -> None:
    good, slow = cell("int8", 4), cell("fp32", 12)
    assert lowest([good, slow]) == [good] and front([good, slow]) == [good]
    assert lowest([good, disturbed(slow, 2.0)]) == [] and front([good, disturbed(slow, 2.0)]) == []
    assert lowest([good, disturbed(slow, 9.0)]) == [good] and front([good, disturbed(slow, 9.0)]) == [good]
    assert not may_be_lower(slow, 100.0) and may_be_lower(disturbed(slow, 9.0), 5.0)


def test_no_gain_is_told_over_a_disturbed_fp32_nor_of_a_disturbed_cell() -> None:
    fp32, int8 = cell("fp32", 12), cell("int8", 4)
    gain = speedup(int8, baselines([fp32]))
    assert gain is not None and gain.ratio == 3
    assert speedup(int8, baselines([disturbed(fp32)])) is None
    assert speedup(disturbed(int8), baselines([fp32])) is None
