"""Histories as text, Markdown, CSV, JSON and charts."""

from __future__ import annotations

import csv
import io
import json
import re
from xml.etree import ElementTree

import pytest

from bench.judge.types import Change, History, Point, Series, Shift, State
from bench.report.history import GAP, sections, sparkline
from bench.report.history_chart import chart
from bench.report.history_text import COLUMNS, to_csv, to_json, to_markdown, to_text
from tests.fakes.results import HOSTILE

RUNS = tuple(f"2026010{night}-031500-aaaa" for night in range(1, 7))


def series(values: list[float | None], *, cell: str = "net/onnx/int8/onnxruntime-cpu/t1", device: str = "phone",
           model: str = "net", state: State = "steady", changes: tuple[Change, ...] = (), emulated: bool = False,
           reason: str = "no change in 6 runs") -> Series:
    points = tuple(Point(run, f"{run[:4]}-{run[4:6]}-{run[6:8]}T03:15:00Z", value, value * 0.98, value * 1.02, 5,
                         {"os": "Android 14", "git": f"{place:08x}"})
                   for place, (run, value) in enumerate(zip(RUNS, values, strict=False)) if value is not None)
    return Series(f"{cell}@{device}", device, model, points, changes, state, reason, emulated)


def step(run: int, ratio: float, *, wide: bool = False, versions: tuple[str, ...] = ()) -> Change:
    return Change(RUNS[run], f"2026-01-0{run + 1}T03:15:00Z", ratio, "worse" if ratio > 1 else "better", versions, wide)


def typical() -> History:
    wide = step(3, 1.2, wide=True, versions=("os Android 14 -> 15",))
    return History((
        series([4, 4, 4, 4.8, 4.8, 4.8], state="sustained", changes=(wide,), reason="+20 % for 3 runs"),
        series([2, None, 2, 2.4, 2.4, None], cell="net/onnx/fp32/onnxruntime-cpu/t1", state="sustained",
               changes=(wide,), reason="+20 % for 2 runs"),
        series([9, 9, 9, 9, 9, 9.9], cell="other/onnx/fp32/onnxruntime-cpu/t1", model="other", state="new",
               changes=(step(5, 1.1, versions=("git a -> b", "artifact c -> d")),), reason="the newest alone"),
        series([5, 5, 5, 5, 5, 5], device="qemu", emulated=True),
    ), (Shift("phone", "worse", 1.2, 2, 3, RUNS[3], "2 of 3 cells of phone are slower, by 20 % in the middle"),))


def test_a_line_a_cell_shows_its_series_its_state_and_below_it_its_changes() -> None:
    lines = to_text(typical()).splitlines()
    at = next(place for place, line in enumerate(lines) if "other/onnx" in line)
    assert re.fullmatch(r"  other/onnx/fp32/onnxruntime-cpu/t1  ▁▁▁▁▁▆  +9\.90 ms +\+10\.0 %  new +the newest alone",
                        lines[at])
    assert lines[at + 1].split("  ")[-4:] == ["2026-01-06", RUNS[5], " +10.0 %", "git a -> b; artifact c -> d"]


def test_what_moved_the_whole_device_is_said_once_and_first() -> None:
    text = to_text(typical())
    head, *lines = text.splitlines()
    assert head == "phone" and lines[0].startswith(f"  device-wide: 2026-01-04 {RUNS[3]} +20.0 %: 2 of 3 cells")
    assert lines[0].endswith("(os Android 14 -> 15)") and text.count("Android 15") + text.count("14 -> 15") == 1
    assert text.count("with the whole device") == 4, "two states and two changes"
    assert "other/onnx" in lines[1], "what is a cell's own stands before what is the device's"


def test_an_emulated_device_is_marked() -> None:
    assert "qemu  (emulated: timings are not the device's)" in to_text(typical())
    assert "### qemu (emulated: timings are not the device's)" in to_markdown(typical())
    assert [section.emulated for section in sections(typical())] == [False, True]


def test_a_sparkline_has_gaps_where_nothing_was_measured_and_is_flat_where_nothing_happened() -> None:
    assert sparkline(series([2, None, 2.1, None, 3, 4]), RUNS) == f"▁{GAP}▁{GAP}▅█"
    assert set(sparkline(series([5, 5.01, 5, 4.99, 5, 5]), RUNS)) == {"▁"}
    assert sparkline(series([]), RUNS[:2]) == GAP * 2


def test_a_cell_that_the_newest_run_did_not_measure_says_so() -> None:
    assert "for 2 runs, with the whole device; not in the newest run" in to_text(typical())


def test_markdown_has_a_table_for_each_device() -> None:
    text = to_markdown(typical())
    assert text.count("| cell | runs | p50 | change | state | why |") == 2
    assert "- **Device-wide**: 2026-01-04" in text
    assert f"- 2026-01-06 {RUNS[5]}: other/onnx/fp32/onnxruntime-cpu/t1 +10.0 %, git a -&gt; b" in text


def test_csv_has_a_line_a_point_and_empty_cells_for_what_is_unknown() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(typical()))))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 6 + 4 + 6 + 6
    assert (rows[0]["p50_ms"], rows[0]["os"], rows[0]["kernel"], rows[0]["change_ratio"]) == ("4", "Android 14", "", "")
    assert (rows[3]["change_ratio"], rows[3]["change_device_wide"], rows[3]["state"]) == ("1.2", "True", "sustained")


def test_json_holds_all_of_it() -> None:
    found = json.loads(to_json(typical()))
    assert found["schema"] == 1 and found["shifts"][0]["moved"] == 2
    assert found["series"][2]["state"] == "new" and found["series"][2]["points"][5]["p50_ms"] == 9.9


def test_a_chart_has_a_panel_a_cell_with_its_changes() -> None:
    pytest.importorskip("matplotlib")
    svg = chart(typical(), ".svg").decode()
    ElementTree.fromstring(svg)
    assert svg.count("+20.0 % device-wide") == 2 and "+10.0 %" in svg
    assert "on qemu, emulated: steady" in svg and "2026-01-01" in svg
    assert chart(typical(), ".png").startswith(b"\x89PNG")


def test_hostile_names_are_inert() -> None:
    found = History(tuple(series([4, 4, 5], cell=name, device=name, model=name, reason=name,
                                 changes=(step(2, 1.25, versions=(name,)),)) for name in HOSTILE),
                    tuple(Shift(name, "worse", 1.2, 2, 3, RUNS[2], name) for name in HOSTILE))
    text, markdown = to_text(found), to_markdown(found)
    for shown in (text, markdown, to_csv(found), to_json(found)):
        assert not set(shown) & set("\x1b\x00\u202e\ud800") and shown.encode()
    assert "<img" not in markdown and "<script" not in markdown and "@everyone" not in markdown
    assert not any(cell.startswith(("=", "@")) for row in csv.reader(io.StringIO(to_csv(found))) for cell in row)
    pytest.importorskip("matplotlib")
    ElementTree.fromstring(chart(found, ".svg").decode())
