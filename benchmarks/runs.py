"""Whole runs by the command line, in a store and a device folder of their own, and what the store says of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.store.records import StoredRun
from bench.store.store import Store
from benchmarks.setting import DEVICE


@dataclass(frozen=True)
class Finished:
    """A run, from the start of its process to its end."""

    stored: StoredRun
    wall_s: float


def zoo_suite(name: str, precisions: str, runtimes: str = "[onnxruntime, tflite, torch, executorch]") -> str:
    """A suite of the zoo's small network with its labelled data; lists as YAML has them."""
    return f"""version: 1
name: {name}
models:
  fashion:
    source: {{torch: "bench.zoo.mobilenet:fashion"}}
    dataset: fashion-mnist-1k
    inputs: {{image: {{shape: [1, 1, 28, 28], dtype: float32}}}}
precisions: {precisions}
runtimes: {runtimes}
"""


class RunFailed(Exception):
    """A run that did not end well; the message holds what it said last."""


def run_suite(suite: str, folder: Path, *options: str, cache: Path | None = None, device: str = "local: {}",
              environment: Mapping[str, str] | None = None) -> Finished:
    """Run the suite's text on one device, with a devices.yaml, a store and a device folder in `folder`.

    `cache` is a cache of its own; by default it is the user's. `device` says how the device is reached, by default
    this machine; `environment` is added to the run's. Raises RunFailed.
    """
    (folder / "suite.yaml").write_text(suite)
    (folder / "devices.yaml").write_text(
        f"version: 1\ndevices:\n  {DEVICE}: {{{device}, workdir: {folder / 'device'}}}\n")
    store = folder / "store" / "bench.sqlite"
    command = [sys.executable, "-m", "bench", "run", str(folder / "suite.yaml"), "--devices",
               str(folder / "devices.yaml"), "--store", str(store), *options]
    whole = {**os.environ, **(environment or {}), **({"BENCH_CACHE": str(cache)} if cache else {})}
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=whole, check=False)
    wall_s = time.perf_counter() - begin
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line or "failed" in line or "refused" in line]
        raise RunFailed(f"bench run ended with exit code {done.returncode}: {'; '.join(lines[:3]) or 'no word'}")
    with Store(store) as results:
        return Finished(results.load(results.find_run(None)), wall_s)
