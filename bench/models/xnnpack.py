"""What an XNNPACK graph, as ExecuTorch embeds it in a program, says of its tensors.

Field numbers follow executorch/backends/xnnpack/serialization/schema.fbs; the header before the FlatBuffer is that of
XNNHeader in the same folder: four zero bytes, `XH00`, header size (u16), graph's offset and size (u32, u32).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.models.flatbuffer import Table, root

HEADER_MAGIC: Final = b"XH00"
QUANTIZED_VALUE: Final = 2
"""XValueUnion: 1 is XNNTensorValue, 2 XNNQuantizedTensorValue, which wraps the former."""

FP32, FP16, BF16 = 1, 2, 14
STATIC_8_BIT: Final = (3, 4)
PER_CHANNEL_8_BIT: Final = 6
FOUR_BIT: Final = (8, 10)
DYNAMIC_8_BIT: Final = (9, 11)
"""XNNDatatype: qint8 and quint8; qcint8; qcint4 and qbint4; qdint8 and qpint8."""


@dataclass(frozen=True)
class Value:
    """A tensor of the graph: its XNNDatatype, how many elements it has, whether its data are in the file."""

    datatype: int
    elements: int
    constant: bool


def graph_values(payload: memoryview) -> Iterator[Value]:
    """The tensors of a delegate's payload, constants that several share once.

    Raises struct.error, IndexError or ValueError for a payload that is no XNNPACK graph.
    """
    if bytes(payload[4:8]) == HEADER_MAGIC:
        offset, size = struct.unpack_from("<II", payload, 10)
        payload = payload[offset:offset + size]
    seen: set[int] = set()
    for entry in root(payload).tables(2):
        tensor = entry.table(1)
        if tensor is not None and entry.number(0, "B") == QUANTIZED_VALUE:
            tensor = tensor.table(0)
        if tensor is None:
            raise ValueError("a value without a tensor")
        constant = tensor.number(3, "I")
        if constant not in seen:
            yield _value(tensor, constant != 0)
        if constant:
            seen.add(constant)


def _value(tensor: Table, constant: bool) -> Value:
    return Value(tensor.number(0, "h"), math.prod(tensor.numbers(2, "I")), constant)
