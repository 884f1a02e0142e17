"""Small changes to ONNX graphs that a quantizer needs."""

from __future__ import annotations

from typing import Any, Final

APART: Final = 4
"""The first version of the IR whose initializers need not be inputs."""


def weights_apart(model: Any) -> None:
    """Take the weights of a file of ONNX's first years (IR 3) out of the graph's inputs, in place: those of today may
    have weights that are no inputs, as the ones are that quantizers add."""
    constants = {tensor.name for tensor in model.graph.initializer}
    kept = [value for value in model.graph.input if value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.ir_version = max(model.ir_version, APART)


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


def constants_to_initializers(graph: Any) -> int:
    """Turn Constant nodes that hold a tensor into initializers, in place; gives back how many.

    Quantizers look for weights among the initializers alone, and some exporters write every weight as a node.
    """
    from onnx import helper

    nodes, count = [], 0
    for node in graph.node:
        values = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type != "Constant" or "value" not in values:
            nodes.append(node)
            continue
        values["value"].name = node.output[0]
        graph.initializer.append(values["value"])
        count += 1
    if count:
        del graph.node[:]
        graph.node.extend(nodes)
    return count


def sort_nodes(graph: Any) -> bool:
    """Put every node behind those whose outputs it needs, in place and else in the order they have.

    Quantizers append nodes that a branch further up needs. Gives back whether anything had to move.
    """
    maker = {name: place for place, node in enumerate(graph.node) for name in node.output if name}
    order: list[int] = []
    state = [0] * len(graph.node)  # 0 not seen, 1 under way, 2 placed
    for start in range(len(graph.node)):
        stack = [start]
        while stack:
            place = stack[-1]
            needs = [maker[name] for name in _needed(graph.node[place]) if name in maker]
            open_needs = [need for need in needs if state[need] == 0]
            if state[place] == 2 or not open_needs:
                stack.pop()
                if state[place] != 2:
                    state[place] = 2
                    order.append(place)
                continue
            state[place] = 1
            stack.extend(open_needs)
    moved = order != sorted(order)
    if moved:
        nodes = [graph.node[place] for place in order]
        del graph.node[:]
        graph.node.extend(nodes)
    return moved


def _needed(node: Any) -> list[str]:
    """Names that a node uses, in its subgraphs too, as far as they are not made in there."""
    names = list(node.input)
    for attribute in node.attribute:
        for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
            made = {name for each in inner.node for name in each.output}
            made |= {value.name for value in inner.input} | {tensor.name for tensor in inner.initializer}
            used = [name for each in inner.node for name in _needed(each)] + [value.name for value in inner.output]
            names += [name for name in used if name not in made]
    return names


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
