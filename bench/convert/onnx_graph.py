"""Small changes to ONNX graphs that a quantizer needs."""

from __future__ import annotations

from typing import Any


def constant_products(graph: Any) -> list[Any]:
    """The MatMul nodes whose second operand is a constant matrix: the ones that weight-only quantization can take."""
    matrices = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    return [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in matrices]


def gemm_to_matmul(graph: Any) -> int:
    """Rewrite every Gemm x @ W + b with constant W (alpha = beta = 1, x as it is) as MatMul and Add, in place.

    nn.Linear on a 2-D input is exported as Gemm, which MatMulNBits passes over. Gives back how many were rewritten.
    """
    from onnx import helper, numpy_helper

    weights = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
    nodes, count = [], 0
    for node in graph.node:
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type != "Gemm" or node.input[1] not in weights or not _is_plain(attributes):
            nodes.append(node)
            continue
        matrix = numpy_helper.to_array(weights[node.input[1]])
        # Gemms that share weights each get their own copy: one may want them transposed, the other not.
        name = f"{node.input[1]}/{node.output[0]}/matrix"
        columns = matrix.T.copy() if attributes.get("transB") else matrix
        graph.initializer.append(numpy_helper.from_array(columns, name))
        nodes.extend(_product(node, name))
        count += 1
    if count:
        del graph.node[:]
        graph.node.extend(nodes)
        _drop_unused(graph)
    return count


def _product(node: Any, matrix: str) -> list[Any]:
    from onnx import helper

    bias = node.input[2] if len(node.input) > 2 else ""
    label = node.name or node.output[0]
    if not bias:
        return [helper.make_node("MatMul", [node.input[0], matrix], list(node.output), name=f"{label}/MatMul")]
    product = f"{node.output[0]}/product"
    return [helper.make_node("MatMul", [node.input[0], matrix], [product], name=f"{label}/MatMul"),
            helper.make_node("Add", [product, bias], list(node.output), name=f"{label}/Add")]


def _is_plain(attributes: dict[str, Any]) -> bool:
    return (not attributes.get("transA", 0) and attributes.get("alpha", 1.0) == 1.0
            and attributes.get("beta", 1.0) == 1.0)


def _drop_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    # A subgraph may use an outer initializer without naming it in the outer node's inputs.
    if any(attribute.HasField("g") or attribute.graphs for node in graph.node for attribute in node.attribute):
        return
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
