"""Operators of a TFLite file that make it no function of its inputs: those that keep state or draw random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.models.tflite_schema import elements, load_schema

STATEFUL: Final = frozenset({"VAR_HANDLE", "ASSIGN_VARIABLE", "READ_VARIABLE"})
RANDOM: Final = frozenset({"RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "MULTINOMIAL"})


def stateful_operators(path: Path) -> tuple[str, ...]:
    """Names of the operators that read or write variables, variable tensors included (as LSTM and SVDF have them)."""
    return tuple(dict.fromkeys(name for name, variable in _operators(path) if variable or name in STATEFUL))


def random_operators(path: Path) -> tuple[str, ...]:
    """Names of the operators that draw random numbers."""
    return tuple(dict.fromkeys(name for name, _ in _operators(path) if name in RANDOM))


def _operators(path: Path) -> Iterator[tuple[str, bool]]:
    """Every operator of every subgraph: its name in the schema, and whether it takes a variable tensor."""
    schema = load_schema()
    model: Any = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    for graph in model.subgraphs:
        for operator in elements(graph.operators):
            code = model.operatorCodes[operator.opcodeIndex]
            taken = [graph.tensors[index] for index in elements(operator.inputs) if index >= 0]
            yield (names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "CUSTOM"),
                   any(tensor.isVariable for tensor in taken))
