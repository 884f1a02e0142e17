"""`bench run` as a gate: what it prints and how it ends when a suite expects something."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from bench.cli.run import _exit_code
from bench.config.schema import json_schema
from bench.report.judgement import headline, terminal
from bench.results import Judgement, Outcome, RunResult
from bench.store.store import Store
from tests.fakes.mornings import hostile_morning
from tests.fakes.results import ok_cell, run_info
from tests.fakes.runs import MEASURE, Place
from tests.fakes.schema import violations


def judged(*states: Any, red: bool = True) -> Judgement:
    cell = ok_cell().cell
    return Judgement("red" if red else "green", tuple(
        Outcome("latency_p50", cell, state, "at most 20 ms", "30 ms", "because") for state in states))


@pytest.mark.parametrize(("state", "judgement", "code"), [
    ("finished", None, 0), ("finished", Judgement("none"), 0), ("finished", judged("kept", red=False), 0),
    ("finished", judged("kept", "broken"), 1), ("finished", judged("inconclusive"), 1),
    ("finished", judged("inconclusive", red=False), 0), ("finished", judged("not judged"), 1),
    ("incomplete", None, 3), ("incomplete", judged("kept", red=False), 3), ("incomplete", judged("broken"), 1),
    ("incomplete", judged("inconclusive"), 3), ("interrupted", None, 130), ("interrupted", judged("broken"), 130)])
def test_what_is_broken_counts_more_than_what_is_missing(state: str, judgement: Judgement | None, code: int) -> None:
    assert _exit_code(run_info(state=state, judgement=judgement)) == code


def printed(result: RunResult) -> str:
    from rich.console import Console, Group

    screen = StringIO()
    Console(width=200, file=screen).print(Group(terminal(result)))
    return screen.getvalue()


def test_what_is_broken_is_printed_first_then_what_cannot_be_told_then_how_much_was_kept() -> None:
    result = RunResult(run_info(judgement=judged("kept", "inconclusive", "kept", "broken", "not judged")), (ok_cell(),))
    lines = printed(result).splitlines()[1:]
    assert lines[0] == "expectations red: 1 broken, 1 cannot be told, 1 not judged, 2 kept"
    assert [line.split(" latency")[0] for line in lines[1:4]] == ["broken", "cannot tell", "not judged"]
    assert lines[1] == ("broken latency_p50 of mobilenet fp32 onnxruntime/cpu on this-machine: 30 ms, at most 20 ms: "
                        "because")
    assert lines[4] == "2 expectations kept"


def test_what_cannot_be_told_is_printed_as_loudly_where_it_may_pass() -> None:
    assert "cannot tell latency_p50 of mobilenet" in printed(
        RunResult(run_info(judgement=judged("inconclusive", red=False)), (ok_cell(),)))


def test_a_long_list_is_cut_and_counted() -> None:
    text = printed(RunResult(run_info(judgement=judged(*["broken"] * 100)), (ok_cell(),)))
    assert "60 more; the report holds all" in text and text.count("latency_p50 of") == 40


def test_nothing_is_printed_of_a_suite_that_expects_nothing() -> None:
    assert printed(RunResult(run_info(judgement=Judgement("none")), ())) == ""
    assert headline(Judgement("none")) == "the suite expects nothing"


@pytest.mark.parametrize("judgement", [judged("kept", red=False), Judgement("none"), None])
def test_what_is_to_be_known_of_a_suites_history_stands_beside_its_judgement(judgement: Judgement | None) -> None:
    info = replace(run_info(judgement=judgement), host={"suite": {"notes": ["3 runs of another\x1b suite"]}})
    assert printed(RunResult(info, (ok_cell(),))).splitlines()[-1].startswith("history 3 runs of another")


def test_hostile_text_cannot_reach_the_terminal() -> None:
    text = printed(hostile_morning().result)
    assert "\x1b" not in text and "\x00" not in text and "\u202e" not in text


def test_what_cannot_be_told_is_measured_again_at_once(place: Place) -> None:
    """A single trial has no interval, and two have one."""
    place.suite(measure=MEASURE.replace("trials: 2", "trials: 1"), expect=(
        "{on_inconclusive: retry, retry_trials: 4, latency_p50: {at_most: 1h}, size: {against: last-green, "
        "at_most: +0%}}"))
    done = place.bench("run", "--json")
    assert done.returncode == 0, done.stderr
    assert "1 cell cannot be judged yet: 2 more trials of each" in done.stderr
    found = json.loads(done.stdout)
    assert violations(found, json_schema("results")) == []
    judgement = found["run"]["judgement"]
    assert judgement["state"] == "green" and found["cells"][0]["trials"] == 3
    assert [outcome["state"] for outcome in judgement["outcomes"]] == ["kept", "kept"]
    assert judgement["notes"] == ["first run of small: nothing to compare with",
                                  "1 cell measured again by up to 2 more, for what could not be told"]


def test_a_run_that_is_taken_up_again_is_judged_at_its_end(place: Place) -> None:
    place.suite(expect="{size: {at_most: 1KiB}}")
    run = place.run().run
    with Store(place.store) as store:
        store.set_state(run.id, "interrupted", None)
    done = place.bench("run", "--resume")
    assert done.returncode == 1 and "broken size of net fp32 onnxruntime/cpu on this-machine" in done.stdout


def test_a_run_is_not_held_against_itself(place: Place) -> None:
    place.suite(expect="{size: {against: last-green, at_most: +1%}}")
    run = place.run().run
    with Store(place.store) as store:
        store.set_state(run.id, "interrupted", None)
    done = place.bench("run", "--resume", "--baseline", run.id[:10])
    assert done.returncode == 2 and "is the very run that --resume goes on with" in done.stderr


def test_a_baseline_or_a_circumstance_that_does_not_exist_ends_before_measuring(place: Place) -> None:
    place.suite(expect="{despite: [oz], size: {at_most: 1MiB}}")
    done = place.bench("run", "--baseline", "2099")
    assert done.returncode == 2 and "did you mean 'os'?" in done.stderr and "converting" not in done.stderr


@pytest.mark.parametrize("state", ["not judged", "partly judged"])
@pytest.mark.parametrize(("said", "code"), [("fail", 1), ("incomplete", 3), ("pass", 0), (None, 3)])
def test_a_night_that_could_not_be_judged_ends_as_the_suite_says(state: Any, said: str | None, code: int) -> None:
    judgement = replace(judged("not judged"), state=state, on_not_judged=said)
    assert _exit_code(run_info(state="finished", judgement=judgement)) == code
    assert _exit_code(run_info(state="incomplete", judgement=judgement)) == 3
    assert headline(judgement) == f"{state}: 1 not judged"


def test_a_change_of_options_is_measured_with_both_on_its_night(place: Place) -> None:
    expect = "{despite: [contention], latency_p50: {against: last-green, at_most: +900%}, retry_trials: 4}"
    place.suite(expect=expect)
    assert place.bench("run").returncode == 0
    place.suite(expect=expect, runtime_options="{onnxruntime: {options: {graph_optimization_level: disable}}}")
    done = place.bench("run", "--json")
    assert done.returncode == 0, done.stderr
    judgement = json.loads(done.stdout)["run"]["judgement"]
    assert judgement["state"] == "green" and "its options (none, now graph_optimization_level=disable)" in (
        judgement["outcomes"][0]["reason"])
    used = [(trial.kind, trial.settings["options"]) for trial in place.stored().trials if "retry_of" in trial.settings]
    assert used[:2] == [("latency", {"graph_optimization_level": "disable"}), ("baseline", {})]
