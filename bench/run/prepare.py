"""From a suite's models to all that conversions and checks need, on this host alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from bench.config.load import LoadedSuite
from bench.config.suite import ModelConfig
from bench.convert import encoding
from bench.convert.cache import Cache, disk_errors, work_folder
from bench.convert.process import Limits
from bench.convert.reference import reference_outputs
from bench.convert.types import Artifact, ModelJob
from bench.datasets.inputs import ResolvedInputs, resolve_inputs
from bench.datasets.labelled import Labelled
from bench.datasets.npz import read_npz, write_npz
from bench.errors import BenchError, ModelError
from bench.models.open import open_model
from bench.models.source import resolve_source
from bench.models.spec import ModelInfo, Source, SourceKind, TensorSpec
from bench.plan import PlanModel
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
    words: Mapping[str, str] = field(default_factory=dict)
    """Where the values of each input come from, for people."""
    made_up: Mapping[str, str] = field(default_factory=dict)
    shared: str = ""

    @property
    def job(self) -> ModelJob:
        return ModelJob(self.name, self.source, self.inputs, self.calibration.path, self.calibration.sha256,
                        self.verification.path, self.verification.sha256, self.precision)

    @property
    def data_sha256(self) -> str:
        """What the trials run on and are scored by: inputs, labels, metric."""
        digest = hashlib.sha256(self.verification.sha256.encode())
        if self.labelled is not None and self.labelled_inputs is not None:
            digest.update(self.labelled_inputs.sha256.encode() + self.labelled.labels.tobytes())
            digest.update(self.labelled.metric.encode() + f"{self.labelled.output or ''}".encode())
        return digest.hexdigest()

    @property
    def precision(self) -> str:
        """What the source itself holds."""
        return self.info.precision if self.info else "fp32"

    @property
    def planned(self) -> PlanModel:
        shape = self.inputs[0].shape
        return PlanModel(self.source.kind, self.precision, shape[0] if shape else None, made_up=self.made_up,
                         shared=self.shared, warnings=self.warnings)


@dataclass(frozen=True)
class Unusable:
    """A model of the suite that cannot be used, and why: its cells are left out, the others go on."""

    name: str
    kind: SourceKind
    reason: str

    @property
    def planned(self) -> PlanModel:
        return PlanModel(self.kind, "fp32", None, self.reason)


def open_models(suite: LoadedSuite, cache: Cache) -> dict[str, OpenedModel | Unusable]:
    """Every model of the suite. Raises ConfigError, naming the model, for what the suite says wrongly."""
    return {name: _open(name, config, suite.root, cache) for name, config in suite.config.models.items()}


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


def _keep(name: str, source: Source, info: ModelInfo | None, resolved: ResolvedInputs, cache: Cache) -> OpenedModel:
    labelled = resolved.labelled
    said = [info.mixed] if info is not None and info.mixed else []
    labelled_inputs = keep(labelled.inputs, cache) if labelled else None
    return OpenedModel(
        name, source, info, resolved.specs, resolved.origin, keep(resolved.verification, cache),
        keep(resolved.calibration, cache), labelled, labelled_inputs, (*resolved.warnings, *said), resolved.words,
        resolved.made_up, resolved.shared)


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
