"""Recipes whose functions die in every way a converter can, for tests of the machinery around them."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import time

from bench.convert.recipe import Recipe, Work


def _recipe(precision: str, function: str, base: str | None = "fp32", tools: tuple[str, ...] = ("onnx",)) -> Recipe:
    return Recipe(("onnx",), "onnx", precision, f"tests.fakes.recipes:{function}", base=base, tools=tools, extra="onnx")


def one(function: str, *, precision: str = "int8", tools: tuple[str, ...] = ("onnx",)) -> tuple[Recipe, ...]:
    """An fp32 recipe that copies, and one of that precision that calls `function` of this module."""
    return (Recipe(("onnx",), "onnx", "fp32", "bench.convert.onnx:as_is", base=None, tools=("onnx",), extra="onnx"),
            _recipe(precision, function, tools=tools))


def copies(work: Work) -> None:
    """What some quantizers do to a net that they cannot quantize."""
    assert work.base is not None
    shutil.copyfile(work.base, work.output)


def crashes(work: Work) -> None:
    print("about to crash", flush=True)
    ctypes.string_at(0)


def hangs(work: Work) -> None:
    # A converter that waits for something that never comes; its own child must go with it.
    os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")
    while True:
        time.sleep(60)


def eats_memory(work: Work) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(b"x") * (16 * 1024 * 1024))
        time.sleep(0.01)


def writes_nothing(work: Work) -> None:
    print("all done!")


def prints_garbage(work: Work) -> None:
    os.write(1, b'\xff\xfe{"ok": {}}\n\x00 native noise\n')
    print("python noise")
    from bench.convert.onnx import dynamic_int8

    dynamic_int8(work)


def raises(work: Work) -> None:
    raise RuntimeError("op 'Frobnicate' is not supported\n  at line 7\n  at line 8")


def exits(work: Work) -> None:
    sys.exit("converter gave up")


def writes_rubbish(work: Work) -> None:
    work.output.write_bytes(b"\x00" * 100)


def ruins_outputs(work: Work) -> None:
    """A quantized file whose numbers are wrong: all have the wrong sign."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    from bench.convert.onnx import dynamic_int8

    dynamic_int8(work)
    model = onnx.load(str(work.output))
    output = model.graph.output[0].name
    last = next(node for node in model.graph.node if output in node.output)
    last.output[list(last.output).index(output)] = "before"
    model.graph.initializer.append(numpy_helper.from_array(np.array(-3.0, np.float32), "factor"))
    model.graph.node.append(helper.make_node("Mul", ["before", "factor"], [output]))
    onnx.save(model, str(work.output))


def says_where_and_hangs(work: Work) -> None:
    """Half a file, then this process's id through the pipe `reached`, then nothing: the moment to be killed."""
    work.output.write_bytes(b"half a file")
    (work.source.root / "reached").write_text(str(os.getpid()))
    while True:
        time.sleep(60)


def fills_the_disk(work: Work) -> None:
    with work.output.open("wb") as file:
        while True:
            file.write(b"x" * (1 << 20))
