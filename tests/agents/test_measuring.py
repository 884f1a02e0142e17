"""Nobody changes how a number comes to be without deciding whether it is still the same number."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

import bench.agents
from bench.agents.measuring import REVISION

AGENT = Path(bench.agents.__file__).parent
MEASURE = ("worker.py", "child.py", "latency.py", "timing.py", "inputs.py", "cores.py", "probes/cpu.py",
           "probes/memory.py", "runtimes/__init__.py", "runtimes/executorch.py", "runtimes/onnxruntime.py",
           "runtimes/tflite.py", "runtimes/torch.py")
DECIDED = Path(__file__).with_name("measuring.json")
"""The files as they were when somebody last decided, with the revision that they belong to."""


def code(path: Path) -> str:
    """The sha256 of what a file does: without comments, docstrings and layout."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not (  # type: ignore[attr-defined]
                isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def test_each_change_of_a_file_that_measures_is_decided_upon() -> None:
    now = {"revision": REVISION, "files": {name: code(AGENT / name) for name in MEASURE}}
    decided = json.loads(DECIDED.read_text())
    if now != decided:
        DECIDED.with_suffix(".new").write_text(json.dumps(now, indent=1) + "\n")
    changed = [name for name in MEASURE if now["files"][name] != decided["files"].get(name)]
    assert now == decided, (
        f"{', '.join(changed) or 'the revision'} changed. May any number come out otherwise than before? Then raise "
        "REVISION in bench/agents/measuring.py. Either way: mv tests/agents/measuring.new tests/agents/measuring.json")


def test_every_runtime_is_among_the_files_that_measure() -> None:
    found = {f"runtimes/{path.name}" for path in (AGENT / "runtimes").glob("*.py")}
    assert found - set(MEASURE) == {"runtimes/fake.py", "runtimes/distributions.py"}
