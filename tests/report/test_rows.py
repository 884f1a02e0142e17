from __future__ import annotations

from dataclasses import replace

from bench.judge.ranking import baselines, lowest, overlap, pareto, speedup
from bench.report.rows import signed_points, tables, unmeasured
from bench.results import Accuracy, CellResult, Latency, Outputs
from tests.fakes.results import lost_cell, ok_cell, run_info, typical


def _timed(cell: CellResult, p50: float, low: float | None, high: float | None) -> CellResult:
    return replace(cell, latency_ms=Latency(p50=p50, p50_low=low, p50_high=high))


FP32 = _timed(ok_cell(), 4.0, 3.9, 4.1)
INT8 = _timed(ok_cell(precision="int8"), 2.0, 1.9, 2.1)


def test_the_speed_up_is_against_fp32_of_the_same_runtime_threads_and_device() -> None:
    gain = speedup(INT8, baselines([FP32]))
    assert gain is not None and gain.ratio == 2 and gain.clear
    for other in (replace(INT8, runtime="tflite"), replace(INT8, threads=2), replace(INT8, device="other")):
        assert speedup(other, baselines([FP32])) is None


def test_overlapping_intervals_make_a_speed_up_unclear() -> None:
    near = _timed(ok_cell(precision="fp16"), 3.9, 3.8, 4.0)
    gain = speedup(near, baselines([FP32]))
    assert gain is not None and not gain.clear
    assert overlap(FP32, _timed(near, 3.0, None, None))


def test_an_emulated_device_has_no_speed_up_and_is_never_ranked() -> None:
    fp32, int8 = replace(FP32, emulated=True), replace(INT8, emulated=True)
    assert speedup(int8, baselines([fp32])) is None
    assert lowest([fp32, int8]) == [] and pareto([fp32, int8]) == []


def test_a_cell_with_wrong_or_unchecked_outputs_is_never_the_lowest() -> None:
    wrong = replace(INT8, outputs=Outputs("differs"))
    unchecked = replace(INT8, outputs=None)
    assert lowest([FP32, wrong, unchecked]) == [FP32]
    assert pareto([FP32, wrong, unchecked]) == [FP32]


def test_cells_that_cannot_be_told_from_the_lowest_stand_beside_it() -> None:
    near = _timed(ok_cell(runtime="tflite", precision="int8"), 2.05, 1.95, 2.2)
    assert lowest([FP32, near, INT8]) == [INT8, near]


def test_the_pareto_line_leaves_out_what_is_both_slower_and_less_accurate() -> None:
    worse = replace(_timed(ok_cell(precision="fp16"), 3.0, 2.9, 3.1), accuracy=Accuracy("top1", 0.80, 1000, 0.08))
    assert pareto([FP32, worse, INT8]) == [INT8, FP32]


def test_rows_are_ordered_by_runtime_and_then_from_wide_to_narrow() -> None:
    table = tables(typical())[0]
    assert [row.runtime for row in table.rows[::4]] == ["onnxruntime", "tflite", "torch", "executorch"]
    assert [row.precision for row in table.rows[:4]] == ["fp32", "fp16", "int8-dynamic", "int8"]


def test_a_table_holds_every_cell_of_its_model_and_device_once() -> None:
    result = typical()
    shown = [row.cell.cell for table in tables(result) for row in table.rows]
    assert sorted(shown) == sorted(cell.cell for cell in result.cells)


def test_unknown_values_are_a_dash_and_unchecked_outputs_say_so() -> None:
    bare = replace(ok_cell(score=None), latency_ms=Latency(), outputs=None, artifact=None, load_ms=None)
    row = tables(replace(typical(), cells=(bare,)))[0].rows[0]
    assert {row.p50, row.interval, row.p90, row.size, row.accuracy, row.drop, row.sqnr} == {"-"}
    assert row.outputs == "not checked"


def test_identical_outputs_have_an_infinite_ratio_to_noise() -> None:
    same = replace(ok_cell(), outputs=Outputs("ok", 0.0, 1.0, None, 1.0))
    assert tables(replace(typical(), cells=(same,)))[0].rows[0].sqnr == "∞"


def test_a_warning_that_several_cells_share_is_one_footnote() -> None:
    cells = tuple(replace(cell, warnings=("hot", f"only {i}")) for i, cell in enumerate((FP32, INT8)))
    table = tables(replace(typical(), cells=cells))[0]
    assert table.footnotes == ("hot", "only 0", "only 1")
    assert [row.notes for row in table.rows] == [(1, 2), (1, 3)]


def test_cells_lost_for_the_same_reason_are_told_together_failures_first() -> None:
    skipped = [lost_cell("skipped", "no kernel", "model", precision=precision) for precision in ("fp16", "int8")]
    groups = unmeasured([*skipped, lost_cell("failed", "crashed", "device"), ok_cell()])
    assert [(group.status, len(group.cells)) for group in groups] == [("failed", 1), ("skipped", 2)]


def test_a_lost_cell_without_a_reason_says_that_none_was_stored() -> None:
    lost = replace(lost_cell("failed", "", "device"), reason=None, fault=None)
    assert unmeasured([lost])[0].reason == "no reason was stored"
    assert tables(replace(typical(), cells=(lost,), run=run_info()))[0].rows[0].lost == "no reason was stored"


def test_a_drop_of_almost_nothing_has_no_minus() -> None:
    assert [signed_points(drop) for drop in (None, -0.0001, 0.0, 0.0074, -0.002)] == ["-", "0.0", "0.0", "0.7", "-0.2"]
