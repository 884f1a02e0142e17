"""A session with the real agent on this machine, for tests of the life cycle with the fake runtime."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.bundles.agent import build_agent
from bench.session import Session, open_session
from bench.transports.local import LocalTransport

MEASURE = {"min_samples": 5, "min_ns": 0, "warmup_min_runs": 2, "warmup_min_ns": 0, "warmup_max_ns": 50_000_000}


@contextmanager
def local_session(folder: Path) -> Iterator[Session]:
    """The agent under `folder`/work, spoken to as on any device."""
    archive = build_agent(folder / "archive")
    with open_session(LocalTransport(), archive, sys.executable, str(folder / "work")) as session:
        yield session


def put(folder: Path, suffix: str, content: bytes) -> str:
    """Put a file where the agent looks for pushed files; gives back its name."""
    name = hashlib.sha256(content).hexdigest() + suffix
    files = folder / "work" / "files"
    files.mkdir(parents=True, exist_ok=True)
    (files / name).write_bytes(content)
    return name


def fake_trial(folder: Path, behaviour: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A trial message for the fake runtime that behaves as told, on two samples of one input of shape (3,)."""
    inputs = folder / "inputs.npz"
    np.savez(inputs, **{"0": np.arange(6, dtype=np.float32).reshape(2, 3)})
    return {
        "trial": "t1", "kind": "latency", "runtime": "fake", "delegate": "cpu", "threads": 1, "options": {},
        "artifact": put(folder, ".json", json.dumps(behaviour).encode()),
        "inputs": put(folder, ".npz", inputs.read_bytes()),
        "measure": MEASURE, "deadline_s": 20.0, **changes}
