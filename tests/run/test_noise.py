"""A/A: which cells it is measured on, and what it says of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError
from bench.judge.noise import find_floors
from bench.run.noise import Noise, noise_cells, noise_request, read_noise
from bench.store.packing import pack
from bench.store.records import TrialRecord
from bench.store.store import Store
from tests.fakes.fake_cells import fake_cell, fake_run
from tests.fakes.runs import Place

TWO = "net: {source: {onnx: net.onnx}}, other: {source: {onnx: net.onnx}}"


def _cells(place: Place, runtimes: tuple[str, ...] = (), *, every: bool = False) -> list[str]:
    return [item.cell.id for item in noise_cells(place.prepared(), runtimes, every=every).planned]


def test_it_is_measured_on_the_first_model_in_its_own_precision_once_per_device_and_runtime(place: Place) -> None:
    place.suite(TWO, precisions="[int8, fp32]", runtimes="[onnxruntime]", threads="[1, 2]")
    place.devices("a: {local: {}}", "b: {local: {}}")
    assert _cells(place) == ["net/onnx/fp32/onnxruntime-cpu/t1@a", "net/onnx/fp32/onnxruntime-cpu/t1@b"]


def test_with_all_every_cell_that_can_be_measured_takes_part(place: Place) -> None:
    place.suite(TWO, precisions="[fp32, int8]", runtimes="[onnxruntime, tflite]")
    assert len(_cells(place, every=True)) == 4, "an ONNX file has no way to TFLite"
    assert _cells(place, ("onnxruntime",), every=True) == _cells(place, every=True)


def test_where_nothing_is_left_it_says_why(place: Place) -> None:
    place.suite(runtimes="[onnxruntime, tflite]")
    with pytest.raises(ConfigError, match="nothing to measure: none of the suite's cells is of these runtimes"):
        _cells(place, ("torch",))
    with pytest.raises(ConfigError, match=r"nothing to measure: .*tflite"):
        _cells(place, ("tflite",))
    (place.folder / "net.onnx").write_bytes(b"no model")
    with pytest.raises(ConfigError, match="first model 'net' cannot be used"):
        _cells(place)


def test_the_request_is_for_twice_the_trials_whatever_the_suite_says(place: Place) -> None:
    place.suite(measure="{trials: 5, until: 1%, budget: 1m, min_samples: 7}")
    request = noise_request(place.request(), 20)
    measure = request.suite.config.measure
    assert (request.purpose, measure.trials, measure.until, measure.min_samples) == ("noise", 40, None, 7)


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Noise]:
    """Of a run with 24 trials of 10 ms whose logarithms have a standard deviation of 2 %, and of a cell that died."""
    rng = np.random.default_rng(4)
    run, cells = fake_run(purpose="noise"), [fake_cell("steady"), fake_cell("died", 1), fake_cell("late", 2)]
    with Store(tmp_path / "store.sqlite", create=True) as store:
        store.add_run(run, cells)
        for number in range(1, 25):
            store.add_trial(_trial("steady@here", number, 10e6 * math.exp(rng.normal() * 0.02)))
        store.add_trial(_trial("died@here", 1, None))
        noise = read_noise(store, store.load(store.runs("noise")[0]), find_floors(store))
    return {item.cell: item for item in noise}


def _trial(cell: str, number: int, nanoseconds: float | None) -> TrialRecord:
    return TrialRecord(
        run="20260101-000000-aaaa", cell=cell, session=None, kind="latency", number=number, attempt=1,
        started="2026-01-01T00:00:00Z", seconds=2.0, state="failed" if nanoseconds is None else "ok", artifact="0" * 64,
        source="0" * 64, settings={}, versions={}, conditions=[], phases={}, memory={},
        samples=None if nanoseconds is None else pack([round(nanoseconds)] * 3), sample_count=3,
        reason="the worker was killed" if nanoseconds is None else None)


def test_odd_trials_are_held_against_even_ones_and_the_floor_is_learnt(found: dict[str, Noise]) -> None:
    noise = found["steady@here"]
    assert (noise.trials, noise.seconds, noise.reason) == (12, 2.0, None)
    assert noise.floor is not None and 0.01 < noise.floor.trial_sd < 0.04
    assert noise.smallest is not None and noise.floor.trial_sd < noise.smallest < 0.2
    assert noise.seen is not None and noise.seen.call in ("same", "cannot tell") and 0.95 < noise.seen.ratio < 1.05


def test_larger_differences_need_fewer_trials_and_a_trials_time_each(found: dict[str, Noise]) -> None:
    needed = found["steady@here"].needed
    assert [item.effect for item in needed] == [0.03, 0.05, 0.10]
    trials = [item.trials or 0 for item in needed]
    assert trials[0] > trials[1] > trials[2] >= 2
    assert [item.seconds for item in needed] == [2.0 * count for count in trials]
    assert needed[0].margin < needed[0].effect, "else there is nothing to find"


def test_a_cell_that_was_not_measured_says_why(found: dict[str, Noise]) -> None:
    assert found["died@here"].reason == "the worker was killed" and found["died@here"].seen is None
    assert found["late@here"].reason == "not measured: it was interrupted before"
