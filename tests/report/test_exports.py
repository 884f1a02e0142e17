from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from io import BytesIO, StringIO

import pandas as pd
import pytest

from bench.errors import ConfigError, MissingExtra
from bench.report import FORMATS, report
from bench.report.flat import TEXT, TRUTH, WHOLE, columns
from bench.report.frame import frame
from bench.report.json import to_json
from bench.report.morning import Morning
from bench.results import Outputs, RunResult
from tests.fakes.mornings import morning
from tests.fakes.results import HOSTILE, hostile, ok_cell, run_info, typical

EMPTY = RunResult(run_info(), ())


def test_the_json_has_the_published_shape_and_order() -> None:
    data = to_json(Morning(typical()))
    assert list(data) == ["schema", "run", "cells", "devices", "comparison"]
    cell = json.loads(str(report(Morning(typical()), "json")))["cells"][0]
    assert list(cell) == ["device", "emulated", "model", "format", "precision", "runtime", "delegate", "threads",
                          "batch", "status", "reason", "fault", "artifact", "latency_ms", "throughput_per_s", "load_ms",
                          "first_inference_ms", "trials", "samples", "memory_mib", "accuracy", "outputs", "cores",
                          "throttled", "disturbed", "warnings", "badge", "checks"]
    assert list(cell["artifact"]) == ["sha256", "bytes"]
    assert list(cell["latency_ms"]) == ["p50", "p50_low", "p50_high", "p90", "p99", "min", "mean", "within_cv",
                                        "between_cv"]
    assert list(cell["memory_mib"]) == ["peak_rss", "model", "pss"]
    assert list(cell["accuracy"]) == ["metric", "value", "count", "drop", "suspect"]
    assert list(cell["outputs"]) == ["ok", "state", "max_abs", "cosine", "sqnr_db", "agreement", "reason", "part",
                                     "part_sqnr_db", "short"]
    device = json.loads(str(report(Morning(typical()), "json")))["devices"][0]
    assert list(device) == ["name", "emulated", "facts", "versions", "warnings"]


def test_numbers_that_json_cannot_hold_are_null() -> None:
    odd = replace(ok_cell(), load_ms=math.nan, outputs=Outputs("ok", 0.0, 1.0, math.inf, 1.0))
    result = RunResult(run_info(settings={"limits": {"most": math.inf}}), (odd,))
    data = json.loads(str(report(Morning(result), "json")), parse_constant=lambda name: pytest.fail(name))
    assert data["cells"][0]["load_ms"] is None and data["cells"][0]["outputs"]["sqnr_db"] is None
    assert data["run"]["settings"] == {"limits": {"most": None}}


def test_hostile_text_survives_json_unchanged() -> None:
    data = json.loads(str(report(Morning(hostile()), "json")))
    assert [cell["model"] for cell in data["cells"][::3]] == list(HOSTILE)


def test_a_frame_has_a_row_a_cell_and_types_that_know_missing() -> None:
    table = frame(Morning(typical()))
    assert len(table) == len(typical().cells) and list(table.columns) == columns()
    assert table["batch"].dtype == "Int64" and table["emulated"].dtype == "boolean"
    assert table["latency_p50_ms"].isna().sum() == sum(cell.status != "ok" for cell in typical().cells)
    assert {*TEXT, *WHOLE, *TRUTH} <= set(columns())


def test_parquet_gives_back_the_same_frame() -> None:
    data = report(Morning(typical()), "parquet")
    assert isinstance(data, bytes)
    back = pd.read_parquet(BytesIO(data))
    assert list(back.columns) == columns()
    assert back["latency_p50_ms"][0] == typical().cells[0].latency_ms.p50
    assert back["batch"].dtype == "Int64"


def test_csv_cells_never_start_a_formula() -> None:
    rows = list(csv.DictReader(StringIO(str(report(Morning(hostile()), "csv")))))
    assert len(rows) == len(hostile().cells)
    for row in rows:
        for name in TEXT:
            assert not row[name].startswith(("=", "+", "-", "@", "\t", "\r"))
            assert row[name].isprintable()
    assert {"'=cmd()", "'@everyone", "nul\\x00byte", "\\x1b[31mred\\x1b[0m"} <= {row["model"] for row in rows}


def test_negative_numbers_stay_numbers_in_csv() -> None:
    gained = replace(ok_cell(), outputs=Outputs("differs", 1.0, -0.5, -1.4, 0.1))
    row = next(csv.DictReader(StringIO(str(report(Morning(RunResult(run_info(), (gained,))), "csv")))))
    assert float(row["outputs_sqnr_db"]) == -1.4


@pytest.mark.parametrize("format_", FORMATS)
def test_a_run_without_cells_can_be_reported(format_: str) -> None:
    assert report(Morning(EMPTY), format_)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_report_is_the_same_twice(format_: str) -> None:
    assert report(Morning(typical()), format_) == report(Morning(typical()), format_)


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'html'"):
        report(Morning(EMPTY), "htm")


@pytest.mark.parametrize(("format_", "package", "extra"), [
    ("csv", "pandas", "report"), ("parquet", "pandas", "report"), ("parquet", "pyarrow", "parquet")])
def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, format_: str, package: str,
                                                   extra: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingExtra) as caught:
        report(Morning(typical()), format_)
    assert caught.value.package == package and f"bench[{extra}]" in caught.value.hint


def test_the_json_tells_of_checks_of_the_judgement_and_of_the_comparison() -> None:
    data = json.loads(str(report(morning(), "json")))
    cell = data["cells"][1]
    assert cell["badge"] == "unverified" and len(cell["checks"]) == 11
    assert list(cell["checks"][0]) == ["name", "state", "reason"]
    assert data["run"]["judgement"]["state"] == "red" and data["comparison"] is not None
    assert json.loads(str(report(Morning(typical()), "json")))["comparison"] is None
