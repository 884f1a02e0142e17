"""Cells of two runs to be compared, measured by hand: trial medians that lie about a centre as equal trials would."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from statistics import median
from typing import Any

from bench.judge.compare import compare_results
from bench.judge.noise import Floors
from bench.judge.types import Comparison, NoiseFloor, Side
from bench.results import Accuracy, CellResult, Latency, RunResult
from tests.fakes.results import lost_cell, ok_cell, run_info

BEFORE, AFTER = "20261120-031500-aaaa", "20261121-031500-7f3a"
ALIKE = {"os": "Android 15", "cpu": "Tensor G3", "runtime": "onnxruntime 1.22.0", "libraries": "numpy 1.26",
         "governor": "schedutil", "cores": "4-7", "threads": "1", "delegate": "cpu", "options": "none",
         "input-shape": "image 1x3x224x224", "batch": "1", "emulation": "no", "converter": "torch 2.13"}
SPREAD = (-0.7, 1.1, 0.2, -1.2, 0.8, -0.2)
"""Of six trials about their middle, in standard deviations."""


def timed(model: str = "mobilenet", precision: str = "fp32", runtime: str = "onnxruntime", *, device: str = "pixel-8",
          ratio: float = 1.0, sd: float = 0.005, memory: float = 1.0, score: float | None = 0.884, turn: int = 0,
          threads: int = 1, **changes: Any) -> CellResult:
    """A measured cell, `ratio` times as slow and `memory` times as large as usual; `turn` is where its trials begin in
    `SPREAD`."""
    base = ok_cell(device, model, runtime, precision, threads=threads, score=score)
    assert base.latency_ms.p50 is not None and base.memory_mib.peak_rss is not None
    spread = SPREAD[turn:] + SPREAD[:turn]
    medians = tuple(4.0 * ratio * exp(sd * value) for value in spread)
    peaks = tuple(base.memory_mib.peak_rss * memory + 0.1 * value for value in spread)
    cell = f"{model}/{base.format}/{precision}/{runtime}-{base.delegate}/t{threads}@{device}"
    usual: dict[str, Any] = {
        "cell": cell, "trial_medians_ms": medians, "latency_ms": Latency(p50=median(medians)), "trials": 6,
        "trial_peak_rss_mib": peaks, "trial_seconds": 3.0, "source": "ab" * 32,
        "circumstances": {**ALIKE, "threads": str(threads)}}
    return replace(base, **(usual | changes))


def lost(cell: CellResult, status: str = "failed", fault: str = "device") -> CellResult:
    """The same cell, not measured."""
    gone = lost_cell(status, "worker crashed with signal 11", fault, device=cell.device, model=cell.model,
                     runtime=cell.runtime, precision=cell.precision)
    return replace(gone, cell=cell.cell, threads=cell.threads)


def compared(before: list[CellResult], after: list[CellResult], **options: Any) -> Comparison:
    """The cells of two runs on a device that is known to be quiet, where nothing else is given as `floors`."""
    sides = [Side("run", name, run_info(id=name, started=f"2026-11-{name[6:8]}T03:15:00Z", host={"git": git * 20}))
             for name, git in ((BEFORE, "1a"), (AFTER, "2b"))]
    results = (RunResult(sides[0].run, tuple(before)), RunResult(sides[1].run, tuple(after)))
    return compare_results(sides[0], sides[1], results, options.pop("floors", quiet(before + after)), **options)


def quiet(cells: list[CellResult]) -> Floors:
    """Floors of all their devices and runtimes: trials and runs differ by a quarter of a percent."""
    return {(cell.device, cell.runtime): NoiseFloor(cell.device, cell.runtime, 0.0025, 40, 0.0025, 16, run_df=15)
            for cell in cells}


def night() -> Comparison:
    """Each kind of answer once: worse, better, same, not to be told, memory, refused, broke, mended, on one side."""
    models = ("mobilenet", "resnet", "unet", "yolo", "bert", "tiny", "old", "crash", "heal")
    before = [timed(model) for model in models]
    crash, heal = before[-2:]
    before[-1] = lost(heal)
    after = [timed("mobilenet", ratio=1.12, turn=1, source="cd" * 32), timed("resnet", ratio=0.8, turn=2, score=0.879),
             timed("unet", turn=3), timed("yolo", ratio=1.05, sd=0.05, turn=1), timed("bert", memory=1.3, turn=2),
             replace(timed("tiny"), circumstances={**ALIKE, "os": "Android 16"}), lost(crash), heal, timed("new")]
    scored = after[1].accuracy
    assert isinstance(scored, Accuracy)
    return compared(before, after)
