"""`python -m bench.models.opened_torchscript FILE`: what torch says of a TorchScript file, as JSON on its output.

A process of its own: torch's C++ makes what a file claims, and a damaged one may take all memory or crash it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(path: str) -> int:
    """Print `answer_for` the file; always 0."""
    channel = os.dup(1)
    os.dup2(2, 1)  # native code prints there
    with os.fdopen(channel, "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(answer_for(path), file)
    return 0


def answer_for(path: str) -> dict[str, Any]:
    """{"parameters", "precision", "mixed", "computes_in", "bytecode"} or {"error": one line}."""
    try:
        return _opened(path)
    except Exception as error:
        return {"error": (str(error).strip().splitlines() or [type(error).__name__])[0]}


def _opened(path: str) -> dict[str, Any]:
    import torch

    from bench.models.torchscript import label_of, weights_of

    module = torch.jit.load(path, map_location="cpu")
    weights = list(weights_of(module))
    precision, mixed, computes_in = label_of(set(torch.jit.export_opnames(module)), weights)
    return {"parameters": sum(weight.numel() for weight in weights), "precision": precision, "mixed": mixed,
            "computes_in": computes_in, "bytecode": _bytecode(path)}


def _bytecode(path: str) -> int | None:
    """The lite interpreter's version; None of a file that is not for it."""
    import torch

    try:
        return int(torch._C._get_model_bytecode_version(path))
    except RuntimeError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
