"""The inputs of a trial, and what a model is given of them: copies, so that a model may write into its own inputs.

A model may normalise its input in place, or run an activation in place on it. What is then left behind is another
input than the one that was meant, and the next inference on it another computation.
"""

from __future__ import annotations

from typing import Any, List

from bench.agents import runtimes

Arrays = List[Any]


def read_samples(path: str) -> List[Arrays]:
    """Per sample, the arrays of all inputs in the file's order, read from an .npz keyed "0", "1", ..."""
    import numpy

    with numpy.load(path, allow_pickle=False) as archive:
        stacks = [archive[str(position)] for position in range(len(archive.files))]
    # The shape is given anew because numpy makes a contiguous scalar one-dimensional.
    return [[numpy.ascontiguousarray(stack[number]).reshape(stack.shape[1:]) for stack in stacks]
            for number in range(len(stacks[0]))]


def alike(samples: List[Arrays]) -> bool:
    """Whether every sample is the same as the first: of fixed values they are."""
    return not any(_bytes(array) != _bytes(first) for arrays in samples for array, first in zip(arrays, samples[0]))


class Inputs:
    """The samples as one loaded model is given them. They themselves never change."""

    def __init__(self, model: runtimes.Loaded, samples: List[Arrays]) -> None:
        self._model = model
        self._samples = samples
        self._given = [array.copy() for array in samples[0]]
        """One set of arrays for all samples, which have the same shapes."""
        self._number = 0

    def set(self, number: int) -> None:
        """Give the model a sample, whatever it did to the one before. Not timed."""
        for given, array in zip(self._given, self._samples[number]):
            given[...] = array
        self._model.bind(self._given)
        self._number = number

    def changed(self) -> bool:
        """Whether the model has written other bytes into its inputs since they were set."""
        return any(_bytes(array) != _bytes(given)
                   for array, given in zip(self._samples[self._number], self._model.bound()))


def _bytes(array: Any) -> memoryview:
    """Not copied: copies would count among the model's memory."""
    return memoryview(array.reshape(-1)).cast("B") if array.size else memoryview(b"")
