"""Accuracies are compared on one and the same labelled set, and on nothing else need they agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.run.judging import judge_run
from bench.store.store import Store
from tests.fakes.judged import suite
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bench.sqlite"


ACCURACY = "{accuracy_drop: {against: last-green, at_most: 1pp}}"


def drops(path: Path, night: NightCell, against: str = "last-green", despite: str = "") -> list[tuple[str, str | None]]:
    """How the accuracies of the cell's nights are judged, and against which run."""
    write_nights(path, [night], trials=3)
    expect = ACCURACY.replace("last-green", against).replace("{accuracy", f"{{{despite}accuracy", 1)
    with Store(path) as store:
        found = [judge_run(store, run_id(number), suite(expect).config) for number in range(len(night.p50_ms))]
    return [(each.state, outcome.baseline) for each in found for outcome in each.outcomes]


@pytest.mark.parametrize("against", ["last-green", "previous"])
@pytest.mark.parametrize("score", [0.90, 0.50, 0.99])
def test_an_accuracy_on_other_labels_of_the_same_number_is_not_compared(
        path: Path, against: str, score: float) -> None:
    night = NightCell([1.0, 1.0], scores=[0.90, score], labels="ab")
    assert drops(path, night, against)[1] == ("not judged", run_id(0))


def test_an_accuracy_on_other_labels_is_compared_where_the_suite_lets_that_pass(path: Path) -> None:
    night = NightCell([1.0, 1.0], scores=[0.90, 0.50], labels="ab")
    assert drops(path, night, despite="despite: [dataset], ")[1] == ("red", run_id(0))


def test_an_accuracy_is_held_against_the_newest_green_one_on_the_same_labels(path: Path) -> None:
    night = NightCell([1.0] * 4, scores=[0.90, 0.95, 0.90, 0.80], labels="aaba")
    assert drops(path, night)[2:] == [("not judged", run_id(1)), ("red", run_id(1))]


def test_an_accuracy_needs_no_system_that_is_as_it_was(path: Path) -> None:
    """Its newest green night is the baseline, also where that was measured under another one."""
    cell = NightCell([1.0] * 3, scores=[0.90, 0.92, 0.90], labels="aaa")
    write_nights(path, [cell], trials=3, circumstances=lambda night: Circumstances(facts={"os": f"Debian {night % 2}"}))
    with Store(path) as store:
        found = [judge_run(store, run_id(night), suite(ACCURACY).config) for night in range(3)]
    assert [each.outcomes[0].baseline for each in found] == [None, run_id(0), run_id(1)]
    assert [each.state for each in found] == ["green", "green", "red"]
