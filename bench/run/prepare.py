"""From a suite's models to all that conversions and checks need, on this host alone."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from bench.config.load import LoadedSuite
from bench.config.suite import ModelConfig
from bench.convert import encoding, gate
from bench.convert.cache import Cache, disk_errors, work_folder
from bench.convert.probe import Probe, ordered
from bench.convert.probing import probe
from bench.convert.process import Limits
from bench.convert.reference import reference_outputs
from bench.convert.types import Artifact, ModelJob
from bench.convert.variants import default_jobs
from bench.datasets.inputs import ResolvedInputs, resolve_inputs
from bench.datasets.labelled import Labelled
from bench.datasets.npz import read_npz, write_npz
from bench.errors import BenchError, ConfigError, ModelError
from bench.models.open import open_model
from bench.models.source import resolve_source
from bench.models.spec import ModelInfo, Source, SourceKind, TensorSpec
from bench.plan import PlanModel
from bench.run.behaviour import remarks
from bench.run.files import InputFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPENED_BY_CONTENT = ("onnx", "tflite", "exported", "torchscript")


@dataclass(frozen=True)
class References:
    """The fp32 source's outputs on the host, each of shape (samples, *output shape), by output position."""

    verification: tuple[NDArray[Any], ...]
    labelled: tuple[NDArray[Any], ...] = ()


@dataclass(frozen=True)
class OpenedModel:
    """A model of the suite, opened: what it is, its inputs, its labelled data."""

    name: str
    source: Source
    info: ModelInfo | None
    inputs: tuple[TensorSpec, ...]
    origins: Mapping[str, str]
    verification: InputFile
    calibration: InputFile
    labelled: Labelled | None
    labelled_inputs: InputFile | None
    warnings: tuple[str, ...]
    probe: Probe | None = None
    """What calling it told; None where its framework is not installed here."""

    @property
    def job(self) -> ModelJob:
        return ModelJob(self.name, self.source, self.inputs, self.calibration.path, self.calibration.sha256,
                        self.precision, self.probe)

    @property
    def data_sha256(self) -> str:
        """What the trials run on and are scored by: inputs, labels, metric."""
        digest = hashlib.sha256(self.verification.sha256.encode())
        if self.labelled is not None and self.labelled_inputs is not None:
            digest.update(self.labelled_inputs.sha256.encode() + self.labelled.labels.tobytes())
            digest.update(self.labelled.metric.encode())
        return digest.hexdigest()

    @property
    def precision(self) -> str:
        """What the source itself holds."""
        return self.info.precision if self.info else "fp32"

    @property
    def planned(self) -> PlanModel:
        shape = self.inputs[0].shape
        return PlanModel(self.source.kind, self.precision, shape[0] if shape else None)


@dataclass(frozen=True)
class Unusable:
    """A model of the suite that cannot be used, and why: its cells are left out, the others go on."""

    name: str
    kind: SourceKind
    reason: str
    log: str = ""

    @property
    def planned(self) -> PlanModel:
        return PlanModel(self.kind, "fp32", None, self.reason)


def open_models(suite: LoadedSuite, cache: Cache) -> dict[str, OpenedModel | Unusable]:
    """Every model of the suite, probed where its framework is installed here.

    Raises ConfigError, naming the model, for what the suite says wrongly.
    """
    limits = Limits(suite.config.convert.timeout, suite.config.convert.memory_mib)
    opened = {name: _open(name, config, suite.root, cache) for name, config in suite.config.models.items()}
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=default_jobs(), thread_name_prefix="probe") as pool:
        try:
            futures = {name: pool.submit(_probed, model, cache, limits, stop) for name, model in opened.items()}
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            stop.set()
            raise


def _open(name: str, config: ModelConfig, root: Path, cache: Cache) -> OpenedModel | Unusable:
    try:
        source = resolve_source(config.source, root)
        info = open_model(root / source.location, source.kind) if source.kind in OPENED_BY_CONTENT else None
        resolved = resolve_inputs(config, info, root)
    except ModelError as error:
        (kind,) = [kind for kind in get_args(SourceKind) if getattr(config.source, kind) is not None]
        return Unusable(name, kind, error.message)
    except BenchError as error:
        raise type(error)(f"model {name!r}: {error.message}", hint=error.hint) from error
    return _keep(name, source, info, resolved, cache)


def _probed(model: OpenedModel | Unusable, cache: Cache, limits: Limits,
            stop: threading.Event) -> OpenedModel | Unusable:
    """The model with what calling it told, its inputs in the order in which it takes them.

    One that does not run is unusable; one whose framework is not installed here stays as it is.
    """
    if isinstance(model, Unusable):
        return model
    samples = model.verification
    try:
        found = probe(model.job, samples.path, samples.sha256, cache, limits, count=gate.SAMPLES, stop=stop)
    except ConfigError:
        return model  # something is not installed: conversions say what
    except ModelError as error:
        return Unusable(model.name, model.source.kind, error.line, error.log)
    if found.mismatch:
        raise ConfigError(f"model {model.name!r}: {found.mismatch}")
    said = remarks(found, model.inputs, labelled=model.labelled is not None)
    return replace(model, inputs=ordered(model.inputs, found.order), probe=found, warnings=(*model.warnings, *said))


def _keep(name: str, source: Source, info: ModelInfo | None, resolved: ResolvedInputs, cache: Cache) -> OpenedModel:
    labelled = resolved.labelled
    labelled_inputs = keep(labelled.inputs, cache) if labelled else None
    return OpenedModel(
        name, source, info, resolved.specs, resolved.origin, keep(resolved.verification, cache),
        keep(resolved.calibration, cache), labelled, labelled_inputs, resolved.warnings)


def keep(arrays: Mapping[str, NDArray[Any]], cache: Cache) -> InputFile:
    """The arrays as an .npz in the cache, named by its hash."""
    with work_folder(cache) as work, disk_errors(cache.root):
        cache.inputs.mkdir(exist_ok=True)
        temporary = work / "inputs.npz"
        sha256 = write_npz(temporary, dict(arrays))
        path = cache.inputs / f"{sha256}.npz"
        temporary.replace(path)
    return InputFile(path, sha256)


def compute_references(model: OpenedModel, cache: Cache, limits: Limits) -> References:
    """What the source gives on this host for the verification and the labelled inputs. Raises ModelError."""
    files = [model.verification] + ([model.labelled_inputs] if model.labelled_inputs else [])
    outputs = [tuple(read_npz(reference_outputs(model.job, file.path, file.sha256, cache, limits)).values())
               for file in files]
    return References(*outputs)


def encode_inputs(artifact: Artifact, inputs: Sequence[TensorSpec], file: InputFile, cache: Cache) -> InputFile:
    """`file`'s arrays as the artifact's own tensors take them, keyed "0", "1", ... in its order."""
    arrays = read_npz(file.path)
    taken = zip(artifact.places, inputs, artifact.inputs, strict=True)
    return keep({str(place): encoding.encode(arrays[spec.name], own) for place, spec, own in taken}, cache)
