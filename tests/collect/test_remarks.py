"""What is said of trials that drift, follow heat or clocks, run at two speeds, or hold outliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.collect.cells import collect
from bench.results import CellResult
from bench.store.packing import pack
from bench.store.records import TrialRecord
from tests.fakes.stored_phone import seen, stored_phone

STORED = stored_phone()
CELL = STORED.cells[0]


def trial(number: int, samples: Sequence[float], **reading: Any) -> TrialRecord:
    """A trial with these samples in ms and one reading while it ran."""
    taken = [round(1e6 * sample) for sample in samples]
    return replace(STORED.trials[0], number=number, samples=pack(taken), sample_count=len(taken),
                   conditions=[seen("during", **reading)])


def noisy(centre: float, seed: int, count: int = 100, spread: float = 0.01) -> list[float]:
    return [float(value) for value in centre * np.exp(np.random.default_rng(seed).normal(0, spread, count))]


def cell_of(trials: Sequence[TrialRecord]) -> CellResult:
    return collect(replace(STORED, trials=tuple(trials))).cells[0]


def warned(trials: Sequence[TrialRecord], word: str) -> list[str]:
    return [text for text in cell_of(trials).warnings if word in text]


def centres(*values: float, **reading: Any) -> list[TrialRecord]:
    return [trial(number, noisy(value, number), **reading) for number, value in enumerate(values, start=1)]


def test_trials_that_are_alike_are_no_reason_for_a_remark() -> None:
    assert cell_of(centres(*[10.0, 10.1, 9.9, 10.05, 9.95] * 4)).warnings == ()


def test_medians_that_rise_from_trial_to_trial_are_told() -> None:
    (text,) = warned(centres(10.0, 10.3, 10.6, 10.9, 11.2), "from the first")
    assert text.startswith("trial medians rose by 1") and text.endswith("% from the first to the last of 5 trials")
    assert warned(centres(11.2, 10.9, 10.6, 10.3, 10.0), "trial medians fell")


def test_a_small_rise_is_not_told_however_certain() -> None:
    assert not warned(centres(*(10 + 0.01 * step for step in range(20))), "medians rose")


def test_trials_that_are_slower_where_it_is_hotter_are_told() -> None:
    rng = np.random.default_rng(3)
    degrees = rng.permutation(np.linspace(30, 40, 12))
    hot = [trial(place, noisy(6 + degree / 10, place), temperature_c=float(degree))
           for place, degree in enumerate(degrees, start=1)]
    assert warned(hot, "hotter") == ["trials were slower where it was hotter (rank correlation 1.00 over 12 trials)"]
    faster = [trial(place, noisy(14 - degree / 10, place), temperature_c=float(degree))
              for place, degree in enumerate(degrees, start=1)]
    assert not warned(faster, "hotter"), "faster where it is hotter is no effect of heat"


def test_trials_that_are_slower_at_lower_clocks_are_told() -> None:
    clocks = np.random.default_rng(4).permutation(np.linspace(2000, 2900, 10))
    slow = [trial(place, noisy(20_000 / clock, place), clocks_mhz=[int(clock)] * 9)
            for place, clock in enumerate(clocks, start=1)]
    assert warned(slow, "clocks were lower") == [
        "trials were slower where the clocks were lower (rank correlation 1.00 over 10 trials)"]


def test_trials_of_two_speeds_are_told_with_how_many_are_slow() -> None:
    (text,) = warned(centres(*[10.0, 12.0, 10.0] * 4), "two speeds")
    assert text.startswith("two speeds: 4 of 12 trials took ") and text.endswith("with nothing in between")


def test_samples_of_two_speeds_are_told_where_most_trials_have_them() -> None:
    rng = np.random.default_rng(5)
    trials = [trial(number, [value * (1.3 if rng.random() < 0.4 else 1.0) for value in noisy(10, number)])
              for number in range(1, 4)]
    (text,) = warned(trials, "two speeds")
    assert text.startswith("two speeds: in 3 of 3 trials some samples took up to 3")
    assert not warned([trials[0], *centres(10.0, 10.0)], "two speeds"), "one of three is not most"


def test_outliers_are_counted_and_none_is_dropped() -> None:
    trials = [trial(number, [*noisy(10, number), 90.0]) for number in range(1, 4)]
    cell = cell_of(trials)
    assert (cell.outliers, cell.samples) == (3, 303)
    assert cell.latency_ms.mean is not None and cell.latency_ms.mean > 10.7 and cell.quantiles_ms[-1] == 90.0
    assert not [text for text in cell.warnings if "outliers" in text], "under 1 %: counted, and no warning"
    many = cell_of([trial(number, [*noisy(10, number), 90.0, 95.0]) for number in range(1, 4)])
    assert "outliers: 6 of 306 samples lie more than 10 standard deviations from their trial's median; they count" in \
        many.warnings
