"""What a run's conditions say against its numbers, in every form of the report."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bench.collect.cells import collect
from bench.collect.marks import cores_of, different_cores, of_device
from bench.report import report
from bench.report.morning import Morning
from bench.report.page import page_data
from bench.report.terminal import table
from bench.results import CellResult, Cores, RunResult
from bench.store.records import SessionRecord
from tests.fakes.stored_phone import FACTS, RUN, seen, stored_phone

WARNING = ("throttled: 2 of 5 trials: clock fell from 2914 to 1500 MHz; VIRTUAL-SKIN rose from 31 to 42 C; "
           "thermal status 2 (moderate); samples slowed by ")


@pytest.fixture(scope="module")
def result() -> RunResult:
    return collect(stored_phone())


def session(number: int, boot: str | None, problems: list[str] | None = None) -> SessionRecord:
    return SessionRecord(number, RUN, "pixel-8", "2026-01-01T00:00:00Z", boot, "f" * 64,
                         FACTS if problems is None else FACTS | {"problems": problems}, {})


def test_only_the_cell_that_was_throttled_says_so(result: RunResult) -> None:
    fp32, fp16, int8 = result.cells
    assert (fp32.throttled, fp16.throttled, fp32.warnings, fp16.warnings) == (None, None, (), ())
    assert int8.throttled is not None and int8.warnings[0] == f"throttled: {int8.throttled}"
    assert int8.warnings[0].startswith(WARNING)


def test_what_else_changed_within_trials_is_a_warning_of_its_own() -> None:
    stored = stored_phone()
    unplugged = seen("after", battery={"level_percent": 84, "charging": False, "faked": False})
    trials = tuple(replace(trial, conditions=[*trial.conditions[:2], unplugged])
                   if trial.cell.startswith("fp32") and trial.number == 1 else trial for trial in stored.trials)
    cell = collect(replace(stored, trials=trials)).cells[0]
    assert cell.warnings == ("disturbed: 1 of 5 trials: charging began or ended during the trial",)
    assert cell.throttled is None


def test_many_reasons_are_cut_and_counted() -> None:
    stored = stored_phone()
    trials = tuple(replace(trial, conditions=[seen("during"), seen("after", clocks_mhz=[1000 + trial.number] * 9)])
                   for trial in stored.trials)
    throttled = collect(replace(stored, trials=trials)).cells[0].throttled
    assert throttled is not None and throttled.startswith("5 of 5 trials: clock fell from 2914 to 1001 MHz; ")
    assert throttled.endswith("and 1 more of the kind")


def test_every_form_of_the_report_tells_of_throttling(result: RunResult) -> None:
    page, text = str(report(Morning(result), "html")), str(report(Morning(result), "md"))
    data: Any = page_data(Morning(result))
    told = [row[data["columns"].index("throttled")] for row in data["cells"]]
    assert told[:2] == [None, None] and f"throttled: {data['texts'][told[2]]}".startswith(WARNING)
    assert WARNING in page
    assert "1. throttled: 2 of 5 trials: clock fell" in text and "ok [1]" in text
    cells = json.loads(str(report(Morning(result), "json")))["cells"]
    assert [bool(cell["throttled"]) for cell in cells] == [False, False, True]
    rows = list(csv.DictReader(StringIO(str(report(Morning(result), "csv")))))
    assert [row["throttled"] for row in rows] == ["False", "False", "True"]
    printed = _printed(result)
    assert "throttled onnxruntime/cpu, 4 threads int8: 2 of 5 trials: clock fell" in printed
    assert printed.count("throttled") == 1


def test_every_form_of_the_report_tells_of_a_restart_and_of_what_was_not_understood(result: RunResult) -> None:
    restart = "restarted during the run: its 2 sessions were of 2 boots"
    unclear = "not understood: dumpsys power: no state of the display"
    assert json.loads(str(report(Morning(result), "json")))["devices"][0]["warnings"][0] == restart
    for text in (str(report(Morning(result), "html")), str(report(Morning(result), "md")), _printed(result)):
        assert restart in text and unclear in text
    assert _printed(result).count(restart) == 1


def test_a_phone_is_shown_with_its_facts_and_conditions(result: RunResult) -> None:
    text = re.sub(r"<[^>]+>", " ", str(report(Morning(result), "html")))
    for words in ("Google Pixel 8 Pro · Google Tensor G3 · aarch64 · 9 cores", "Android 14 (API 34)",
                  "security patch 2024-05-05", "trials pinned to big cores: 4-8",
                  "4 of 160 up to 1704 MHz; 4 of 498 up to 2367 MHz; 1 of 1024 up to 2914 MHz"):
        assert words in text
    pairs = dict(re.findall(r"<dt>(.+?)</dt><dd>(.+?)</dd>", str(report(Morning(result), "html"))))
    assert pairs["battery level"] == "84 %" and pairs["battery charging"] == "yes" and pairs["screen on"] == "no"
    assert pairs["thermal status"] == "0 (none) to 2 (moderate)" and pairs["sensors BIG"] == "48 to 79 °C"
    assert "fingerprint" in " ".join(pairs) and "Android model" not in pairs and "problems" not in pairs
    assert "VmHWM" in text and "counts as 1/n" in text


def test_a_phone_with_a_hundred_sensors_is_cut_and_says_so(result: RunResult) -> None:
    many: dict[str, object] = {"sensors_c": {f"zone{number}": 30.0 for number in range(100)}}
    page = str(report(Morning(replace(result, devices=(replace(result.devices[0], conditions=(many,)),))), "html"))
    assert page.count("<dt>sensors zone") == 40 and "60 left out" in page


def test_a_device_without_a_battery_says_nothing_of_one(result: RunResult) -> None:
    none = seen("before", battery=None, thermal_status=None, screen_on=None, temperature_of=None, temperature_c=None)
    page = str(report(Morning(replace(result, devices=(replace(result.devices[0], conditions=(none,)),))), "html"))
    assert not re.search("<dt>(battery|thermal status|screen on|temperature of)<", page)
    assert "<dt>temperature</dt><dd>not known</dd>" in page


def test_a_device_of_one_boot_has_no_warning_whatever_was_reconnected() -> None:
    assert of_device([session(1, "a"), session(2, "a"), session(3, None)], []) == ()


def test_problems_are_told_once_and_bounded() -> None:
    told = of_device([session(1, "a", ["getprop: odd"])], [f"odd {number % 8}" for number in range(50)])
    assert told[0] == "not understood: getprop: odd" and len(told) == 6
    assert told[-1] == "not understood: 4 more of its answers"


def test_the_cores_of_a_cell_are_those_wanted_and_those_used(result: RunResult) -> None:
    assert result.cells[0].cores == Cores("big", (4, 5, 6, 7, 8))
    trials = stored_phone().trials
    other = replace(trials[0], settings={"cores": [4, 5], "cores_used": [4, 5]})
    assert cores_of([other]) == Cores((4, 5), (4, 5)) and cores_of([replace(other, settings={})]) is None
    assert different_cores([trials[1], other]) and not different_cores(trials)
    row = next(csv.DictReader(StringIO(str(report(Morning(result), "csv")))))
    assert (row["cores_wanted"], row["cores_used"]) == ("big", "4 5 6 7 8")


def _printed(result: RunResult) -> str:
    out = StringIO()
    Console(file=out, width=400, force_terminal=False).print(table(result))
    return out.getvalue()


QUIET = {"user": 10**9, "system": 0, "wall": 10**9, "waited": 10**6, "involuntary": 3, "cores": 9, "others": 0,
         "stolen": 0}
TAKEN = QUIET | {"waited": 8 * 10**8, "others": 7 * 10**9}
WORDS = "other processes used 7.0 of 9 cores, it waited 80 % of the time for a core"


def shared(*disturbed: int, known: bool = True, wanted: int = 5) -> CellResult:
    """The fp32 cell, with those of its five trials disturbed."""
    stored = stored_phone()
    use = {True: TAKEN, False: QUIET if known else {"user": 1, "system": 1}}
    trials = tuple(replace(trial, cpu_ns=use[trial.number in disturbed]) for trial in stored.trials)
    run = replace(stored.run, settings={"measure": {"trials": wanted}})
    return collect(replace(stored, trials=trials, run=run)).cells[0]


def test_disturbed_trials_do_not_count_where_enough_others_do() -> None:
    cell, alone = shared(2, 4), shared()
    assert (cell.trials, cell.left_out, cell.disturbed) == (3, 2, None)
    assert cell.circumstances["contention"] == "undisturbed"
    assert cell.trial_medians_ms == tuple(alone.trial_medians_ms[place] for place in (0, 2, 4))
    assert f"disturbed and not counted: 2 of 5 trials: {WORDS}" in cell.warnings
    assert not any("interrupted" in text for text in cell.warnings)


@pytest.mark.parametrize("disturbed", [(1, 2, 3), (1, 2, 3, 4, 5)])
def test_a_cell_with_too_few_undisturbed_trials_is_disturbed(disturbed: tuple[int, ...]) -> None:
    cell = shared(*disturbed)
    assert cell.trials == 5 and cell.disturbed == f"{WORDS} in {len(disturbed)} of 5 trials"
    assert "disturbed" in cell.circumstances["contention"] and f"{WORDS}" in cell.warnings[-1]


def test_of_fewer_trials_that_were_wanted_as_many_are_enough() -> None:
    assert shared(2, 3, 4, 5, wanted=1).trials == 1 and shared(1, 2, 3, 4, 5, wanted=1).trials == 5


def test_older_agents_trials_all_count_and_their_contention_is_not_known() -> None:
    cell = shared(known=False)
    assert (cell.trials, cell.disturbed, cell.circumstances.get("contention"), cell.warnings) == (5, None, None, ())
    assert [(each.told, each.unsteady) for each in cell.steadiness if each.what == "processor"] == [(0, 0)]


def test_disturbed_turns_are_left_out_of_both_sides() -> None:
    stored = stored_phone()
    mine = [trial for trial in stored.trials if trial.cell.startswith("fp32")]
    marks = {"retry_of": "earlier"}
    own = [replace(trial, number=5 + trial.number, cpu_ns=TAKEN if trial.number == 2 else QUIET,
                   settings={**trial.settings, **marks, "retry": True}) for trial in mine]
    theirs = [replace(trial, kind="baseline", cpu_ns=TAKEN if trial.number == 5 else QUIET,
                      settings={**trial.settings, **marks}) for trial in mine]
    cell = collect(replace(stored, trials=(*stored.trials, *own, *theirs))).cells[0]
    assert cell.baseline_run == "earlier"
    kept = tuple(collect(stored).cells[0].trial_medians_ms[place] for place in (0, 2, 3))
    assert cell.retry_medians_ms == cell.baseline_medians_ms == kept


def test_every_form_of_the_report_tells_of_disturbance() -> None:
    cell = shared(1, 2, 3, 4, 5)
    told = replace(collect(stored_phone()), cells=(cell,))
    data: Any = page_data(Morning(told))
    assert data["texts"][data["cells"][0][data["columns"].index("disturbed")]] == cell.disturbed
    assert json.loads(str(report(Morning(told), "json")))["cells"][0]["disturbed"] == cell.disturbed
    assert next(iter(csv.DictReader(StringIO(str(report(Morning(told), "csv"))))))["disturbed"] == "True"
    console = Console(width=300, record=True, file=StringIO())
    console.print(table(told))
    assert f"disturbed onnxruntime/cpu, 4 threads fp32: {cell.disturbed}: measure again" in console.export_text()
