from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from bench.errors import ConfigError
from bench.judge.compare import compare_results, compare_runs, compare_sides
from bench.judge.sides import find_sides
from bench.judge.types import NoiseFloor, Pair, Side, Verdict
from bench.judge.verdict import judge
from bench.results import CellResult, Outputs, RunResult
from bench.store.store import Store
from tests.fakes.compared import AFTER, ALIKE, BEFORE, compared, lost, night, timed
from tests.fakes.nights import Circumstances, NightCell, write_nights
from tests.fakes.results import run_info

MODELS = ("mobilenet", "resnet", "unet")
WRONG = Outputs("differs", 11.0, 0.4)


def calls(before: list[CellResult], after: list[CellResult]) -> dict[str, str]:
    return {pair.after.model: pair.latency.call for pair in compared(before, after).pairs}


def test_each_kind_of_answer_is_given() -> None:
    found = night()
    assert {pair.after.model: pair.latency.call for pair in found.pairs} == {
        "mobilenet": "worse", "resnet": "better", "unet": "same", "yolo": "cannot tell", "bert": "same"}
    memory = {pair.after.model: pair.memory.call for pair in found.pairs if pair.memory}
    assert memory["bert"] == "worse" and {call for model, call in memory.items() if model != "bert"} == {"same"}
    assert [cell.model for cell in found.broke] == ["crash"] and [cell.model for cell in found.mended] == ["heal"]
    assert [(item.after.model, item.differences[0].name) for item in found.refused] == [("tiny", "os")]
    assert [name.split("/")[0] for name in found.only_before + found.only_after] == ["old", "new"]


def test_swapping_the_sides_mirrors_the_verdicts() -> None:
    before, after = [timed(model) for model in MODELS], [
        timed(model, ratio=ratio, turn=1) for model, ratio in zip(MODELS, (1.2, 0.8, 1.0), strict=True)]
    assert calls(before, after) == {"mobilenet": "worse", "resnet": "better", "unet": "same"}
    assert calls(after, before) == {"mobilenet": "better", "resnet": "worse", "unet": "same"}


def test_the_order_of_cells_does_not_matter() -> None:
    before, after = [timed(model) for model in MODELS], [timed(model, ratio=1.04, sd=0.02, turn=1) for model in MODELS]
    found = compared(before, after).pairs
    assert found == compared(before[::-1], after).pairs[::-1]


def test_chance_is_shared_out_over_all_cells_of_a_comparison() -> None:
    lone = compared([timed()], [timed(ratio=1.06, sd=0.03, turn=1)]).pairs[0].latency
    others = [timed(f"m{number}", turn=number % 6) for number in range(60)]
    among = compared([timed(), *others], [timed(ratio=1.06, sd=0.03, turn=1), *others]).pairs[0].latency
    assert lone.p is not None and among.p is not None and among.p > 10 * lone.p
    assert (lone.call, among.call) == ("worse", "cannot tell")


def test_a_difference_below_the_clocks_resolution_is_none() -> None:
    def tiny(ratio: float) -> CellResult:
        return timed(trial_medians_ms=tuple(0.02 * ratio * value / 4 for value in timed(sd=0.001).trial_medians_ms))
    assert compared([tiny(1)], [tiny(1.2)]).pairs[0].latency.call == "same"
    assert compared([tiny(1)], [tiny(1.4)]).pairs[0].latency.call == "worse"


def test_a_cell_whose_outputs_became_wrong_broke_however_fast_it_is() -> None:
    found = compared([timed()], [timed(ratio=0.5, outputs=WRONG)])
    assert not found.pairs and [cell.outputs for cell in found.broke] == [WRONG]
    back = compared([timed(outputs=WRONG)], [timed()])
    assert not back.pairs and len(back.mended) == 1
    still = compared([timed(outputs=WRONG)], [timed(outputs=WRONG, ratio=1.3)])
    assert still.pairs[0].latency.call == "worse" and not still.broke


def test_a_cell_that_no_longer_converts_broke_and_one_that_the_suite_leaves_out_is_on_one_side() -> None:
    found = compared([timed()], [lost(timed(), "skipped", "model")])
    assert [cell.status for cell in found.broke] == ["skipped"]
    found = compared([timed()], [lost(timed(), "skipped", "config")])
    assert not found.broke and found.only_before == (timed().cell,)


def test_cells_that_failed_on_both_sides_are_no_news() -> None:
    found = compared([lost(timed())], [lost(timed())])
    assert not (found.pairs or found.broke or found.mended or found.only_before or found.only_after)


def test_one_thread_less_is_refused_and_named_and_worse_when_it_is_let_pass() -> None:
    before, after = [timed(threads=2)], [timed(threads=1, ratio=1.6)]
    refused, = compared(before, after).refused
    assert [(item.name, item.before, item.after) for item in refused.differences] == [("threads", "2", "1")]
    pair, = compared(before, after, despite=frozenset({"threads"})).pairs
    assert pair.latency.call == "worse" and pair.despite == refused.differences


def test_cells_are_matched_loosely_only_where_no_doubt_is_left() -> None:
    found = compared([timed(threads=2), timed(threads=4)], [timed(threads=1)])
    assert not found.pairs and not found.refused and len(found.only_before) == 2
    found = compared([timed(threads=1), timed(threads=2)], [timed(threads=1), timed(threads=2)])
    assert len(found.pairs) == 2 and not found.refused


def test_what_else_changed_is_noted() -> None:
    pair, = compared([timed()], [timed(source="cd" * 32, circumstances={**ALIKE, "converter": "torch 2.14"})]).pairs
    assert [item.name for item in pair.noted] == ["model's file", "converter"] and not pair.despite


def test_size_and_accuracy_are_compared_where_both_are_known() -> None:
    pair, = compared([timed()], [timed(score=0.864)]).pairs
    assert pair.size_ratio == 1.0 and pair.accuracy_change == pytest.approx(-0.02)
    pair, = compared([timed()], [timed(score=None, artifact=None, trial_peak_rss_mib=())]).pairs
    assert (pair.size_ratio, pair.accuracy_change, pair.memory) == (None, None, None)


def test_a_cell_measured_in_turn_with_the_very_artifact_of_the_other_side_is_judged_by_those_trials() -> None:
    tonight = timed(ratio=1.3)
    retried = replace(timed(ratio=1.3), baseline_run=BEFORE, retry_medians_ms=tonight.trial_medians_ms,
                      baseline_medians_ms=timed(ratio=1.29, turn=2).trial_medians_ms)
    pair, = compared([timed()], [retried]).pairs
    assert pair.retried and pair.latency.call == "same", "the whole device is slower tonight"
    other, = compared([timed()], [replace(retried, baseline_run="20260101-000000-0000")]).pairs
    assert not other.retried and other.latency.call == "worse"


def test_other_circumstances_of_the_runs_do_not_hinder_a_pair_measured_in_turn_and_are_noted() -> None:
    tonight = timed(ratio=1.3, circumstances={**ALIKE, "os": "Debian 13"})
    retried = replace(tonight, baseline_run=BEFORE, retry_medians_ms=tonight.trial_medians_ms,
                      baseline_medians_ms=timed(turn=2).trial_medians_ms)
    pair, = compared([timed()], [retried]).pairs
    assert (pair.latency.call, pair.despite, [item.name for item in pair.noted]) == ("worse", (), ["os"])
    assert pair.memory is None, "peak memory was not measured in turn"
    assert compared([timed()], [tonight]).refused


def test_noise_that_is_known_of_the_device_keeps_a_lucky_pair_from_being_called() -> None:
    before, after = [timed(sd=0.001)], [timed(ratio=1.05, sd=0.001)]
    assert compared(before, after).pairs[0].latency.call == "worse"
    floor = NoiseFloor("pixel-8", "onnxruntime", 0.05, 40, 0.03, 8)
    found = compared(before, after, floors={("pixel-8", "onnxruntime"): floor})
    assert found.pairs[0].latency.call == "cannot tell"


def test_a_wider_margin_calls_less() -> None:
    before, after = [timed()], [timed(ratio=1.08, turn=1)]
    assert compared(before, after).pairs[0].latency.call == "worse"
    wide = compared(before, after, margin=0.15)
    assert wide.pairs[0].latency.call == "same" and wide.margin == 0.15


def test_a_device_that_slowed_as_a_whole_is_named_once() -> None:
    before = [timed(model, precision) for model in MODELS for precision in ("fp32", "int8")]
    after = [timed(cell.model, cell.precision, ratio=1.09, turn=place) for place, cell in enumerate(before)]
    shift, = compared(before, after).shifts
    assert (shift.device, shift.moved, shift.cells) == ("pixel-8", 6, 6)


def test_a_layer_more_in_one_model_is_not_the_devices_doing() -> None:
    before = [timed(model, precision) for model in MODELS for precision in ("fp32", "int8")]
    after = [timed(cell.model, cell.precision, ratio=1.2 if cell.model == "unet" else 1.0, turn=place,
                   source=("cd" if cell.model == "unet" else "ab") * 32) for place, cell in enumerate(before)]
    found = compared(before, after)
    assert found.shifts == ()
    assert {pair.after.model for pair in found.pairs if pair.latency.call == "worse"} == {"unet"}


def parts(kind: str, *names: str) -> list[Side]:
    field = {"device": "device", "runtime": "runtime", "variant": "precision"}[kind]
    return [Side(kind, name, run_info(id=AFTER), {field: name}) for name in names]  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "names", "other"), [
    ("device", ("pixel-8", "orin"), timed(device="orin", ratio=0.5)),
    ("runtime", ("onnxruntime", "tflite"), timed(runtime="tflite", ratio=0.5)),
    ("variant", ("fp32", "int8"), timed(precision="int8", ratio=0.5))])
def test_parts_of_a_run_are_compared_all_else_alike(kind: str, names: tuple[str, str], other: CellResult) -> None:
    result = RunResult(run_info(id=AFTER), (timed(), other, timed("resnet")))
    sides = parts(kind, *names)
    found = compare_results(sides[0], sides[1], (result, result), {})
    pair, = found.pairs
    assert pair.latency.call == "better" and pair.after is other
    assert found.only_before == (timed("resnet").cell,) and found.shifts == ()


def judged_in_turn(monkeypatch: pytest.MonkeyPatch) -> list[list[bool]]:
    """Of each judgement from now on, whether its pairs were taken in turn."""
    seen: list[list[bool]] = []

    def remember(pairs: list[Pair], **options: float) -> tuple[Verdict, ...]:
        seen.append([pair.in_turn for pair in pairs])
        return judge(pairs, **options)

    monkeypatch.setattr("bench.judge.pairs.judge", remember)
    return seen


def test_only_cells_of_one_device_in_one_run_and_those_measured_again_were_taken_in_turn(
        monkeypatch: pytest.MonkeyPatch) -> None:
    seen = judged_in_turn(monkeypatch)
    cells = (timed(), timed(runtime="tflite"), timed(device="orin"))
    result = RunResult(run_info(id=AFTER), cells)
    for before, after in (parts("runtime", "onnxruntime", "tflite"), parts("device", "pixel-8", "orin")):
        compare_results(before, after, (result, result), {})
    again = replace(timed(turn=1), baseline_run=BEFORE, baseline_medians_ms=(10.0,) * 8, retry_medians_ms=(10.1,) * 8)
    compared([timed()], [timed(turn=1)])
    compared([timed()], [again])
    assert seen == [[True], [True], [False], [False], [False], [False], [True], [False]]


def test_a_side_with_several_cells_for_one_of_the_other_says_what_to_name() -> None:
    cells = (timed(), timed(runtime="tflite"), replace(timed(runtime="tflite"), delegate="builtin", cell="b"))
    result, sides = RunResult(run_info(id=AFTER), cells), parts("runtime", "onnxruntime", "tflite")
    with pytest.raises(ConfigError, match=r"several cells.*delegate xnnpack and builtin") as caught:
        compare_results(sides[0], sides[1], (result, result), {})
    assert "tflite/xnnpack" in caught.value.hint


def test_two_stored_nights_are_compared(tmp_path: Path) -> None:
    cells = [NightCell([4.0, 4.6], model="slow"), NightCell([4.0, 4.0], model="same", device="board")]
    write_nights(tmp_path / "s", cells, trials=6, trial_sd=0.004)
    with Store(tmp_path / "s") as store:
        after, before = store.runs()
        found = compare_runs(store, before, after)
        slow, same = found.pairs
        assert (slow.after.model, slow.latency.call, same.latency.call) == ("slow", "worse", "cannot tell")
        assert "how far two runs differ by chance is not known here" in same.latency.reason
        assert (found.before.label, found.after.label) == (before.id, after.id)
        sides = find_sides(store, "previous", "last")
        assert compare_sides(store, *sides).pairs == found.pairs
        assert [pair.after.model for pair in compare_sides(store, *sides, devices=["board"]).pairs] == ["same"]
        assert [pair.after.model for pair in compare_sides(store, *sides, models=["slow"]).pairs] == ["slow"]
        assert all(pair.after.checks for pair in found.pairs)


def test_a_night_under_another_system_is_refused(tmp_path: Path) -> None:
    write_nights(tmp_path / "s", [NightCell([4.0, 4.6])], trials=6,
                 circumstances=lambda night: Circumstances({"os": f"Debian {12 + night}"}))
    with Store(tmp_path / "s") as store:
        after, before = store.runs()
        refused, = compare_runs(store, before, after).refused
        assert [item.name for item in refused.differences] == ["os"]
        assert len(compare_runs(store, before, after, despite=frozenset({"all"})).pairs) == 1


def test_the_centres_shown_are_those_of_the_trials() -> None:
    pair, = compared([timed()], [timed(ratio=1.2)]).pairs
    assert pair.latency.ratio == pytest.approx(median(pair.after.trial_medians_ms) / median(
        pair.before.trial_medians_ms), rel=0.005)
