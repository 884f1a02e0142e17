from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bench.report.morning import Morning
from bench.report.summary import MOST_BYTES, to_summary
from bench.results import Outcome, RunResult
from tests.fakes.mornings import calm_morning, hostile_morning, judgement, large_morning, morning
from tests.fakes.results import run_info


def test_the_verdict_is_first_and_details_are_folded() -> None:
    text = to_summary(morning())
    lines = text.splitlines()
    assert lines[0] == "### vision: red: 1 broken, 1 cannot be told, 1 kept"
    assert text.index("#### Broken (1)") < text.index("#### Cannot be told (1)") < text.index("<details>")
    assert text.count("<details>") == text.count("</details>") == 3
    assert all(lines[place + 1] == "" for place, line in enumerate(lines) if line.startswith("<details>"))


def test_what_is_broken_says_where_by_how_much_and_why() -> None:
    broken = next(line for line in to_summary(morning()).splitlines() if line.startswith("- latency of"))
    assert broken == ("- latency of mobilenet fp16 onnxruntime/cpu on this-machine: +14 % (+12.8 to +15.2), p50 at "
                      "most +5 % against last-green: the whole interval is above the limit")


def test_devices_that_moved_and_what_failed_are_told() -> None:
    text = to_summary(morning())
    assert "#### Devices that moved as a whole (1)" in text and "9 of 11 cells" in text
    assert "#### Failed (2)" in text and "SIGSEGV" in text


def test_a_calm_morning_has_no_empty_lists() -> None:
    assert "#### " not in to_summary(calm_morning())


def test_a_run_that_was_not_judged_says_so() -> None:
    assert to_summary(Morning(RunResult(run_info(), ()))).startswith("### vision: not judged\n")


def test_nothing_hostile_is_markup() -> None:
    text = to_summary(hostile_morning())
    folded = text.replace("<details>", "").replace("</details>", "").replace("<summary>", "").replace("</summary>", "")
    assert "<" not in folded
    assert not re.search(r"(?<!\\)\]\(", text) and "\x1b" not in text and "@everyone" not in text


def test_a_large_run_fits_into_a_steps_summary() -> None:
    told = large_morning(3000)
    outcomes = tuple(Outcome("latency_p50", cell.cell, "broken", "at most 20 ms", "30 ms", "x" * 500)
                     for cell in told.result.cells)
    run = replace(told.result.run, judgement=replace(judgement(told.result), outcomes=outcomes))
    text = to_summary(replace(told, result=replace(told.result, run=run)))
    assert len(text.encode()) < MOST_BYTES and "… and 2800 more" in text


def test_what_does_not_fit_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = to_summary(morning())
    monkeypatch.setattr("bench.report.summary.MOST_BYTES", len(whole.encode()) // 2)
    cut = to_summary(morning())
    assert "left out for length" in cut and len(cut) < len(whole) and cut.startswith(whole[:40])
