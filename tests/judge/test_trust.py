"""Eleven checks of a cell, each passed, failed or unknown, with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.judge.ranking import lowest, rankable
from bench.judge.trust import CHECKS, with_checks
from bench.judge.types import NoiseFloor
from bench.results import CellResult, Check, Outputs, RunResult, Steadiness
from tests.fakes.results import lost_cell, ok_cell, run_info

FLOOR = NoiseFloor("this-machine", "onnxruntime", 0.012, 34, 0.021, 6, "2026-11-20T03:00:00Z")
FLOORS = {("this-machine", "onnxruntime"): FLOOR}
STEADY = (Steadiness("clocks", 5, 0, "2790 to 2803 MHz"), Steadiness("temperature", 5, 0, "31 to 36 C"),
          Steadiness("pace", 5, 0, ""), Steadiness("processor", 5, 0, "other processes used 0.1 of 2 cores"))
GOOD = replace(ok_cell(), steadiness=STEADY, circumstances={"os": "Debian", "governor": "performance"})


def checked(cell: CellResult, floors: dict[tuple[str, str], NoiseFloor] = FLOORS) -> CellResult:
    (found,) = with_checks(RunResult(run_info(), (cell,)), floors).cells
    return found


def check(name: str, **changes: Any) -> tuple[str, str]:
    """State and reason of one check, of the good cell with these changes."""
    (found,) = [each for each in checked(replace(GOOD, **changes)).checks if each.name == name]
    return found.state, found.reason


def kept(what: str, told: int, unsteady: int, seen: str) -> tuple[Steadiness, ...]:
    new = Steadiness(what, told, unsteady, seen)  # type: ignore[arg-type]
    return tuple(new if each.what == what else each for each in STEADY)


def test_a_cell_of_which_everything_is_known_is_trusted_and_every_check_says_why() -> None:
    cell = checked(GOOD)
    assert tuple(each.name for each in cell.checks) == CHECKS and len(CHECKS) == 11
    assert {each.state for each in cell.checks} == {"passed"} and cell.badge == "trusted"
    assert all(each.reason for each in cell.checks)


def test_only_measured_cells_have_checks() -> None:
    lost = lost_cell("failed", "killed", "device")
    assert checked(lost) == lost and lost.checks == ()


@pytest.mark.parametrize(("name", "changes", "state", "reason"), [
    ("outputs verified", {"outputs": None}, "unknown", "no outputs were compared with the fp32 reference's"),
    ("outputs verified", {"outputs": Outputs("differs", 9.0, 0.41)}, "failed",
     "the outputs are not those of the fp32 reference: cosine 0.41"),
    ("outputs verified", {"outputs": Outputs("poor", sqnr_db=12.9, reason="poor outputs: SQNR 12.9 dB")}, "unknown",
     "poor outputs: SQNR 12.9 dB"),
    ("outputs verified", {"outputs": Outputs("unknown", reason="draws random numbers")}, "unknown",
     "draws random numbers"),
    ("accuracy known", {"accuracy": None}, "unknown", "it was not scored on labelled data"),
    ("placement verified", {"delegate": "xnnpack"}, "unknown",
     "the runtime does not tell which operators the delegate xnnpack took"),
    ("placement verified", {"delegate": "builtin"}, "passed",
     "the delegate builtin runs every operator on the processor"),
    ("clocks steady", {"steadiness": kept("clocks", 5, 2, "clock fell from 2803 to 1800 MHz")}, "failed",
     "clock fell from 2803 to 1800 MHz in 2 of 5 trials"),
    ("clocks steady", {"steadiness": kept("clocks", 0, 0, "")}, "unknown", "no clocks were told"),
    ("clocks steady", {"steadiness": ()}, "unknown", "no clocks were told"),
    ("clocks steady", {"steadiness": kept("pace", 5, 2, "samples slowed by 9 %")}, "failed",
     "samples slowed by 9 % in 2 of 5 trials"),
    ("clocks steady", {"steadiness": kept("pace", 5, 1, "samples slowed by 9 %")}, "passed",
     "2790 to 2803 MHz in 5 trials; samples slowed by 9 % in 1 of 5 trials"),
    ("clocks steady", {"steadiness": kept("clocks", 3, 0, "2800 MHz")}, "passed", "2800 MHz in 3 of 5 trials"),
    ("temperature steady", {"steadiness": kept("temperature", 5, 1, "skin rose from 31 to 42 C")}, "failed",
     "skin rose from 31 to 42 C in 1 of 5 trials"),
    ("temperature steady", {"steadiness": kept("temperature", 0, 0, "")}, "unknown", "no temperature was told"),
    ("processor undisturbed", {"steadiness": kept("processor", 0, 0, "")}, "unknown",
     "whether other processes took the processor was not told"),
    ("processor undisturbed", {"steadiness": ()}, "unknown", "whether other processes took the processor was not told"),
    ("processor undisturbed", {"steadiness": kept("processor", 5, 3, "other processes used 1.9 of 2 cores")}, "failed",
     "other processes used 1.9 of 2 cores in 3 of 5 trials: measure again when nothing else runs"),
    ("processor undisturbed", {}, "passed", "other processes used 0.1 of 2 cores at most in 5 trials"),
    ("enough samples", {"samples": 63}, "failed", "63 samples; 64 are needed for p90"),
    ("enough samples", {"samples": 64}, "passed", "64 samples; p99, which needs 662, is not told"),
    ("enough samples", {"samples": 662}, "passed", "662 samples"),
    ("enough trials", {"trials": 1}, "failed", "1 trial; 3 are needed for an interval that says anything"),
    ("enough trials", {"trials": 4}, "unknown", "4 trials; 5 are needed to set it against another"),
    ("enough trials", {"trials": 5}, "passed", "5 trials; 5 are needed to set it against another"),
    ("conditions comparable", {"circumstances": {"os": "Debian", "charging": "no / yes"}}, "failed",
     "its trials ran under different conditions: charging no / yes"),
    ("conditions comparable", {"circumstances": {}}, "unknown", "the trials' conditions were not told"),
    ("conditions comparable", {"trials": 1}, "unknown", "one trial has none to be compared with"),
    ("not emulated", {"emulated": True}, "failed",
     "the device is emulated: its times are those of its emulator"),
])
def test_each_check_tells_what_it_found(name: str, changes: dict[str, Any], state: str, reason: str) -> None:
    assert check(name, **changes) == (state, reason)


def test_one_trial_that_slowed_down_is_enough_where_there_is_no_other() -> None:
    alone = (Steadiness("clocks", 0, 0, ""), Steadiness("pace", 1, 1, "samples slowed by 9 %"))
    assert check("clocks steady", steadiness=alone, trials=1) == (
        "failed", "samples slowed by 9 % in 1 of 1 trials; no clocks were told")


def test_the_noise_floor_is_that_of_the_device_and_the_runtime() -> None:
    assert check("noise floor known") == (
        "passed", "equal trials differ by 1.2 % here, of 34, and 2.1 % between 6 runs")
    for changes in ({"device": "board"}, {"runtime": "tflite"}):
        assert check("noise floor known", **changes)[0] == "unknown"


def test_what_is_not_known_is_no_reason_for_mistrust_and_what_failed_is() -> None:
    assert checked(GOOD, {}).badge == "unverified" and rankable(checked(GOOD, {}))
    mistrusted = checked(replace(GOOD, trials=2))
    assert mistrusted.badge == "not trusted" and not rankable(mistrusted)


def test_a_cell_with_a_failed_check_is_never_ranked_first() -> None:
    slow = replace(GOOD, cell="slow", latency_ms=replace(GOOD.latency_ms, p50=9.0, p50_low=8.9, p50_high=9.1))
    hot = replace(GOOD, steadiness=kept("temperature", 5, 3, "skin rose from 31 to 42 C"))
    cells = [checked(hot), checked(slow)]
    assert [cell.cell for cell in lowest(cells)] == ["slow"] and lowest([cells[0]]) == []


def test_a_cell_that_has_no_checks_yet_is_ranked_as_before() -> None:
    assert GOOD.checks == () and rankable(GOOD)
    assert not rankable(replace(GOOD, checks=(Check("not emulated", "failed", ""),)))
