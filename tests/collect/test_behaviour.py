"""What a cell says of how its model behaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.results import CellResult
from bench.store.packing import pack, unpack
from bench.store.records import TrialRecord
from tests.collect.test_cells import cell_of, trial

DIFFERS = "output 0 differs by up to 0.5 when run again (its values reach 2)"


def found(number: int = 1, **findings: Any) -> TrialRecord:
    known = {"inputs_changed": False, "cycle": 1, "by_sample_ns": None, "repeats": {"ok": True, "reason": None,
                                                                                   "host": None}}
    return trial(number, [2.0] * 40, findings={**known, **findings})


def told(cell: CellResult, word: str) -> list[str]:
    return [text for text in cell.warnings if word in text]


def by_sample(*ms: float, rounds: int = 6) -> list[list[int]]:
    random = np.random.default_rng(1)
    return [[round(each * 1e6 * wobble) for wobble in random.uniform(0.99, 1.01, rounds)] for each in ms]


def test_a_cell_whose_time_depends_on_the_input_says_from_where_to_where() -> None:
    trials = [found(number, by_sample_ns=by_sample(17.7, 0.17, 3, 3)) for number in (1, 2)]
    (text,) = told(cell_of(*trials), "depends on the input")
    assert text.startswith("time depends on the input: 0.170 to 17.7 ms (p50 is of the first verification input")


@pytest.mark.parametrize("times", [by_sample(2, 2, 2, 2), None])
def test_a_cell_whose_time_does_not_or_that_does_not_know_says_nothing(times: Any) -> None:
    assert told(cell_of(found(1, by_sample_ns=times), found(2, by_sample_ns=times)), "depends") == []


def test_trials_that_know_it_tell_for_those_that_do_not() -> None:
    assert told(cell_of(found(1), found(2, by_sample_ns=by_sample(9, 1, 1, 1)), trial(3, [2.0] * 9)), "depends")


def test_trials_of_before_there_were_findings_say_nothing() -> None:
    assert cell_of(trial(1, [2.0] * 40)).warnings == cell_of(found(1)).warnings


def test_inputs_that_were_changed_are_told_once() -> None:
    cell = cell_of(found(1, inputs_changed=True), found(2, inputs_changed=True))
    assert told(cell, "in place") == ["changes its inputs in place: they are restored before each timed inference"]


@pytest.mark.parametrize(("host", "words"), [
    (None, "gives other outputs on the same input: it keeps state between calls, or draws random numbers (output 0"),
    (False, "gives other outputs on the same input (output 0 differs"),
    (True, "gives other outputs on the same input on this device, not on the host (output 0 differs")])
def test_outputs_that_do_not_repeat_are_told_with_what_the_host_knows(host: bool | None, words: str) -> None:
    repeats = [{"ok": False, "reason": reason, "host": host} for reason in (DIFFERS, DIFFERS.replace("0.5", "0.6"))]
    (text,) = told(cell_of(*[found(number, repeats=each) for number, each in enumerate(repeats, 1)]), "other outputs")
    assert text.startswith(words)


def test_the_baselines_behaviour_is_not_the_cells() -> None:
    baseline = replace(found(1, inputs_changed=True, by_sample_ns=by_sample(9, 1, 1, 1, rounds=20)), kind="baseline")
    assert cell_of(found(1), baseline).warnings == cell_of(found(1)).warnings


def interleaved(number: int, *ms: float, turns: int = 40, between_ms: float = 0.0, **changes: Any) -> TrialRecord:
    """A trial that timed these inputs by turns, with so long between inferences."""
    random = np.random.default_rng(number)
    taken = (np.tile(ms, turns) * 1e6 * random.uniform(0.99, 1.01, turns * len(ms))).astype(int).tolist()
    one = found(number, cycle=len(ms), **changes)
    return replace(one, samples=pack(taken), sample_count=len(taken),
                   phases={**one.phases, "samples_ns": sum(taken) + int(between_ms * 1e6 * len(taken))})


def test_of_inputs_timed_by_turns_their_differences_are_no_disturbance_of_the_device() -> None:
    cell = cell_of(*[interleaved(number, 1, 1, 1, 9) for number in (1, 2, 3)])
    assert (cell.outliers, cell.throttled, told(cell, "two speeds"), told(cell, "outliers")) == (0, None, [], [])
    assert cell.latency_ms.p50 == pytest.approx(1, rel=0.02)
    assert cell.latency_ms.mean == pytest.approx(3, rel=0.02)


def test_a_device_that_slows_is_seen_through_inputs_timed_by_turns() -> None:
    steady = interleaved(1, 1, 5, turns=120)
    slowing = (unpack(steady.samples or b"") * np.repeat([1, 1.4], 120)).astype(int).tolist()
    assert cell_of(steady).throttled is None
    cell = cell_of(replace(steady, samples=pack(slowing)))
    assert cell.throttled is not None and "samples slowed" in cell.throttled


@pytest.mark.parametrize("findings", [{}, {"inputs_changed": True}])
def test_what_setting_inputs_took_is_no_part_of_the_throughput(findings: dict[str, Any]) -> None:
    ms = (2, 2) if not findings else (2,)
    cell = cell_of(interleaved(1, *ms, between_ms=10, **findings))
    assert cell.throughput_per_s == pytest.approx(500, rel=0.02)
