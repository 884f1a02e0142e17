"""The fp32 reference: what the source itself gives for given inputs, computed on the host and kept by content."""

from __future__ import annotations

import platform
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.convert.cache import LOG, Cache, commit, disk_errors, key_of, look_up, work_folder
from bench.convert.execute import Samples, read_samples, run_file
from bench.convert.process import Limits
from bench.convert.recipe import Work
from bench.convert.task import perform
from bench.convert.tools import PACKAGES_OF_KIND, located, source_identity, versions_of
from bench.convert.types import ModelJob
from bench.convert.wire import Failure, work_from_json, work_to_json
from bench.errors import BenchError, ConfigError, InfrastructureError, ModelError
from bench.models.spec import Source, TensorSpec

Array = npt.NDArray[np.generic]

REVISION = 1


def reference_outputs(job: ModelJob, inputs_npz: Path, inputs_sha256: str, cache: Cache, limits: Limits, *,
                      count: int | None = None, stop: threading.Event | None = None) -> Path:
    """An .npz with the source's outputs "0", "1", ... on the first `count` samples (None: all), each (n, *shape).

    Quantized outputs of a file are dequantized. Raises ModelError (ConfigError, InfrastructureError by whose fault it
    is) when the model itself does not run or gives numbers that are not finite.
    """
    tools = versions_of(*PACKAGES_OF_KIND[job.source.kind], purpose=f"running {job.model}")
    key = key_of({"reference": REVISION, "source": source_identity(job.source), "tools": tools, "count": count,
                  "inputs": [spec.to_json() for spec in job.inputs], "data": inputs_sha256,
                  "machine": platform.machine()})
    entry = look_up(cache, key)
    if entry is None or entry.file is None:
        with work_folder(cache) as folder, disk_errors(cache.root):
            made = folder / "entry"
            made.mkdir()
            output = made / "outputs.npz"
            work = Work(located(job.source), job.inputs, "fp32", None, inputs_npz.resolve(), output)
            answer = perform({"task": "reference", "work": work_to_json(work), "count": count,
                              "extra": PACKAGES_OF_KIND[job.source.kind][0], "purpose": f"running {job.model}"},
                             folder, made / LOG, limits, stop)
            if isinstance(answer, Failure):
                raise _error(job.model, answer, (made / LOG).read_text(errors="replace"))
            entry = commit(cache, key, made, {"reference": job.model, "source": asdict(job.source)["sha256"]}, output)
    if entry.file is None:
        raise InfrastructureError(f"the cache entry {key[:12]} under {cache.root} holds no outputs")
    return entry.file


def write_reference(job: dict[str, Any]) -> None:
    """The child's part: run the source on the samples and write the outputs. Raises what the model raises."""
    work = work_from_json(job["work"])
    samples = read_samples(work.calibration, work.inputs, job["count"])
    if work.source.kind in ("torch", "exported", "torchscript"):
        outputs = _run_module(work.source, work.inputs, samples)
    else:
        outputs = _run_source_file(work.source, work.inputs, samples)
    for place, array in enumerate(outputs):
        if not np.isfinite(array.astype(np.float64)).all():
            raise ModelError(f"output {place} of the model itself has NaN or infinite values on the given inputs")
    with work.output.open("wb") as file:
        np.savez(file, allow_pickle=False, **{str(place): array for place, array in enumerate(outputs)})


def _run_source_file(source: Source, inputs: tuple[TensorSpec, ...], samples: Samples) -> tuple[Array, ...]:
    from bench.models.open import open_model

    return run_file(open_model(source.root / source.location, expected=source.kind), inputs, samples).values


def _run_module(source: Source, inputs: tuple[TensorSpec, ...], samples: Samples) -> tuple[Array, ...]:
    import torch

    from bench.agents.runtimes.torch import flat
    from bench.models.factory import load_module

    module = load_module(source)
    rows = []
    with torch.inference_mode():
        for index in range(len(samples[inputs[0].name])):
            arguments = [torch.from_numpy(np.array(samples[spec.name][index], dtype=spec.dtype)) for spec in inputs]
            rows.append([tensor.numpy() for tensor in flat(module(*arguments))])
    return tuple(np.stack(column) for column in zip(*rows, strict=True))


def _error(model: str, failure: Failure, log: str) -> BenchError:
    kinds: dict[str, type[BenchError]] = {"config": ConfigError, "infrastructure": InfrastructureError}
    return kinds.get(failure.fault, ModelError)(f"the model {model!r} does not run: {failure.reason}", log=log)
