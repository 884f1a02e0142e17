"""Which inputs of an ONNX graph number the rows of a table: token ids, positions, classes.

An input is followed through operators that hand its values on unchanged to the indices of Gather and its kin. The size
of what they read is taken from weights, and from the shapes that the file tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from bench.models.spec import Table

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, ValueInfoProto

_PASSING: Final = frozenset({"Cast", "CastLike", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Transpose",
                             "Expand", "Tile", "Slice", "Split", "Dropout"})
"""Operators that hand on the values of their first input, in another shape or type, or some of them."""
_SAME_SHAPE: Final = frozenset({"Identity", "Cast", "DequantizeLinear"})
_EMBED: Final = {0: 2, 1: 4}
"""Of EmbedLayerNormalization: the place of the ids, and of the table that they number."""

_Names = Mapping[str, frozenset[str]]
_Shape = tuple[int | None, ...]


def tables_of(graph: GraphProto) -> tuple[Table, ...]:
    """The tables that the graph's inputs index, those in branches and loop bodies too; the smallest of each input."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = {value.name: frozenset((value.name,)) for value in graph.input if value.name not in weights}
    smallest: dict[str, Table] = {}
    for table in _walk(graph, inputs, {}):
        known = smallest.get(table.input)
        if known is None or table.rows < known.rows:
            smallest[table.input] = table
    return tuple(smallest.values())


def _walk(graph: GraphProto, outer: _Names, outer_shapes: Mapping[str, _Shape]) -> Iterator[Table]:
    """The tables read in a graph, whose names hide those of the graphs around it."""
    shapes = dict(outer_shapes) | dict(_declared(graph))
    carried = dict(outer)  # by a tensor's name, the inputs whose values it holds
    for value in graph.input if outer_shapes else ():
        carried.pop(value.name, None)
    for node in graph.node:
        yield from _read(node, carried, shapes)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _walk(inner, carried, shapes)
        _carry_on(node, carried, shapes)


def _declared(graph: GraphProto) -> Iterator[tuple[str, _Shape]]:
    """Shapes that the file tells: of weights, inputs and, where they were written down, what is computed."""
    for value in (*graph.value_info, *graph.input):
        shape = _shape(value)
        if shape is not None:
            yield value.name, shape
    for tensor in graph.initializer:
        yield tensor.name, tuple(tensor.dims)


def _shape(value: ValueInfoProto) -> _Shape | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.WhichOneof("value") == "dim_value" and dim.dim_value > 0 else None
                 for dim in tensor.shape.dim)


def _read(node: NodeProto, carried: _Names, shapes: Mapping[str, _Shape]) -> Iterator[Table]:
    for indices, table, axis in _reads(node):
        shape = shapes.get(table, ())
        rows = shape[axis] if -len(shape) <= axis < len(shape) else None
        if rows is not None:
            lowest = -rows if node.op_type in ("Gather", "GatherElements") else 0  # those count from the end, too
            for name in sorted(carried.get(indices, ())):
                yield Table(name, rows, node.op_type, lowest)


def _reads(node: NodeProto) -> Iterable[tuple[str, str, int]]:
    """The (indices, table, axis) that a node reads."""
    if node.op_type == "EmbedLayerNormalization":
        return [(node.input[ids], node.input[table], 0) for ids, table in _EMBED.items() if len(node.input) > table]
    name = {"Gather": "axis", "GatherElements": "axis", "GatherBlockQuantized": "gather_axis"}.get(node.op_type)
    if name is None or len(node.input) < 2:
        return []
    axis = next((attribute.i for attribute in node.attribute if attribute.name == name), 0)
    return [(node.input[1], node.input[0], axis)]


def _carry_on(node: NodeProto, carried: dict[str, frozenset[str]], shapes: dict[str, _Shape]) -> None:
    """Learn what the node's outputs hold: values of inputs, weights."""
    for output in node.output:
        carried.pop(output, None)
    if node.op_type == "Constant":
        dims = next((tuple(attribute.t.dims) for attribute in node.attribute if attribute.name == "value"), None)
        if dims is not None:
            shapes[node.output[0]] = dims
    elif node.op_type == "Concat":
        carried[node.output[0]] = frozenset().union(*(carried.get(name, frozenset()) for name in node.input))
    elif node.op_type in _PASSING and node.input:
        for output in node.output:
            carried[output] = carried.get(node.input[0], frozenset())
    if node.op_type in _SAME_SHAPE and node.input and node.input[0] in shapes:
        shapes.setdefault(node.output[0], shapes[node.input[0]])
