"""The part "verdicts": its noise, its rivals, and each of its simulations in small."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu  # type: ignore[import-untyped]

from bench.convert.cache import open_cache
from bench.store.store import Store
from benchmarks import adaptive, alarms, coverage, large, rivals, same, verdicts
from benchmarks.figures import Aim, judge, rate
from benchmarks.learning import NOISE_TRIALS, learn
from benchmarks.noise_models import CENTRE_MS, MODELS, Array, Noise, autoregressive, centre_of, draw, medians
from benchmarks.setting import Setting
from benchmarks.stored import RUN
from benchmarks.trying import Case, try_out

STEADY = Noise("steady", (0.05,), sample_sd=0.0)


def logs_of(noise: Noise, cells: int = 4000, trials: int = 6, *, same_run: bool = True, run_sd: float = 0.0) -> Array:
    """Logarithms of trial medians over the true centre, (cells, 2, trials)."""
    return np.log(medians(noise, np.random.default_rng(1), cells, 1, trials, same_run=same_run,
                          run_sd=run_sd)[:, 0] / CENTRE_MS)


def test_processes_differ_by_the_sd_that_was_asked_for() -> None:
    found = logs_of(STEADY)
    assert found.std() == pytest.approx(0.05, rel=0.02)
    assert found.mean() == pytest.approx(0, abs=0.001)


def test_samples_within_a_process_follow_one_another() -> None:
    series = autoregressive(np.random.default_rng(1), (2000, 50), 0.8)
    assert series.std() == pytest.approx(1, rel=0.02)
    for lag in (1, 2, 3):
        assert np.corrcoef(series[:, lag:].ravel(), series[:, :-lag].ravel())[0, 1] == pytest.approx(0.8**lag, abs=0.02)


def test_a_drift_reaches_both_sides_of_one_run_at_its_turns() -> None:
    found = logs_of(Noise("drift", (0.0,), 0.0, drift=0.1), 1, 5)[0]
    assert found.T.ravel() == pytest.approx((np.arange(10) + 0.5) / 100)


def test_two_speeds_come_in_their_shares() -> None:
    found = logs_of(Noise("two", (0.0,), 0.0, slow_share=0.3, slow_ratio=1.25))
    assert {round(float(value), 9) for value in np.unique(found.round(9))} == {0.0, round(math.log(1.25), 9)}
    assert np.mean(found > 0) == pytest.approx(0.3, abs=0.01)


def test_two_runs_differ_by_their_shift_and_one_run_does_not() -> None:
    apart = logs_of(STEADY, 1500, 20, same_run=False, run_sd=0.03).mean(axis=2)
    together = logs_of(STEADY, 1500, 20, same_run=True, run_sd=0.03).mean(axis=2)
    assert (apart[:, 1] - apart[:, 0]).std() == pytest.approx(math.sqrt(2 * (0.03**2 + 0.05**2 / 20)), rel=0.06)
    assert (together[:, 1] - together[:, 0]).std() == pytest.approx(math.sqrt(2 * 0.05**2 / 20), rel=0.06)


def test_what_befalls_the_device_befalls_all_its_cells() -> None:
    noise = Noise("wandering", (0.0,), 0.0, wander_sd=0.05)
    found = np.log(medians(noise, np.random.default_rng(1), 3, 4, 5))
    assert np.ptp(found, axis=1).max() == pytest.approx(0)
    shifted = np.log(medians(Noise("still", (0.0,), 0.0), np.random.default_rng(1), 3, 4, 5, same_run=False,
                             device_sd=0.1))
    assert np.ptp(shifted, axis=1).max() == pytest.approx(0)
    assert np.ptp(shifted, axis=2).min() > 0.001


def test_samples_are_laid_out_by_comparison_cell_side_and_trial() -> None:
    assert draw(MODELS[1], np.random.default_rng(1), 2, 3, 4, samples=7).shape == (2, 3, 2, 4, 7)


def test_the_true_centre_of_two_speeds_lies_with_the_more_frequent_one() -> None:
    rng = np.random.default_rng(1)
    assert centre_of(STEADY, rng, 300) == pytest.approx(CENTRE_MS, rel=0.002)
    assert centre_of(Noise("two", (0.001,), 0.0, slow_share=0.3), rng, 100) == pytest.approx(CENTRE_MS, rel=0.002)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("one", "other"), [(2, 3), (5, 5), (7, 9), (12, 12), (30, 25)])
def test_the_rank_test_agrees_with_scipy(one: int, other: int, ties: bool) -> None:
    rng = np.random.default_rng(one)
    for _ in range(20):
        a, b = rng.normal(0, 2, one), rng.normal(0.5, 2, other)
        if ties:
            a, b = a.round(), b.round()
            a[0] = b[0]
        assert rivals.mann_whitney(a, b) == pytest.approx(mannwhitneyu(a, b).pvalue, rel=1e-9)


def test_equal_values_are_no_difference() -> None:
    assert rivals.mann_whitney(np.ones(5), np.ones(5)) == 1.0


def test_every_rival_sees_a_large_difference_and_its_direction() -> None:
    rng = np.random.default_rng(1)
    before = draw(STEADY, rng, 1, 1, 6)[0, 0, 0] * np.exp(0.001 * rng.standard_normal((6, 30)))
    for name, rule in rivals.RULES.items():
        assert (name, rule(before, before * 1.5), rule(before * 1.5, before)) == (name, "worse", "better")
        assert rule(before, before) == "same", name


def test_thresholds_and_velocity_want_their_least_difference() -> None:
    before = np.linspace(9.99, 10.01, 60).reshape(2, 30)
    found = {name: rule(before, before * 1.07) for name, rule in rivals.RULES.items()}
    assert found["fixed 5 %"] == "worse"
    assert found["fixed 10 %"] == found["Airspeed Velocity"] == "same"


def test_a_rate_has_wilsons_interval() -> None:
    found = rate([1] * 8 + [0] * 792)
    assert (found.median, found.count, found.hits) == (1.0, 800, 8)
    assert found.low == pytest.approx(0.508, abs=0.001)
    assert found.high == pytest.approx(1.962, abs=0.001)
    assert found.text(" %", 2) == "1.00 % (95 %: 0.51 .. 1.96; 8 of 800)"
    assert judge(found, Aim(most=1)) == "cannot tell"


def test_a_rate_of_nothing_and_of_everything_keeps_its_open_end() -> None:
    none, whole = rate([0] * 400), rate([12] * 40, 12)
    assert none.low == 0
    assert none.high == pytest.approx(0.951, abs=0.001)
    assert judge(none, Aim(most=1)) == "within aim"
    assert (whole.median, whole.high, whole.count) == (100, 100, 480)
    with pytest.raises(ValueError, match="at least one"):
        rate([])


def test_cases_that_fall_together_widen_the_interval() -> None:
    spread_out, together = rate([1] * 50 + [0] * 50, 10), rate([10] * 5 + [0] * 95, 10)
    assert spread_out.median == together.median == 5
    assert together.high is not None and spread_out.high is not None
    assert together.high > spread_out.high + 2


def test_verdicts_on_equal_and_on_slower_cells_are_counted() -> None:
    quiet = Noise("quiet", (0.003,), 0.005)
    equal = try_out(Case(quiet, 7, cells=3, comparisons=20, rivals=True))
    slower = try_out(Case(quiet, 7, cells=3, comparisons=20, ratio=1.2))
    assert (equal.false_alarms.sum(), slower.first, sum(slower.false_others)) == (0, ["worse"] * 20, 0)
    assert sum(slower.covered) > 50
    assert equal.rivals["fixed 10 %"] == Counter(same=20)
    assert equal.first == try_out(Case(quiet, 7, cells=3, comparisons=20)).first


def test_a_floor_is_learnt_from_a_noise_run_and_equal_nights() -> None:
    noise = Noise("log-normal", (0.03,), 0.0)
    floors = [learn(noise, np.random.default_rng(seed), nights=8, run_sd=0.04) for seed in range(30)]
    assert all(floor.trials == 2 * NOISE_TRIALS for floor in floors)
    assert 0.027 < np.median([floor.trial_sd for floor in floors]) < 0.042
    assert 0.025 < np.median([floor.run_sd or 0 for floor in floors]) < 0.065
    assert learn(noise, np.random.default_rng(1)).run_sd is None


def test_the_interval_of_a_quiet_cell_nearly_always_holds_its_centre() -> None:
    assert 50 <= sum(coverage.covered((MODELS[0], 5, 60))) <= 60


def test_a_run_of_quiet_and_noisy_cells_takes_fewer_trials_adaptively() -> None:
    efforts = [adaptive.simulate(seed, until=0.04) for seed in range(3)]
    assert all(effort.cells * adaptive.LEAST <= effort.adaptive <= effort.fixed for effort in efforts)
    assert sum(effort.adaptive for effort in efforts) < 0.9 * sum(effort.fixed for effort in efforts)


def numbered(count: int, first: int = 0) -> dict[str, list[Array]]:
    """Trials of one sample each, which is their number."""
    return {"tflite": [np.array([float(first + number)]) for number in range(count)]}


def test_sides_taken_in_turn_share_no_trial_and_lie_side_by_side() -> None:
    stretches = list(same.in_turn(numbered(15), 3, 20, np.random.default_rng(1)))
    assert [len(splits) for splits in stretches] == [20, 20]
    for begin, splits in zip((0, 6), stretches, strict=True):
        for split in splits:
            before, after = (same.medians_of(side)["tflite"] for side in (split.before, split.after))
            assert sorted((*before, *after)) == list(range(begin, begin + 6))
            assert all(abs(a - b) == 1 for a, b in zip(before, after, strict=True))


def test_sides_of_two_runs_come_from_either_run() -> None:
    found = [same.medians_of(side)["tflite"] for (split,) in same.apart(numbered(9), numbered(8, 100), 4)
             for side in (split.before, split.after)]
    assert found == [(0, 1, 2, 3), (100, 101, 102, 103), (4, 5, 6, 7), (104, 105, 106, 107)]


def test_splits_of_one_stretch_are_worth_one_case_a_cell() -> None:
    rng = np.random.default_rng(1)
    trials = {name: list(10 * np.exp(0.004 * rng.standard_normal((12, 30)))) for name in ("tflite", "torch")}
    equal = same.judged(same.in_turn(trials, 6, 10, rng), same_run=True, floors={})
    slower = same.judged(same.in_turn(trials, 6, 10, rng), same_run=True, floors={}, factor=1.2)
    share = same.shares(equal, "bench", "better", "worse")
    assert (share.hits, share.count) == (0, 20)
    assert share.high == pytest.approx(65.8, abs=0.1)
    assert same.shares(slower, "bench", "worse").median == same.shares(slower, "fixed 10 %", "worse").median == 100


def test_nights_are_copies_under_dates_of_their_own(tmp_path: Path) -> None:
    large.store_nights(tmp_path / "bench.sqlite", 3, cells=4)
    with Store(tmp_path / "bench.sqlite") as store:
        runs = store.runs()
        assert (len({run.started for run in runs}), runs[0].id) == (3, RUN)
        assert [len(store.load(run).trials) for run in runs] == [80] * 3
        assert len(store.load(runs[1]).sessions) == 5


def test_every_simulation_runs_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (alarms, coverage):
        monkeypatch.setattr(module, "MODELS", MODELS[:2])
    monkeypatch.setattr(alarms, "FLOORS", 2)
    setting = Setting(True, 1, tmp_path, open_cache(tmp_path), lambda line: None)
    figures, remarks = verdicts.simulated(setting, verdicts.Effort(48, 20, 3, 1))
    titles = {figure.name.split(":")[0] for figure in figures}
    assert {"false alarms, one run", "5 % slower found", "interval of p50"} <= titles
    assert "the verdict: " in remarks[0]
