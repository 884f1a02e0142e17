from __future__ import annotations

import re
from dataclasses import replace

from bench.report.comment import to_comment
from bench.report.morning import Morning
from bench.results import Judgement, Outcome, RunResult
from tests.fakes.mornings import calm_morning, hostile_morning, judgement, large_morning, morning
from tests.fakes.results import HOSTILE, lost_cell, run_info


def test_a_comment_has_the_verdict_what_broke_and_where_the_rest_is() -> None:
    lines = to_comment(morning()).splitlines()
    assert lines[0] == "### vision: red: 1 broken, 1 cannot be told, 1 kept"
    assert "against run 20261120-031500-1c2d" in lines[2]
    heads = [line for line in lines if line.startswith("**")]
    assert heads == ["**Broken** (1)", "**Cannot be told** (1)", "**Devices that moved as a whole** (1)",
                     "**Failed** (2)"]
    assert lines[-1] == "Run 20261121-031500-7f3a: `bench report` with this id shows all of it."


def test_a_calm_morning_is_three_lines() -> None:
    told = calm_morning()
    kept = tuple(replace(outcome, state="kept") for outcome in judgement(told.result).outcomes)
    run = replace(told.result.run, judgement=Judgement("green", kept))
    lines = [line for line in to_comment(replace(told, result=replace(told.result, run=run))).splitlines() if line]
    assert len(lines) == 3 and lines[0] == "### vision: green: 3 kept"


def test_a_comment_stays_short_whatever_is_broken() -> None:
    told = large_morning(1000)
    lost = tuple(lost_cell("failed", f"reason {number} " + "<" * 500, "device") for number in range(50))
    outcomes = tuple(Outcome("latency_p50", cell.cell, state, "at most 20 ms", "30 ms", "@" * 2000)
                     for cell in told.result.cells for state in ("broken", "inconclusive"))
    run = replace(told.result.run, judgement=replace(judgement(told.result), outcomes=outcomes,
                                                     notes=tuple("<" * 500 for _ in range(3))))
    result = RunResult(run, (*told.result.cells, *lost))
    text = to_comment(replace(told, result=result))
    assert len(text.splitlines()) <= 40 and len(text) < 60_000
    assert "… and 992 more" in text and "… and 995 more" in text


def test_nothing_hostile_is_markup() -> None:
    text = to_comment(hostile_morning())
    assert "<" not in text and not re.search(r"(?<!\\)\]\(", text) and "@everyone" not in text and "\x1b" not in text
    assert len(HOSTILE) > 8 and "… and" in text


def test_a_run_that_was_not_judged_says_so() -> None:
    assert to_comment(Morning(RunResult(run_info(), ()))).startswith("### vision: not judged\n")
