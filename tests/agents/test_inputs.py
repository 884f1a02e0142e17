"""What a model is given of its samples, and whether it left them as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from bench.agents.inputs import Inputs, alike, read_samples

ARRAYS = st.lists(arrays_of.arrays(st.sampled_from(["f4", "f2", "i8", "u1", "?"]),
                                   arrays_of.array_shapes(min_dims=0, max_dims=3, max_side=4)), min_size=1, max_size=3)


class Model:
    """Writes into its inputs where `writes` says so: the next value, in the first place of that input."""

    inputs = outputs = ()

    def __init__(self, writes: set[int]) -> None:
        self.writes = writes
        self.arrays: list[Any] = []

    def bind(self, arrays: Any) -> None:
        self.arrays = list(arrays)

    def bound(self) -> list[Any]:
        return self.arrays

    def invoke(self) -> None:
        for place, array in enumerate(self.arrays):
            if place in self.writes:
                array.reshape(-1).view("u1")[:1] ^= 1

    def read(self) -> list[Any]:
        return []


@given(ARRAYS, st.sets(st.integers(0, 2)))
def test_what_a_model_writes_is_seen_undone_and_never_reaches_the_samples(arrays: list[Any], writes: set[int]) -> None:
    model, before = Model(writes), [array.copy() for array in arrays]
    inputs = Inputs(model, [arrays, [array.copy() for array in arrays]])
    written = any(place in writes for place in range(len(arrays)))
    for number in (0, 1, 0):
        inputs.set(number)
        assert not inputs.changed()
        assert [array.tobytes() for array in model.arrays] == [array.tobytes() for array in before]
        model.invoke()
        model.invoke() if written and number else None  # an even number of writes puts back what was there
        assert inputs.changed() == (written and not number)
    assert [array.tobytes() for array in arrays] == [array.tobytes() for array in before]


def test_an_input_of_no_elements_is_never_changed() -> None:
    inputs = Inputs(Model(set()), [[np.zeros((0, 3), "f4")]])
    inputs.set(0)
    assert not inputs.changed()


@pytest.mark.parametrize(("samples", "same"), [
    ([[1.0, 2.0]], True), ([[1.0, 2.0]] * 3, True), ([[1.0, 2.0], [1.0, 3.0], [1.0, 2.0]], False)])
def test_samples_are_alike_where_none_differs_in_any_input(samples: list[list[float]], same: bool) -> None:
    assert alike([[np.asarray(value, dtype="f4") for value in values] for values in samples]) == same


def test_a_file_of_samples_is_read_input_by_input_with_its_shapes(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **{"0": np.arange(12, dtype="f4").reshape(2, 2, 3), "1": np.asarray([7, 8])})
    samples = read_samples(str(tmp_path / "x.npz"))
    assert [[array.shape for array in arrays] for arrays in samples] == [[(2, 3), ()]] * 2
    assert samples[1][0].tolist() == [[6, 7, 8], [9, 10, 11]] and samples[1][1] == 8
