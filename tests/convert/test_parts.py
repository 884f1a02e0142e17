from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.convert.parts import MOST_INDICES, SHARED_UNIT, look_at

SEEDS = st.integers(0, 2**32 - 1)


def detections(random: np.random.Generator, samples: int = 8) -> np.ndarray:
    """Boxes in pixels and two scores, (samples, 1, 6, 64), as detectors give them in one tensor."""
    boxes = random.uniform(0, 640, (samples, 1, 4, 64))
    return np.concatenate([boxes, random.uniform(0, 1, (samples, 1, 2, 64))], axis=2).astype(np.float32)


def rounded(array: np.ndarray, levels: int = 255) -> np.ndarray:
    """What one scale for the whole output leaves of it."""
    step = np.ptp(array) / levels
    return (np.rint(array / step) * step).astype(np.float32)


def test_scores_that_became_zero_beside_boxes_in_pixels_are_lost() -> None:
    reference = detections(np.random.default_rng(1))
    looked = look_at(0, reference, rounded(reference))
    (part,) = looked.poor
    assert (part.axis, part.first, part.last, part.size) == (1, 4, 5, 6)
    assert (part.kind, part.value, part.lost) == ("constant", 0.0, True)
    assert part.low >= 0 and part.high <= 1 and looked.worst is not None and looked.worst.first in (4, 5)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, index=st.integers(0, 11), axis=st.integers(1, 3), constant=st.floats(-2, 2),
       scale=st.floats(1e-3, 1e3))
def test_a_dead_index_of_any_axis_is_found_and_named(seed: int, index: int, axis: int, constant: float,
                                                     scale: float) -> None:
    random = np.random.default_rng(seed)
    reference = random.normal(0, scale, (6, 12, 12, 12)).astype(np.float32) + np.float32(4 * scale)
    found = reference + random.normal(0, 0.02 * scale, reference.shape).astype(np.float32)
    place = (slice(None),) * axis + (index,)
    found[place] = np.float32(constant * scale)
    named = [part for part in look_at(0, reference, found).poor if part.axis == axis - 1]
    assert [(part.first, part.last, part.kind) for part in named if part.lost] == [(index, index, "constant")]


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, decibels=st.floats(15, 60), offset=st.floats(-5, 5), size=st.integers(2, 64))
def test_noise_that_is_alike_everywhere_loses_no_part(seed: int, decibels: float, offset: float, size: int) -> None:
    """Also where some index happens to lie near zero: its noise is that of its neighbours."""
    random = np.random.default_rng(seed)
    reference = random.normal(0, 1, (8, 1, size)) + offset * random.normal(0, 1, (1, 1, size))
    noise = random.normal(0, 1, reference.shape)
    noise *= np.sqrt(np.mean(reference**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
    assert not [part for part in look_at(0, reference, reference + noise).poor if part.lost]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, classes=st.integers(2, 200), sharpness=st.floats(1, 20))
def test_rare_classes_of_a_softmax_are_small_and_not_lost(seed: int, classes: int, sharpness: float) -> None:
    random = np.random.default_rng(seed)
    logits = sharpness * (random.normal(0, 1, (1, classes)) + 0.2 * random.normal(0, 1, (8, classes)))
    reference = np.exp(logits - logits.max(1, keepdims=True))
    reference /= reference.sum(1, keepdims=True)
    assert not [part for part in look_at(0, reference, np.rint(reference * 255) / 255).poor if part.lost]


def test_a_saturated_part_is_named_with_the_end_it_lies_on() -> None:
    random = np.random.default_rng(3)
    reference = np.concatenate([random.normal(0, 100, (8, 2, 32)), random.uniform(0, 8, (8, 1, 32))], axis=1)
    found = reference.copy()
    found[:, 2] = np.minimum(reference[:, 2], 2.0)
    (part,) = look_at(0, reference, found).poor
    assert (part.kind, part.value, part.first, part.lost) == ("saturated", 2.0, 2, True)


def test_one_dead_feature_of_many_is_poor_and_does_not_condemn_the_output() -> None:
    random = np.random.default_rng(4)
    reference = random.normal(0, 3, (8, 64))
    found = reference + random.normal(0, 0.01, reference.shape)
    found[:, 17] = 0.0
    (part,) = look_at(0, reference, found).poor
    assert (part.first, part.kind, part.lost) == (17, "constant", False)


def test_positions_of_a_long_axis_are_shown_and_not_judged() -> None:
    random = np.random.default_rng(5)
    reference = random.normal(0, 1, (4, 1, MOST_INDICES + 1)) * 10
    reference[:, :, 40:44] = random.normal(0, 0.01, (4, 1, 4))
    found = reference.copy()
    found[:, :, 40] = 0.0
    looked = look_at(0, reference, found)
    assert not looked.poor and looked.worst is not None and looked.worst.first == 40


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 1, 1), (0, 3), (4, 0)])
def test_outputs_without_parts_have_none(shape: tuple[int, ...]) -> None:
    array = np.ones(shape, np.float32)
    looked = look_at(0, array, array + 1)
    assert looked.poor == () and looked.worst is None


def test_parts_where_the_reference_is_zero_say_nothing() -> None:
    reference = np.zeros((4, 3, 5), np.float32)
    reference[:, 1:] = np.random.default_rng(6).normal(0, 9, (4, 2, 5))
    found = reference + 1e-7
    assert look_at(0, reference, found).poor == ()


def test_a_part_below_the_shared_unit_is_small_in_an_output_of_one_unit() -> None:
    reference = np.random.default_rng(7).uniform(0, 1, (8, 4, 6))
    reference[:, 3] *= SHARED_UNIT
    found = reference.copy()
    found[:, 3] = 0.0
    assert look_at(0, reference, found).poor == ()


def test_a_large_output_is_looked_at_in_blocks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = detections(np.random.default_rng(8))
    whole = look_at(0, reference, rounded(reference))
    monkeypatch.setattr("bench.convert.parts.BLOCK", 500)
    blocks = look_at(0, reference, rounded(reference))
    assert [(part.first, part.last, part.kind) for part in blocks.poor] == [
        (part.first, part.last, part.kind) for part in whole.poor]
    assert blocks.poor[0].sqnr_db == pytest.approx(whole.poor[0].sqnr_db)


def test_a_part_of_another_unit_that_lies_at_one_value_is_lost_however_near_that_is() -> None:
    """A heart rate, and a temperature that quantization left at 37.48 for everybody."""
    random = np.random.default_rng(9)
    reference = np.stack([random.uniform(0, 640, 8), random.uniform(37.1, 37.8, 8)], axis=1)[:, None]
    found = reference.copy()
    found[..., 1] = 37.48
    (part,) = look_at(0, reference, found).poor
    assert (part.axis, part.first, part.kind, part.lost, part.minor) == (1, 1, "constant", True, False)


def test_many_scores_in_one_flat_vector_that_became_zero_are_lost() -> None:
    random = np.random.default_rng(10)
    reference = np.concatenate([random.uniform(0, 640, (8, 1, 100)), random.uniform(0, 1, (8, 1, 300))], axis=2)
    (part,) = look_at(0, reference, rounded(reference)).poor
    assert (part.first, part.last, part.size, part.lost) == (100, 399, 400, True)


def test_silence_in_a_signal_is_not_lost() -> None:
    random = np.random.default_rng(11)
    reference = random.normal(0, 0.3, (4, 1, 800)).clip(-1, 1)
    reference[..., 200:600] *= 0.002
    assert not [part for part in look_at(0, reference, np.rint(reference * 127) / 127).poor if part.lost]


def test_a_constant_is_not_excused_by_noise_that_its_own_range_exceeds() -> None:
    random = np.random.default_rng(12)
    reference = np.stack([random.normal(0, 1, (8, 64)), random.normal(0, 0.1, (8, 64))], axis=1) * 3
    found = reference + random.normal(0, 0.02, reference.shape)
    found[:, 1] = 0.0
    assert look_at(0, reference, found).poor[0].lost


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, size=st.integers(MOST_INDICES + 1, 900), share=st.floats(0.004, 0.2))
def test_the_few_of_another_unit_on_a_long_axis_are_poor_where_all_of_them_died(
        seed: int, size: int, share: float) -> None:
    """Seven scores behind 493 coordinates, in one flat output."""
    random = np.random.default_rng(seed)
    few = max(1, int(share * size))
    reference = np.hstack([random.uniform(0, 640, (8, size - few)), random.uniform(0.2, 1, (8, few))])
    found = reference + random.normal(0, 1.0, reference.shape)
    found[:, size - few:] = 0.0
    (part,) = look_at(0, reference, found).poor
    assert (part.first, part.last, part.kind, part.lost) == (size - few, size - 1, "constant", False)


def test_a_quiet_place_among_others_of_a_signal_is_not_poor() -> None:
    random = np.random.default_rng(5)
    loudness = np.where(np.arange(2000) % 500 < 60, 0.01, 1.0)
    reference = random.normal(0, 3, (8, 2000)) * loudness
    found = reference + random.normal(0, 0.05, reference.shape)
    found[:, 500:520] = 0.0
    assert look_at(0, reference, found).poor == ()
