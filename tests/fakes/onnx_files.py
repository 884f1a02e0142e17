"""Tiny ONNX files made without torch, and jobs for them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bench.convert.types import ModelJob
from bench.models.spec import Source, TensorSpec

IMAGE = TensorSpec("image", (1, 3, 12, 12), "float32")


def write_net(path: Path, *, seed: int = 0, gemm: bool = True, dynamic: bool = False) -> Path:
    """conv + clip (+ global average + gemm): image (1, 3, 12, 12) -> scores."""
    random = np.random.default_rng(seed)
    weights: dict[str, Any] = {"w1": random.normal(0, 0.3, (16, 3, 3, 3)), "b1": random.normal(0, 0.1, 16),
                               "w2": random.normal(0, 0.3, (32, 16, 1, 1)), "b2": random.normal(0, 0.1, 32),
                               "low": np.array(0.0), "high": np.array(6.0),
                               "w3": random.normal(0, 0.3, (10, 32)), "b3": random.normal(0, 0.1, 10)}
    nodes = [helper.make_node("Conv", ["image", "w1", "b1"], ["c1"]),
             helper.make_node("Clip", ["c1", "low", "high"], ["r1"]),
             helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"]),
             helper.make_node("Clip", ["c2", "low", "high"], ["r2"])]
    if gemm:
        nodes += [helper.make_node("GlobalAveragePool", ["r2"], ["p"]), helper.make_node("Flatten", ["p"], ["f"]),
                  helper.make_node("Gemm", ["f", "w3", "b3"], ["scores"], transB=1)]
    else:
        nodes[-1].output[0] = "scores"
    used = {name for node in nodes for name in node.input}
    batch: Any = "batch" if dynamic else 1
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, 12, 12])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 10] if gemm else [batch, 32, 10, 10])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items() if name in used])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def write_samples(path: Path, inputs: tuple[TensorSpec, ...] = (IMAGE,), *, count: int = 8, seed: int = 1) -> str:
    """Seeded samples for the inputs, floats in [0, 1) and integers in [0, 50); gives back the sha256."""
    random = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    for spec in inputs:
        shape = (count, *(size or 1 for size in spec.shape))
        arrays[spec.name] = (random.random(shape) if spec.dtype.startswith("float")
                             else random.integers(0, 50, shape)).astype(spec.dtype)
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()


def job_for(path: Path, *, model: str = "net", seed: int = 1, precision: str = "fp32") -> ModelJob:
    """A job for an ONNX file with samples beside it."""
    samples = path.with_name(f"samples-{seed}.npz")
    sha256 = write_samples(samples, seed=seed)
    source = Source("onnx", path.name, path.parent, hashlib.sha256(path.read_bytes()).hexdigest())
    others = path.with_name(f"others-{seed}.npz")
    return ModelJob(model, source, (IMAGE,), samples, sha256, others, write_samples(others, count=4, seed=seed + 1000),
                    precision)


def write_deep_net(path: Path, *, layers: int = 2, flips: int = 0) -> Path:
    """Some milliseconds of work: image (1, 3, 12, 12) -> scores (1, 10), through `layers` products of (432, 512) with
    (512, 512), after each of which `flips` pairs of transpositions cancel out (which an optimizer sees)."""
    random = np.random.default_rng(3)
    weights: dict[str, Any] = {"column": np.array([432, 1]), "first": random.normal(0, 1, (1, 512)),
                               "last": random.normal(0, 0.04, (512, 10))}
    nodes = [helper.make_node("Reshape", ["image", "column"], ["x"]),
             helper.make_node("MatMul", ["x", "first"], ["y"])]
    for layer in range(layers):
        weights[f"w{layer}"] = random.normal(0, (2 / 512) ** 0.5, (512, 512))
        nodes += [helper.make_node("MatMul", [nodes[-1].output[0], f"w{layer}"], [f"m{layer}"]),
                  helper.make_node("Relu", [f"m{layer}"], [f"r{layer}"])]
        for flip in range(2 * flips):
            nodes.append(helper.make_node("Transpose", [nodes[-1].output[0]], [f"t{layer}_{flip}"], perm=[1, 0]))
    nodes += [helper.make_node("ReduceMean", [nodes[-1].output[0]], ["mean"], axes=[0], keepdims=1),
              helper.make_node("MatMul", ["mean", "last"], ["scores"])]
    tensors = [numpy_helper.from_array(array if array.dtype == np.int64 else array.astype(np.float32), name)
               for name, array in weights.items()]
    graph = helper.make_graph(nodes, "deep", [helper.make_tensor_value_info("image", TensorProto.FLOAT, IMAGE.shape)],
                              [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path
