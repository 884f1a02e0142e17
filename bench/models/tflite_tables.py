"""Which inputs of a TFLite graph number the rows of a table, by following them to GATHER and its kin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from bench.models.spec import Table
from bench.models.tflite_schema import elements

_PASSING: Final = ("CAST", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "SLICE", "STRIDED_SLICE", "TRANSPOSE", "BROADCAST_TO",
                   "TILE", "CONCATENATION", "PACK")
"""Operators that hand on the values of their inputs, in another shape or type, or some of them."""


def tables_of(model: Any, graph: Any, names: Mapping[int, str], schema: ModuleType) -> tuple[Table, ...]:
    """The tables that inputs index, the smallest of each; `names` are the inputs' by their tensors' numbers."""
    words = {code: word for word, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    carried = {index: frozenset((name,)) for index, name in names.items()}
    smallest: dict[str, Table] = {}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        word = words.get(max(code.builtinCode, code.deprecatedBuiltinCode), "")
        inputs = [int(index) for index in elements(operator.inputs)]
        for indices, rows in _reads(word, inputs, operator, graph):
            for name in sorted(carried.get(indices, ())):
                known = smallest.get(name)
                if known is None or rows < known.rows:
                    smallest[name] = Table(name, rows, word)
        if word in _PASSING:
            held = frozenset().union(*(carried.get(index, frozenset()) for index in inputs))
            carried |= {int(index): held for index in elements(operator.outputs)}
    return tuple(smallest.values())


def _reads(word: str, inputs: list[int], operator: Any, graph: Any) -> Iterator[tuple[int, int]]:
    """The tensor of indices that an operator reads, and how many rows the table has that they number."""
    if word == "EMBEDDING_LOOKUP":
        indices, table, axis = inputs[0], inputs[1], 0
    elif word == "GATHER":
        table, indices = inputs[:2]
        options = operator.builtinOptions
        batch = getattr(options, "batchDims", 0) or 0
        axis = (getattr(options, "axis", 0) or 0) if batch == 0 else -1
    elif word == "GATHER_ND":
        table, indices = inputs[:2]
        last = elements(graph.tensors[indices].shape)[-1:]
        axis = 0 if last and int(last[0]) == 1 else -1
    else:
        return
    shape = [int(dim) for dim in elements(graph.tensors[table].shape)]
    if 0 <= axis < len(shape) and shape[axis] > 0:
        yield indices, shape[axis]
