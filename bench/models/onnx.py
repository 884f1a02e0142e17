"""Open an ONNX file by the `onnx` package: no runtime is needed, and weights outside the file are never read whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.errors import ConfigError, ModelError
from bench.models.files import sha256_files
from bench.models.onnx_precision import quantized_as, shares_of
from bench.models.onnx_tables import tables_of
from bench.models.shares import label
from bench.models.spec import ModelInfo, TensorSpec

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

RANDOM: Final = frozenset({"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial",
                           "Bernoulli"})


def read(path: Path) -> ModelInfo:
    """What an ONNX file tells. `size_bytes` and `sha256` include the files that its weights are in.

    Raises ModelError for a damaged or invalid file, and for weights that are missing or outside the model's folder.
    """
    model = _parse(path)
    files = external_files(path, model)
    _check(path, model, files)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    nodes = list(nodes_of(model))
    quantized = quantized_as(nodes, graph)
    precision, mixed = label(quantized, shares_of(graphs_of(model), nodes))
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), None)
    return ModelInfo(
        format="onnx", path=path, sha256=sha256_files(path, files),
        size_bytes=sum(file.stat().st_size for file in [path, *files]), parameters=parameter_count(graph),
        version="no opset" if opset is None else f"opset {opset}", precision=precision,
        inputs=tuple(_spec(value, path) for value in graph.input if value.name not in weights),
        outputs=tuple(_spec(value, path, ranked=False) for value in graph.output),
        mixed=mixed, computes_in=quantized or precision, tables=tables_of(graph))


def content_sha256(path: Path) -> str:
    """The hash of an ONNX model: its file together with the files that its weights are in."""
    return sha256_files(path, external_files(path, _parse(path)))


def _parse(path: Path) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        raise ModelError(f"{path} is a truncated or damaged ONNX file: it does not parse") from None
    except ValueError as error:
        raise ModelError(f"{path} is no ONNX file that can be read: {error}") from None
    if not model.graph.output:
        raise ModelError(f"{path} is a truncated or damaged ONNX file: its graph has no outputs")
    return model


def _check(path: Path, model: ModelProto, files: list[Path]) -> None:
    """The checker wants a shape of every output, which a runtime does not need: for it, missing ones are filled in."""
    import onnx

    whole: Path | ModelProto = path
    if any(map(_shapeless, model.graph.output)) and not files:
        whole = onnx.ModelProto()
        whole.CopyFrom(model)
        for value in filter(_shapeless, whole.graph.output):
            value.type.tensor_type.shape.SetInParent()
    try:
        onnx.checker.check_model(whole)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, MemoryError) as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"{path} is not valid ONNX: {first}") from None


def _shapeless(value: ValueInfoProto) -> bool:
    return value.type.WhichOneof("value") == "tensor_type" and not value.type.tensor_type.HasField("shape")


def graphs_of(model: ModelProto) -> Iterator[GraphProto]:
    """The model's graph and every graph inside it (branches, loop bodies)."""
    waiting = [model.graph]
    waiting += [graph for function in model.functions for graph in _inner(function.node)]
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += _inner(graph.node)


def _inner(nodes: Iterable[NodeProto]) -> list[GraphProto]:
    attributes = [attribute for node in nodes for attribute in node.attribute]
    return [graph for attribute in attributes for graph in (attribute.g, *attribute.graphs) if graph.node]


def nodes_of(model: ModelProto) -> Iterator[NodeProto]:
    """Every node of the model, those of its functions included."""
    for function in model.functions:
        yield from function.node
    for graph in graphs_of(model):
        yield from graph.node


def random_operators(path: Path) -> tuple[str, ...]:
    """The kinds of operators in an ONNX file that draw random numbers, in branches and functions too."""
    model = _parse(path)
    found = (node.op_type for node in nodes_of(model) if node.op_type in RANDOM or _drops(node))
    return tuple(dict.fromkeys(found))


def _drops(node: NodeProto) -> bool:
    """Whether it is a Dropout that may be in training mode: its third input says so."""
    return node.op_type == "Dropout" and len(node.input) > 2 and bool(node.input[2])


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor that the model holds: initializers and nodes' constants."""
    for graph in graphs_of(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in nodes_of(model):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)


def external_files(path: Path, model: ModelProto) -> list[Path]:
    """The files beside the model that hold its weights, sorted by name.

    Raises ModelError for one that is missing, too short, or not inside the model's folder, links included: a model is
    data, and must not make `bench` read files elsewhere.
    """
    import onnx

    ends: dict[str, int] = {}
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            location, end = entries.get("location", ""), _end(entries, tensor.name, path)
            ends[location] = max(end, ends.get(location, 0))
    return [_external_file(path, location, end) for location, end in sorted(ends.items())]


def _end(entries: dict[str, str], tensor: str, path: Path) -> int:
    try:
        return int(entries.get("offset") or 0) + int(entries.get("length") or 0)
    except ValueError:
        raise ModelError(f"{path}: where the weights of {tensor!r} lie is no number") from None


def _external_file(path: Path, location: str, end: int) -> Path:
    folder = path.parent.resolve()
    place = folder / location
    try:
        outside = "\0" in location or not place.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):
        outside = True
    if outside:
        raise ModelError(f"{path} wants its weights from {location!r}, which is outside the model's folder: refused")
    if not place.is_file():
        raise ModelError(f"{path} has its weights in {location!r}, found no such file beside it",
                         hint=f"copy {location} into {path.parent}")
    if place.stat().st_size < end:
        raise ModelError(f"{place} is truncated: the model's weights reach to byte {end}, the file to "
                         f"{place.stat().st_size}")
    return place


def parameter_count(graph: GraphProto) -> int:
    """How many numbers the graph's initializers hold; packed ones (MatMulNBits) by what they stand for."""
    counts = {tensor.name: math.prod(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMulNBits" and node.input[1] in counts:
            shape = {attribute.name: attribute.i for attribute in node.attribute}
            counts[node.input[1]] = shape.get("K", 0) * shape.get("N", 0)
    return sum(counts.values())


def _spec(value: ValueInfoProto, path: Path, *, ranked: bool = True) -> TensorSpec:
    """Of an output that need not be `ranked` and has no shape, the shape is (): running the file tells it."""
    import onnx

    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        found = (kind or "unknown").removesuffix("_type")
        zipmap = "; scikit-learn's models give tensors when exported with zipmap=False" if found == "sequence" else ""
        raise ModelError(f"{path}: wanted a tensor for {value.name!r}, found a value of kind {found}{zipmap}")
    tensor = value.type.tensor_type
    try:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    except KeyError:
        raise ModelError(f"{path}: {value.name!r} has the element type {tensor.elem_type}, which is unknown") from None
    if ranked and not tensor.HasField("shape"):
        raise ConfigError(f"{path} does not say the rank of {value.name!r}",
                          hint="write shapes into the file, e.g. with onnx.shape_inference, or export it again")
    dims = (dim.dim_value if dim.WhichOneof("value") == "dim_value" else None for dim in tensor.shape.dim)
    return TensorSpec(value.name, tuple(None if dim is None or dim < 0 else dim for dim in dims), dtype)
