"""Repairing the signatures of quantized TFLite files.

litert-quantizer leaves a signature's output at the tensor it had when a dequantization was put behind that tensor (it
does so for an output that another operator of the graph reads). Reading that tensor then fails, or gives integers
without their scale. The graph's own lists of inputs and outputs are right, and keep their order.

Field numbers follow tensorflow/lite/schema/schema.fbs.
"""

from __future__ import annotations

import struct

from bench.models.flatbuffer import Table, root

SUBGRAPHS, SIGNATURES = 2, 7
INPUTS, OUTPUTS = 1, 2
"""Fields of a subgraph: tensor indices."""

SIGNATURE_SUBGRAPH = 4
LISTS = ((0, INPUTS), (1, OUTPUTS))
"""A signature's lists of TensorMap, each with the subgraph's list that it names tensors of."""

TENSOR_INDEX = 1


def repaired(quantized: bytes, base: bytes) -> bytes:
    """`quantized` with its signatures naming tensors at the same places of the graph's lists as those of `base`."""
    result = bytearray(quantized)
    old, new = root(memoryview(base)), root(memoryview(bytes(quantized)))
    for before, after in zip(old.tables(SIGNATURES), new.tables(SIGNATURES), strict=True):
        for maps, graph_list in LISTS:
            was, now = _graph(old, before).numbers(graph_list, "i"), _graph(new, after).numbers(graph_list, "i")
            for entry, changed in zip(before.tables(maps), after.tables(maps), strict=True):
                index = entry.number(TENSOR_INDEX, "I")
                place = changed.place(TENSOR_INDEX)
                # A field that is absent is tensor 0, an input; inputs keep their index.
                if index in was and place is not None:
                    struct.pack_into("<I", result, place, now[was.index(index)])
    return bytes(result)


def _graph(model: Table, signature: Table) -> Table:
    return model.tables(SUBGRAPHS)[signature.number(SIGNATURE_SUBGRAPH, "I")]
