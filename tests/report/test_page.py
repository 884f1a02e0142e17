from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from bench.judge.ranking import lowest, pareto
from bench.report.page import MOST_POINTS, MOST_READINGS, page_data
from bench.results import DeviceSummary, Latency, RunResult
from tests.fakes.mornings import large_morning, morning
from tests.fakes.results import device, ok_cell, run_info


def _cells(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(data["columns"], row, strict=True)) for row in data["cells"]]


def test_every_cell_is_a_row_with_its_names_as_places_of_texts() -> None:
    told = morning()
    data: Any = page_data(told)
    rows = _cells(data)
    for cell, row in zip(told.result.cells, rows, strict=True):
        assert data["texts"][row["model"]] == cell.model and data["texts"][row["status"]] == cell.status
        assert (row["p50"] is None) == (cell.status != "ok")
    assert len(data["texts"]) == len(set(data["texts"]))


def test_what_stands_out_is_what_ranking_says() -> None:
    told = morning()
    cells = [cell for cell in told.result.cells if (cell.device, cell.model) == ("this-machine", "mobilenet")]
    rows = dict(zip([cell.cell for cell in told.result.cells], _cells(page_data(told)), strict=True))
    assert {cell.cell for cell in cells if rows[cell.cell]["lowest"]} == {cell.cell for cell in lowest(cells)}
    assert {cell.cell for cell in cells if rows[cell.cell]["frontOfModel"]} == {cell.cell for cell in pareto(cells)}
    for cell in told.result.cells:
        if cell.emulated or cell.badge == "not trusted" or cell.status != "ok":
            row = rows[cell.cell]
            assert not any(row[name] for name in ("rankable", "lowest", "lowestHere", "front", "frontOfModel"))
            assert not (cell.emulated and row["speedup"])


def test_a_cell_tells_how_it_stands_to_the_baseline() -> None:
    told = morning()
    data: Any = page_data(told)
    assert told.comparison
    rows = dict(zip([cell.cell for cell in told.result.cells], _cells(data), strict=True))
    for pair in told.comparison.pairs:
        assert data["texts"][rows[pair.after.cell]["change"]] == pair.latency.call
        assert math.isclose(rows[pair.after.cell]["verdict"][1], pair.latency.ratio, rel_tol=1e-4)
    refused, mended = told.comparison.refused[0].after, told.comparison.mended[0]
    assert data["texts"][rows[refused.cell]["change"]] == "not comparable"
    assert data["texts"][rows[refused.cell]["differences"][0]] == "os"
    assert data["texts"][rows[mended.cell]["change"]] == "mended"
    assert data["texts"][rows[told.comparison.broke[0].cell]["change"]] == "broke"


def test_checks_and_trials_are_all_there() -> None:
    told = morning()
    data: Any = page_data(told)
    for cell, row in zip(told.result.cells, _cells(data), strict=True):
        texts = [data["texts"][place] for place in row["checks"]]
        assert texts == [text for check in cell.checks for text in (check.name, check.state, check.reason)]
        assert len(row["medians"]) == len(cell.trial_medians_ms) and len(row["quantiles"]) == len(cell.quantiles_ms)


def test_histories_refer_to_their_cells_and_nights() -> None:
    told = morning()
    data: Any = page_data(told)
    for series, (row, state, _, points, changes) in zip(told.history.series, data["series"], strict=True):
        assert told.result.cells[row].cell == series.cell and state == series.state
        assert [data["nights"][point[0]][0] for point in points] == [point.run for point in series.points]
        assert len(changes) == len(series.changes)


def test_of_very_many_points_the_newest_are_kept() -> None:
    told = large_morning(3000, nights=28)
    data: Any = page_data(told)
    assert {len(points) for *_, points, _ in data["series"]} == {MOST_POINTS // 3000}
    newest = [point.run for point in told.history.series[0].points[-MOST_POINTS // 3000:]]
    assert [run for run, _ in data["nights"]] == newest


def test_a_long_run_has_evenly_spaced_readings() -> None:
    seen = tuple({"time": 1.79e9 + 10 * place, "temperature_c": 40.0, "clocks_mhz": [1000, 2000 + place]}
                 for place in range(1000))
    summary = replace(device(), conditions=(*seen, {"when": "after"}))
    data: Any = page_data(replace(morning(), result=RunResult(run_info(), (), (summary,))))
    readings = data["devices"][0][2]
    assert 200 <= len(readings) <= MOST_READINGS
    assert readings[0] == [1.79e9, 40, 2000, None, None] and readings[-1][0] > 1.79e9 + 9900


def test_numbers_that_json_cannot_hold_are_null() -> None:
    odd = replace(ok_cell(), latency_ms=Latency(p50=4.0, p90=math.inf), load_ms=math.nan)
    summary = DeviceSummary("d", False, {}, {}, ({"time": 1.0, "temperature_c": math.nan, "load_1m": True},))
    told = replace(morning(), result=RunResult(run_info(), (odd,), (summary,)))
    row = _cells(json.loads(json.dumps(page_data(told), allow_nan=False)))[0]
    assert row["p90"] is None and row["load"] is None and row["p50"] == 4
