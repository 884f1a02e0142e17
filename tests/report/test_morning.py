from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.report import report
from bench.report.morning import Morning, gather
from bench.store.store import Store
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights

NIGHTS = 9
SLOWER = (4.0,) * (NIGHTS - 1) + (5.0,)
CELLS = [NightCell((4.0,) * NIGHTS), NightCell(SLOWER, precision="int8"), NightCell((7.0,) * NIGHTS, runtime="tflite")]


def _morning(path: Path, night: int) -> Morning:
    with Store(path) as store:
        return gather(store, store.find_run(run_id(night)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    write_nights(path, CELLS, trials=6, circumstances=lambda night: Circumstances(
        facts={"os": "Debian 13" if night == 4 else "Debian 12"}))
    return path


def test_a_run_is_set_against_the_one_before_it(path: Path) -> None:
    told = _morning(path, NIGHTS - 1)
    assert told.comparison and told.comparison.before.run.id == run_id(NIGHTS - 2)
    calls = {pair.after.precision + pair.after.runtime: pair.latency.call for pair in told.comparison.pairs}
    assert calls["int8onnxruntime"] == "worse" and "worse" not in (calls["fp32onnxruntime"], calls["fp32tflite"])
    assert [len(cell.checks) for cell in told.result.cells] == [11, 11, 11]


def test_a_green_run_goes_before_a_newer_one_and_the_one_it_was_judged_by_before_both(path: Path) -> None:
    with Store(path) as store:
        store.set_judgement(run_id(2), {"state": "green", "outcomes": [], "baseline": None, "notes": []})
    told = _morning(path, NIGHTS - 1)
    assert told.comparison and told.comparison.before.run.id == run_id(2)
    assert "the last green run" in str(report(told, "html"))
    with Store(path) as store:
        store.set_judgement(run_id(NIGHTS - 1), {"state": "red", "outcomes": [], "baseline": run_id(1), "notes": []})
    told = _morning(path, NIGHTS - 1)
    assert told.comparison and told.comparison.before.run.id == run_id(1)


def test_the_first_run_has_no_baseline_and_histories_end_with_the_run(path: Path) -> None:
    assert _morning(path, 0).comparison is None
    told = _morning(path, 5)
    assert {len(series.points) for series in told.history.series} == {6}


def test_cells_under_another_system_are_not_compared_and_the_page_says_why(path: Path) -> None:
    told = _morning(path, 4)
    assert told.comparison and not told.comparison.pairs and len(told.comparison.refused) == 3
    page = str(report(told, "html"))
    assert "Not comparable" in page and re.search("os: Debian 12.* -&gt; Debian 13", page)


def test_a_noise_run_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    write_nights(path, CELLS, circumstances=lambda night: Circumstances(purpose="noise" if night == 5 else "measure"))
    told = _morning(path, 5)
    assert told.comparison is None and told.history.series == () and len(told.result.cells) == 3
