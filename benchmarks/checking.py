"""What the checks cost: the CPU time that probing a model, looking at parts of outputs and verifying in a fresh
instance add to a run that converts and measures."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.config.load import load_suite
from bench.convert import lost_samples, parts
from bench.convert.cache import Cache, open_cache
from bench.convert.probing import probe
from bench.convert.process import Limits
from bench.convert.reference import reference_outputs
from bench.convert.types import ModelJob
from bench.run.prepare import OpenedModel, compute_references, open_models
from bench.store.records import StoredRun
from benchmarks.figures import Aim, Figure, Part, spread
from benchmarks.runs import RunFailed, run_suite, zoo_suite
from benchmarks.setting import Setting

TITLE = "CPU time of a run (nothing converted yet) with its checks, over that without what they add"
MEASURE = ("measure: {trials: 3, min_samples: 10, min_time: 200ms, "
           "warmup: {min_runs: 5, min_time: 100ms, max_time: 1s}}\n")
AT_MOST = Aim(most=1.2)
LIMITS = Limits(timeout_s=300.0, memory_mib=8192)


def measure(setting: Setting) -> Part:
    """The ratio, turn by turn; what is added is measured on the same model in the same turn."""
    suite = zoo_suite("checking", "[fp32, int8]", "[onnxruntime]") if setting.quick else zoo_suite(
        "checking", "[fp32, fp16, int8-dynamic, int8]")
    suite += MEASURE
    ratios, shares = [], []
    for turn in range(1 if setting.quick else 3):
        setting.tell(f"turn {turn + 1}")
        folder = setting.folder / str(turn)
        folder.mkdir()
        try:
            whole_s, added = _turn(suite, folder)
        except RunFailed as error:
            return Part("checking", TITLE, missing=str(error))
        ratios.append(whole_s / (whole_s - sum(added.values())))
        shares.append(f"turn {turn + 1}: {whole_s:.1f} s of CPU, of which "
                      + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in added.items()))
    return Part("checking", TITLE, (Figure("with checks over without", spread(ratios), aim=AT_MOST),), tuple(shares))


def _turn(suite: str, folder: Path) -> tuple[float, dict[str, float]]:
    begin = _children_s()
    finished = run_suite(suite, folder, cache=folder / "cache")
    whole_s = _children_s() - begin
    model = _opened(folder / "suite.yaml", open_cache(folder / "cache"))
    probing_s = max(0.0, _probing_s(model.job, folder))
    return whole_s, {"probing": probing_s, "parts of outputs": _parts_s(model, finished.stored, folder),
                     "verification": _verification_s(finished.stored)}


def _children_s() -> float:
    """CPU time of all processes that this one started and that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _opened(suite: Path, cache: Cache) -> OpenedModel:
    (model,) = open_models(load_suite(suite), cache).values()
    assert isinstance(model, OpenedModel)
    return model


def _probing_s(job: ModelJob, folder: Path) -> float:
    """What a probe takes beyond the reference outputs, which it computes too and which were computed before as well."""
    bare = replace(job, probe=None)
    alone = open_cache(folder / "reference")
    reference_s = _spent(lambda: reference_outputs(bare, job.verification, job.verification_sha256, alone, LIMITS))
    return _spent(lambda: probe(bare, open_cache(folder / "probe"), LIMITS)) - reference_s


def _spent(work: Callable[[], object]) -> float:
    begin = _children_s()
    work()
    return _children_s() - begin


def _parts_s(model: OpenedModel, stored: StoredRun, folder: Path) -> float:
    """Looking at the parts of all outputs: once for each file at the gate, and in each trial."""
    references = compute_references(model, open_cache(folder / "cache"), LIMITS)
    files = sum(cell.artifact is not None for cell in stored.cells)
    latency = sum(trial.kind == "latency" for trial in stored.trials)
    return (files + latency) * _look_s(references.verification[0]) + (
        len(stored.trials) - latency) * _look_s(references.labelled[0])


def _look_s(reference: parts.Array) -> float:
    noisy = reference + np.random.default_rng(0).normal(0, 0.01, reference.shape).astype(np.float32)
    begin = time.process_time()
    parts.look_at(0, reference, noisy)
    lost_samples.look_for(0, reference, noisy)
    return time.process_time() - begin


def _verification_s(stored: StoredRun) -> float:
    """Loading each file anew and timing every sample: wall time, of which a trial's own process uses at most a core."""
    return sum(trial.phases.get(name, 0) for trial in stored.trials for name in ("reload_ns", "by_turns_ns")) / 1e9
