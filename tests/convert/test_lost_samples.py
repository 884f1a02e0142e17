from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.convert.gate import compare
from bench.convert.grades import grade
from bench.convert.lost_samples import look_for

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, sample=st.integers(0, 7), shape=st.sampled_from([(1,), (10,), (3, 12, 12)]),
       scale=st.floats(2.0, 1e3))
def test_a_small_sample_that_is_wrong_is_found_among_large_ones(
        seed: int, sample: int, shape: tuple[int, ...], scale: float) -> None:
    random = np.random.default_rng(seed)
    reference = random.uniform(1.0, 2.0, (8, *shape)) * scale
    reference[sample] = random.uniform(1.0, 2.0, shape)
    found = reference * (1 + 1e-7)
    found[sample] = -found[sample]
    lost = look_for(0, reference, found)
    assert lost is not None and (lost.sample, lost.count, lost.size, lost.kind) == (sample, 1, 8, "noisier")
    gate = compare([reference], [found])
    assert [grade(gate, precision).state for precision in ("fp32", "fp16")] == ["differs", "differs"]
    assert grade(gate, "int8").state in ("poor", "differs")


def test_where_the_largest_value_hides_the_others_they_are_poor() -> None:
    reference = np.geomspace(1e-2, 1e3, 8).reshape(8, 1)
    step = 1e3 / 127
    gate = compare([reference], [np.rint(reference / step) * step])
    graded = grade(gate, "int8", ["mass"])
    assert gate.sqnr_db > 40 and graded.state == "poor" and graded.short == "sample"
    assert "output 'mass', 4 of 8 samples" in graded.reason and "hide" in graded.reason


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, decibels=st.floats(20, 60), size=st.integers(1, 64), samples=st.integers(8, 64))
def test_noise_that_is_alike_on_all_samples_loses_none(seed: int, decibels: float, size: int, samples: int) -> None:
    """Also where a sample's outputs lie near zero."""
    random = np.random.default_rng(seed)
    reference = random.normal(0, 5, (samples, size))
    noise = random.uniform(-1, 1, reference.shape)
    noise *= np.sqrt(np.mean(reference**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
    assert look_for(0, reference, reference + noise) is None


def test_small_probabilities_are_small_and_too_few_samples_tell_nothing() -> None:
    reference = np.array([[0.9], [0.001], [0.002], [0.003], [0.001]])
    assert look_for(0, reference, np.rint(reference * 255) / 255) is None
    assert look_for(0, np.array([[1e3], [1.0]]), np.array([[1e3], [0.0]])) is None
