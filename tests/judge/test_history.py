"""Histories: each cell's series, where it changed, with what, and how it stands."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.judge.history import read_history
from bench.judge.states import LEAST_POINTS, state_of
from bench.judge.types import History, Series, State, Verdict
from bench.stats.centre import median_interval
from bench.store.store import Store
from tests.fakes.nights import Circumstances, NightCell, run_id, usual, write_nights

NIGHTS = 30


def p50(*steps: tuple[int, float], nights: int = NIGHTS, base: float = 4.0, sd: float = 0.01,
        seed: int = 0) -> list[float]:
    """A level with noise, multiplied from each night on by what is told."""
    values = base * np.exp(np.random.default_rng(seed).normal(0, sd, nights))
    for night, ratio in steps:
        values[night:] *= ratio
    return list(map(float, values))


def history(folder: Path, cells: Sequence[NightCell], circumstances: Callable[[int], Circumstances] = usual,
            **wanted: object) -> History:
    write_nights(folder / "b.sqlite", cells, circumstances=circumstances)
    with Store(folder / "b.sqlite") as store:
        return read_history(store, **wanted)  # type: ignore[arg-type]


def only(folder: Path, values: Sequence[float], circumstances: Callable[[int], Circumstances] = usual) -> Series:
    (series,) = history(folder, [NightCell(values)], circumstances).series
    return series


def test_a_coarse_clocks_zero_is_a_point_like_any_other(tmp_path: Path) -> None:
    series = only(tmp_path, [0.0] * LEAST_POINTS)
    assert series.state == "steady" and [point.p50_ms for point in series.points] == [1e-6] * LEAST_POINTS


def test_a_series_has_a_point_a_run_oldest_first_with_the_median_of_its_trials(tmp_path: Path) -> None:
    series = only(tmp_path, [4.0, 5.0, 6.0])
    assert [point.p50_ms for point in series.points] == pytest.approx([4.0, 5.0, 6.0])
    assert [point.run for point in series.points] == [run_id(night) for night in range(3)]
    assert [point.trials for point in series.points] == [3, 3, 3]
    with Store(tmp_path / "b.sqlite") as store:
        trials = [trial.median_ns / 1e6 for trial in store.medians(runs=[run_id(1)])]
    assert (series.points[1].low_ms, series.points[1].high_ms) == pytest.approx(median_interval(trials))
    assert series.points[1].versions == {
        "os": "Debian 12", "kernel": "6.1.0", "runtime": "onnxruntime 1.22.0", "agent": "f" * 8, "git": "01234567",
        "suite": "vision", "measure": "in full", "artifact": "a" * 8}


@pytest.mark.parametrize(("steps", "state"), [
    ((), "steady"), ([(29, 1.10)], "new"), ([(20, 1.08)], "sustained"), ([(28, 1.08)], "sustained"),
    ([(15, 0.8)], "improved"), ([(5, 0.8)], "steady"), ([(15, 1.1), (24, 1 / 1.1)], "recovered"),
    ([(15, 1.2), (24, 1 / 1.1)], "sustained"), ([(20, 1.1), (29, 1 / 1.1)], "recovered"), ([(29, 0.9)], "improved"),
    ([(12, 1.2), (16, 1 / 1.2), (20, 1.2), (25, 1 / 1.2)], "flaky")])
def test_the_state_says_how_a_series_stands_now(tmp_path: Path, steps: list[tuple[int, float]], state: State) -> None:
    series = only(tmp_path, p50(*steps))
    assert series.state == state, series.reason
    assert [points_until(series, change.run) for change in series.changes] == [night for night, _ in steps]
    assert [change.ratio for change in series.changes] == pytest.approx([ratio for _, ratio in steps], rel=0.03)
    assert [change.call for change in series.changes] == ["worse" if ratio > 1 else "better" for _, ratio in steps]


def points_until(series: Series, run: str) -> int:
    return [point.run for point in series.points].index(run)


def test_few_runs_are_too_short_to_tell_whatever_they_show(tmp_path: Path) -> None:
    series = only(tmp_path, [4.0, 4.0, 4.0, 8.0])
    assert (series.state, series.changes) == ("short", ())
    assert series.reason == f"4 of the {LEAST_POINTS} runs that it takes to tell"


def test_one_odd_night_long_ago_is_no_change(tmp_path: Path) -> None:
    values = p50()
    values[12] *= 2
    assert only(tmp_path, values).state == "steady"


def test_nights_off_the_level_again_and_again_are_flaky(tmp_path: Path) -> None:
    values = p50()
    for night in (12, 16, 19, 26):
        values[night] *= 1.3
    series = only(tmp_path, values)
    assert (series.state, series.changes) == ("flaky", ())


def test_a_change_tells_the_versions_that_changed_with_it_and_no_others(tmp_path: Path) -> None:
    def seen(night: int) -> Circumstances:
        return Circumstances(facts={"os": "Android 15" if night >= 20 else "Android 14"},
                             runtimes={"onnxruntime": f"onnxruntime 1.{22 + (night >= 10)}"},
                             git="b" * 40 if night >= 20 else "a" * 40, artifact=("d" if night >= 20 else "c") * 64)

    (change,) = only(tmp_path, p50((20, 1.1)), seen).changes
    assert change.versions == ("os Android 14 -> 15", "git aaaaaaaa -> bbbbbbbb", "artifact cccccccc -> dddddddd")
    assert change.started == "2026-01-21T03:15:00Z"


def test_when_most_cells_of_a_device_move_together_it_is_said_once(tmp_path: Path) -> None:
    moved = [NightCell(p50((20, 1.08), seed=number), "pixel", f"m{number}") for number in range(4)]
    other = [NightCell(p50(seed=9), "board", "m0"), NightCell(p50((10, 1.3), seed=8), "pixel", "m0", "int8")]
    found = history(tmp_path, [*moved, *other])
    (shift,) = found.shifts
    assert (shift.device, shift.call, shift.run, shift.moved, shift.cells) == ("pixel", "worse", run_id(20), 4, 5)
    assert shift.ratio == pytest.approx(1.08, rel=0.02)
    wide = {(series.model, series.cell.split("/")[2]): [change.device_wide for change in series.changes]
            for series in found.series if series.device == "pixel"}
    assert wide == {("m0", "fp32"): [True], ("m1", "fp32"): [True], ("m2", "fp32"): [True], ("m3", "fp32"): [True],
                    ("m0", "int8"): [False]}


def test_a_device_wide_shift_is_seen_when_one_model_is_asked_for(tmp_path: Path) -> None:
    cells = [NightCell(p50((29, 1.15), seed=number), "pixel", f"m{number}") for number in range(4)]
    found = history(tmp_path, cells, model="m2")
    assert [series.model for series in found.series] == ["m2"]
    assert len(found.shifts) == 1 and found.series[0].changes[0].device_wide
    assert found.series[0].state == "new"


def test_only_the_asked_runs_are_read(tmp_path: Path) -> None:
    def seen(night: int) -> Circumstances:
        return Circumstances(suite="night" if night % 2 else "day", purpose="noise" if night == 9 else "measure")

    cells = [NightCell(p50(nights=10)), NightCell([math.nan] * 9 + [4.0], "other", "late")]
    write_nights(tmp_path / "b.sqlite", cells, circumstances=seen)
    with Store(tmp_path / "b.sqlite") as store:
        def runs(**wanted: object) -> list[str]:
            series = read_history(store, **wanted).series  # type: ignore[arg-type]
            return [point.run for point in series[0].points] if series else []

        assert runs() == [run_id(night) for night in (0, 2, 4, 6, 8)], "a suite's runs are its own series"
        assert len(read_history(store, model="net").series) == 2, "a noise run is not one"
        assert runs(suite="night") == [run_id(night) for night in (1, 3, 5, 7)]
        assert runs(until=store.find_run(run_id(4)), most_runs=3) == [run_id(2), run_id(4)]
        assert runs(model="late") == runs(device="nobody") == runs(suite="evening") == []


def test_an_emulated_device_is_shown_and_marked(tmp_path: Path) -> None:
    series = only(tmp_path, [4.0] * 6, lambda _: Circumstances(facts={"emulated": True}))
    assert series.emulated and series.state == "steady"


def test_nights_without_a_cell_are_gaps_in_its_series(tmp_path: Path) -> None:
    values = p50((20, 1.2))
    values[18] = values[19] = math.nan
    series = only(tmp_path, values)
    assert len(series.points) == NIGHTS - 2
    assert [change.run for change in series.changes] == [run_id(20)]


def test_equal_nights_seldom_make_anything_new(tmp_path: Path) -> None:
    cells = [NightCell(p50(sd=0.04, seed=number), model=f"m{number}") for number in range(60)]
    found = history(tmp_path, cells)
    assert sum(series.state != "steady" for series in found.series) <= 2
    assert found.shifts == ()


def test_a_newest_run_that_cannot_be_told_leaves_the_state_to_the_levels() -> None:
    logs = np.log(p50((15, 1.1)))
    untold = Verdict("cannot tell", 1.04, 0.9, 1.2, 0.3, 0.1, "too few trials")
    assert state_of(logs, [15], untold)[0] == state_of(logs, [15], None)[0] == "sustained"


def test_thousands_of_trials_are_read_at_once(tmp_path: Path) -> None:
    cells = [NightCell(p50(nights=60, seed=number), model=f"m{number}") for number in range(30)]
    write_nights(tmp_path / "b.sqlite", cells, trials=5)
    with Store(tmp_path / "b.sqlite") as store:
        begun = time.process_time()
        found = read_history(store)
        taken = time.process_time() - begun
    assert len(found.series) == 30 and taken < 1.5, "9,000 trials; 100,000 take 1.2 s"


def flipping(night: int) -> Circumstances:
    """Every other night with another option."""
    return Circumstances(options={"graph": "off" if night % 2 else "on"})


@pytest.mark.parametrize("circumstances", [usual, flipping])
@pytest.mark.parametrize("nights", [8, 30])
def test_a_spike_is_never_steady_whatever_other_nights_were_like(
        tmp_path: Path, circumstances: Callable[[int], Circumstances], nights: int) -> None:
    """Nights with another option take nine times as long: what they differ by is no noise."""
    values = p50(nights=nights)
    if circumstances is flipping:
        values = [9 * value if night % 2 else value for night, value in enumerate(values)]
    values[-1] *= 3.7
    series = only(tmp_path, values, circumstances)
    assert series.state not in ("steady", "short"), series.reason


def test_a_spike_in_the_newest_run_that_its_trials_cannot_tell_is_called_one(tmp_path: Path) -> None:
    values = [*p50(nights=12, sd=0.01), 4.0 * 3.7]
    write_nights(tmp_path / "b.sqlite", [NightCell(values)], trials=1)
    with Store(tmp_path / "b.sqlite") as store:
        (series,) = read_history(store).series
    assert series.state == "spike" and "3.7 times its level" in series.reason
    assert [outlier.run for outlier in series.outliers] == [run_id(12)]


def test_single_runs_far_off_are_named_with_their_run(tmp_path: Path) -> None:
    values = p50()
    values[25] *= 3.7
    series = only(tmp_path, values)
    assert series.state == "steady" and "4 runs before the newest, 3.7 times its level" in series.reason
    (outlier,) = series.outliers
    assert outlier.run == run_id(25) and outlier.ratio == pytest.approx(3.7, rel=0.05)


def test_a_change_of_options_is_named_with_the_change_it_made(tmp_path: Path) -> None:
    (change,) = only(tmp_path, p50((20, 1.5)), lambda night: Circumstances(
        options={"graph": "off" if night >= 20 else "on"})).changes
    assert change.versions == ("options graph=on -> graph=off",)


def test_suites_of_one_name_have_series_of_their_own(tmp_path: Path) -> None:
    values = [value * (5 if night % 2 else 1) for night, value in enumerate(p50(nights=12))]
    found = history(tmp_path, [NightCell(values)], lambda night: Circumstances(path="ab"[night % 2]))
    assert [(series.suite, series.state, len(series.points)) for series in found.series] == [
        ("vision (a)", "steady", 6), ("vision (b)", "steady", 6)]


@pytest.mark.parametrize("state", ["interrupted"])
def test_a_run_that_was_interrupted_is_no_point(tmp_path: Path, state: str) -> None:
    series = only(tmp_path, [*p50(nights=8), 40.0], lambda night: Circumstances(
        state=state if night == 8 else "finished"))
    assert len(series.points) == 8 and series.state == "steady"
