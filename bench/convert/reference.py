"""The fp32 reference: what the source itself gives for given inputs, computed on the host and kept by content."""

from __future__ import annotations

import platform
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from bench.convert.cache import LOG, Cache, Entry, commit, disk_errors, key_of, look_up, work_folder
from bench.convert.execute import Samples, read_samples, run_file
from bench.convert.measures import has_nan
from bench.convert.process import Limits
from bench.convert.recipe import Work
from bench.convert.task import perform
from bench.convert.tools import PACKAGES_OF_KIND, located, source_identity, versions_of
from bench.convert.types import ModelJob
from bench.convert.varying import gathered, packed, parts_of
from bench.convert.wire import Failure, work_from_json, work_to_json
from bench.errors import BenchError, ConfigError, InfrastructureError, ModelError
from bench.models.spec import Source, TensorSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = npt.NDArray[np.generic]

FRAMEWORK: Final = ("torch", "exported", "torchscript")
"""Kinds of sources that are run as PyTorch modules."""

REVISION = 3
"""Rises whenever the outputs would be others: those of an older one are then not used."""


def reference_outputs(job: ModelJob, samples: Path, samples_sha256: str, cache: Cache, limits: Limits, *,
                      stop: threading.Event | None = None) -> Path:
    """An .npz with the source's outputs "0", "1", ... on all samples, each (n, *shape).

    The samples are run in their order in a fresh instance: what a model keeps from call to call is then always the
    same. Quantized outputs of a file are dequantized. Raises ModelError (ConfigError, InfrastructureError by whose
    fault it is) when the model itself does not run or gives numbers that are not finite.
    """
    entry = look_up(cache, reference_key(job, samples_sha256))
    if entry is None or entry.file is None:
        with work_folder(cache) as folder, disk_errors(cache.root):
            made = folder / "entry"
            made.mkdir()
            output = made / "outputs.npz"
            work = Work(located(job.source), job.inputs, "fp32", None, samples.resolve(), output)
            answer = perform({"task": "reference", "work": work_to_json(work),
                              "extra": PACKAGES_OF_KIND[job.source.kind][0], "purpose": f"running {job.model}"},
                             folder, made / LOG, limits, stop)
            if isinstance(answer, Failure):
                raise error_of(job.model, answer, (made / LOG).read_text(errors="replace"))
            entry = keep_reference(job, samples_sha256, output, cache)
    if entry.file is None:
        raise InfrastructureError(f"the cache entry {entry.key[:12]} under {cache.root} holds no outputs")
    return entry.file


def reference_key(job: ModelJob, samples_sha256: str) -> str:
    """The cache's key of the outputs on these samples.

    Raises MissingExtra where the source's framework is not installed.
    """
    tools = versions_of(*PACKAGES_OF_KIND[job.source.kind], purpose=f"running {job.model}")
    return key_of({"reference": REVISION, "source": source_identity(job.source), "tools": tools,
                   "inputs": [spec.to_json() for spec in job.inputs], "data": samples_sha256,
                   "machine": platform.machine()})


def keep_reference(job: ModelJob, samples_sha256: str, output: Path, cache: Cache) -> Entry:
    """The entry of the outputs in `output`, alone with its log in a folder that becomes the cache's."""
    facts = {"reference": job.model, "source": asdict(job.source)["sha256"]}
    return commit(cache, reference_key(job, samples_sha256), output.parent, facts, output)


def write_reference(job: dict[str, Any]) -> None:
    """The child's part: run the source on the samples and write the outputs. Raises what the model raises."""
    work = work_from_json(job["work"])
    samples = read_samples(work.calibration, work.inputs)
    if work.source.kind in FRAMEWORK:
        from bench.convert.binding import load_bound

        outputs = run_module(load_bound(work.source, work.inputs), work.inputs, samples)
    else:
        outputs = _run_source_file(work.source, work.inputs, samples)
    write_outputs(work.output, outputs)


def write_outputs(path: Path, outputs: Sequence[Array]) -> None:
    """Keep a model's outputs as a reference. Raises ModelError when one holds NaN, which equals nothing, or nothing
    but infinities."""
    for place, array in enumerate(outputs):
        parts = [part for part in parts_of(array) if part.size]
        if any(map(has_nan, parts)):
            raise ModelError(f"output {place} of the model itself has NaN values on the given inputs")
        if parts and all(np.isinf(part).all() for part in parts):
            raise ModelError(f"output {place} of the model itself is infinite throughout on the given inputs")
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **packed(outputs))


def _run_source_file(source: Source, inputs: tuple[TensorSpec, ...], samples: Samples) -> tuple[Array, ...]:
    from bench.models.open import open_model

    return run_file(open_model(source.root / source.location, expected=source.kind), inputs, samples).values


def run_module(module: nn.Module, inputs: tuple[TensorSpec, ...], samples: Samples) -> tuple[Array, ...]:
    """The module's outputs on every sample, in their order: one array (n, *shape) each. A sample is never changed."""
    import torch

    rows = []
    with torch.no_grad():
        for index in range(len(samples[inputs[0].name])):
            rows.append(arrays_of(module(*arguments_of(samples, inputs, index))))
    return tuple(gathered(column) for column in zip(*rows, strict=True))


def arguments_of(samples: Samples, inputs: Sequence[TensorSpec], index: int) -> list[Tensor]:
    """One sample as tensors of its own, in the order of the inputs."""
    import torch

    return [torch.from_numpy(np.array(samples[spec.name][index], dtype=spec.dtype)) for spec in inputs]


def arrays_of(result: Any) -> list[Array]:
    """The tensors of a module's result, copied; bfloat16, which numpy has not, as float32."""
    import torch

    from bench.agents.runtimes.torch import flat

    tensors = (tensor.detach() for tensor in flat(result))
    return [np.array((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()) for tensor in tensors]


def error_of(model: str, failure: Failure, log: str) -> BenchError:
    """The error that a child's failure to run the model is."""
    kinds: dict[str, type[BenchError]] = {"config": ConfigError, "infrastructure": InfrastructureError}
    return kinds.get(failure.fault, ModelError)(f"the model {model!r} does not run: {failure.reason}", log=log)
