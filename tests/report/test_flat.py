from __future__ import annotations

from dataclasses import replace

from bench.report.flat import columns, records
from bench.report.morning import Morning
from bench.results import RunResult
from tests.fakes.mornings import morning
from tests.fakes.results import ok_cell, run_info


def test_a_cells_trust_and_what_is_expected_of_it_are_columns() -> None:
    told = morning()
    cells = dict(zip((cell.cell for cell in told.result.cells), records(told), strict=True))
    judged = told.result.run.judgement
    assert judged is not None
    assert [cells[each.cell]["expectations"] for each in judged.outcomes] == ["kept", "broken", "inconclusive"]
    assert cells[judged.outcomes[1].cell]["expectations_broken"] == "latency p50 at most +5 % against last-green"
    doubted = [record for record in cells.values() if record["badge"] == "not trusted"]
    assert doubted and all(record["checks_failed"] for record in doubted)


def test_a_cell_stands_to_the_baseline_by_ratio_interval_and_verdict() -> None:
    told = morning()
    assert told.comparison is not None
    found = {record["verdict"] for record in records(told)}
    assert found == {"better", "worse", "same", "cannot tell", "not comparable", "broke", "mended", None}
    pair = told.comparison.pairs[1]
    record = next(each for each, cell in zip(records(told), told.result.cells, strict=True) if cell is pair.after)
    assert (record["verdict"], record["baseline_run"]) == (pair.latency.call, told.comparison.before.run.id)
    assert (record["ratio_vs_baseline"], record["ratio_vs_baseline_low"], record["ratio_vs_baseline_high"]) == (
        pair.latency.ratio, pair.latency.low, pair.latency.high)


def test_what_is_not_judged_and_not_compared_is_empty() -> None:
    [record] = records(Morning(RunResult(run_info(), (ok_cell(),))))
    assert list(record) == columns()
    assert all(record[name] is None for name in ("expectations", "expectations_broken", "verdict", "baseline_run",
                                                 "ratio_vs_baseline", "checks_failed"))


def test_the_worst_of_several_expectations_is_told() -> None:
    told = morning()
    judged = told.result.run.judgement
    assert judged is not None
    cell = told.result.cells[0].cell
    outcomes = tuple(replace(judged.outcomes[0], cell=cell, state=state)
                     for state in ("kept", "not judged", "inconclusive"))
    run = replace(told.result.run, judgement=replace(judged, outcomes=outcomes))
    assert records(replace(told, result=replace(told.result, run=run)))[0]["expectations"] == "inconclusive"
