"""Held against the night before: a night without a measurement hides nothing from the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import Fault
from bench.run.judging import judge_run
from bench.store.store import Store
from tests.fakes.judged import EXPECT, judged, suite
from tests.fakes.nights import NightCell, run_id, write_nights


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bench.sqlite"


LOST: list[Fault] = ["busy", "infrastructure", "device"]


@pytest.mark.parametrize("fault", LOST)
def test_a_night_without_a_measurement_hides_no_regression_from_the_next(path: Path, fault: Fault) -> None:
    """Held against the night before, a cell whose device was in use then, or not reached, is held against the newest
    night on which it was measured; the others against the night before."""
    cells = [NightCell([1.0, 1.0, 3.0], model="one", lost={1: fault}), NightCell([1.0] * 3, model="two")]
    write_nights(path, cells, trials=6)
    with Store(path) as store:
        found = judged(store, 3, EXPECT.replace("last-green", "previous"))[2]
    assert {outcome.cell.split("/")[0]: (outcome.state, outcome.baseline) for outcome in found.outcomes} == {
        "one": ("broken", run_id(0)), "two": ("kept", run_id(1))}


def test_a_night_on_which_nothing_was_measured_hides_nothing(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 1.0, 1.0, 3.0], lost={1: "busy", 2: "busy"})], trials=6)
    with Store(path) as store:
        found = judged(store, 4, EXPECT.replace("last-green", "previous"))
    assert (found[3].state, found[3].outcomes[0].baseline) == ("red", run_id(0))


def test_what_was_never_measured_before_has_nothing_to_be_compared_with(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 1.0], lost={0: "busy"})], trials=6)
    with Store(path) as store:
        found = judged(store, 2, EXPECT.replace("last-green", "previous"))[1]
    assert (found.state, found.outcomes[0].reason) == (
        "green", "no result before to hold it against: nothing to compare with")


def test_a_run_that_is_named_and_did_not_measure_the_cell_judges_nothing_of_it(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 3.0], lost={0: "busy"})], trials=6)
    with Store(path) as store:
        found = judge_run(store, run_id(1), suite(EXPECT.replace("last-green", run_id(0))).config)
    assert found.state == "not judged"
    assert found.outcomes[0].reason.startswith(f"not measured in run {run_id(0)}: unplugged")


def test_what_failed_by_itself_the_night_before_is_mended_not_held_against_an_older_one(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 1.0, 3.0], lost={1: "model"})], trials=6)
    with Store(path) as store:
        found = judged(store, 3, EXPECT.replace("last-green", "previous"))[2]
    assert found.state == "green" and "has no right outputs of it" in found.outcomes[0].reason
