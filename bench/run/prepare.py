"""From a suite's models to all that conversions and checks need, on this host alone."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from bench.config.load import LoadedSuite
from bench.config.suite import DatasetConfig, ModelConfig
from bench.convert import encoding
from bench.convert.cache import Cache, disk_errors, look_up, work_folder
from bench.convert.probe import Probe, ordered
from bench.convert.probing import probe
from bench.convert.process import Limits
from bench.convert.reference import FRAMEWORK, reference_key, reference_outputs
from bench.convert.tables import tables_of
from bench.convert.types import Artifact, ModelJob
from bench.convert.variants import default_jobs
from bench.convert.varying import unpacked
from bench.datasets.inputs import ResolvedInputs, resolve_inputs
from bench.datasets.labelled import Labelled
from bench.datasets.npz import read_npz, write_npz
from bench.datasets.scored import scored_output
from bench.errors import BenchError, ConfigError, Fault, InfrastructureError, MissingExtra, ModelError
from bench.host import as_told, shortages_told
from bench.models.open import open_model
from bench.models.shares import label_of_bytes
from bench.models.source import resolve_source
from bench.models.spec import ModelInfo, Source, SourceKind, TensorSpec
from bench.plan import PlanModel
from bench.run.behaviour import remarks
from bench.run.files import InputFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHOLE = ("int16", "int32", "int64", "uint16", "uint32", "uint64", "int8", "uint8")
"""Types of inputs that may number the rows of a table."""
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
    probe: Probe | None = None
    """What calling it told; None where its framework is not installed here."""

    @property
    def job(self) -> ModelJob:
        return ModelJob(self.name, self.source, self.inputs, self.calibration.path, self.calibration.sha256,
                        self.verification.path, self.verification.sha256, self.precision, self.probe)

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
        """What the source's own weights are."""
        return self._label[0]

    @property
    def planned(self) -> PlanModel:
        shape = self.inputs[0].shape
        return PlanModel(self.source.kind, self.precision, shape[0] if shape else None, made_up=self.made_up,
                         shared=self.shared, warnings=self._remarks, calibration_warnings=self.warnings)

    @property
    def _remarks(self) -> tuple[str, ...]:
        """What is to be said of all that is made of it."""
        mixed = [self._label[1]] if self._label[1] else []
        told = remarks(self.probe, self.inputs, labelled=self.labelled is not None) if self.probe else ()
        return (*mixed, *told)

    @property
    def _label(self) -> tuple[str, str]:
        """The precision of the weights, and what is to be said of mixed ones."""
        if self.info is not None:
            return self.info.precision, self.info.mixed
        return label_of_bytes(self.probe.weights) if self.probe else ("fp32", "")


@dataclass(frozen=True)
class Unusable:
    """A model of the suite that cannot be used, and why: its cells are left out, the others go on."""

    name: str
    kind: SourceKind
    reason: str
    log: str = ""
    fault: Fault = "model"

    @property
    def planned(self) -> PlanModel:
        return PlanModel(self.kind, "fp32", None, self.reason, self.fault)


def open_models(suite: LoadedSuite, cache: Cache) -> dict[str, OpenedModel | Unusable]:
    """Every model of the suite, probed where its framework is installed here.

    Raises ConfigError, naming the model, for what the suite says wrongly.
    """
    limits = Limits(suite.config.convert.timeout, suite.config.convert.memory_mib)
    alone = len(suite.config.models) == 1
    opened = {name: _open(name, config, suite.root, cache, alone=alone)
              for name, config in suite.config.models.items()}
    stop = threading.Event()

    def look_into(name: str) -> OpenedModel | Unusable:
        model, config = opened[name], suite.config.models[name]
        if isinstance(model, Unusable):
            return model
        with _naming(name):
            return _probed(_within_tables(model, config, suite.root, cache, limits, stop), config, cache, limits, stop)

    with ThreadPoolExecutor(max_workers=default_jobs(), thread_name_prefix="probe") as pool:
        try:
            futures = {name: pool.submit(look_into, name) for name in opened}
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            stop.set()
            raise


def _open(name: str, config: ModelConfig, root: Path, cache: Cache, *, alone: bool) -> OpenedModel | Unusable:
    """The model; unusable where its file is no good. Where the suite has others (it is not `alone`), that is so too
    for a file that is not what the suite takes it for: one bad file ends no suite."""
    (kind,) = [kind for kind in get_args(SourceKind) if getattr(config.source, kind) is not None]
    with _naming(name), shortages_told():
        try:
            source = resolve_source(config.source, root)
            info = open_model(root / source.location, source.kind) if source.kind in OPENED_BY_CONTENT else None
            resolved = resolve_inputs(config, info, root)
        except (ModelError, ConfigError) as error:
            said = config.inputs or config.dataset is not None or config.calibration is not None
            of_file = kind in OPENED_BY_CONTENT and not said and not isinstance(error, MissingExtra)
            if isinstance(as_told(error), InfrastructureError):
                return Unusable(name, kind, error.line, fault="infrastructure")
            if isinstance(error, ModelError) or (of_file and not alone):
                return Unusable(name, kind, error.line)
            raise
    return _keep(name, source, info, resolved, cache)


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Let errors say of which model they are."""
    try:
        yield
    except ModelError:
        raise
    except BenchError as error:
        raise type(error)(f"model {name!r}: {error.message}", hint=error.hint) from error


def _within_tables(model: OpenedModel, config: ModelConfig, root: Path, cache: Cache, limits: Limits,
                   stop: threading.Event) -> OpenedModel:
    """The model with values that number rows of the tables that it reads, where its source does not say which."""
    whole = any(spec.dtype in WHOLE and spec.quantization is None for spec in model.inputs)
    if model.source.kind not in FRAMEWORK or not whole:
        return model
    try:
        tables = tables_of(model.job, cache, limits, stop)
    except ConfigError:
        return model  # something is not installed: conversions say what
    resolved = resolve_inputs(config, model.info, root, tables)
    return _keep(model.name, model.source, model.info, resolved, cache) if tables else model


def _probed(model: OpenedModel, config: ModelConfig, cache: Cache, limits: Limits,
            stop: threading.Event) -> OpenedModel | Unusable:
    """The model with what calling it told, its inputs in the order in which it takes them.

    One that does not run is unusable; one whose framework is not installed here stays as it is. Raises ConfigError when
    the names of inputs are not forward's, or it is not clear which output the labels are for.
    """
    found = None
    with contextlib.suppress(ConfigError):  # something is not installed: conversions say what
        try:
            found = probe(model.job, cache, limits, stop=stop)
        except (ModelError, InfrastructureError) as error:
            return Unusable(model.name, model.source.kind, error.line, error.log, error.fault)
    if found is not None and found.mismatch:
        raise ConfigError(found.mismatch)
    if found is not None:
        model = replace(model, inputs=ordered(model.inputs, found.order), probe=found)
    return replace(model, labelled=_scoring(model, config))


def _scoring(model: OpenedModel, config: ModelConfig) -> Labelled | None:
    """The labelled data with the output that they are for."""
    if model.labelled is None:
        return None
    wanted = config.dataset.output if isinstance(config.dataset, DatasetConfig) else None
    outputs = model.probe.outputs if model.probe else model.info.outputs if model.info else ()
    return replace(model.labelled, output=scored_output(outputs, int(model.labelled.labels.max()), wanted))


def _keep(name: str, source: Source, info: ModelInfo | None, resolved: ResolvedInputs, cache: Cache) -> OpenedModel:
    labelled = resolved.labelled
    labelled_inputs = keep(labelled.inputs, cache) if labelled else None
    return OpenedModel(
        name, source, info, resolved.specs, resolved.origin, keep(resolved.verification, cache),
        keep(resolved.calibration, cache), labelled, labelled_inputs, resolved.warnings, resolved.words,
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
    outputs = [tuple(unpacked(read_npz(reference_outputs(model.job, file.path, file.sha256, cache, limits))))
               for file in files]
    return References(*outputs)


def cached_references(model: OpenedModel, cache: Cache) -> References | None:
    """The same where all of it was computed before, else None. Raises MissingExtra."""
    files = [model.verification] + ([model.labelled_inputs] if model.labelled_inputs else [])
    entries = [look_up(cache, reference_key(model.job, file.sha256)) for file in files]
    paths = [entry.file for entry in entries if entry is not None and entry.file is not None]
    return References(*(tuple(unpacked(read_npz(path))) for path in paths)) if len(paths) == len(files) else None


def encode_inputs(artifact: Artifact, inputs: Sequence[TensorSpec], file: InputFile, cache: Cache) -> InputFile:
    """`file`'s arrays as the artifact's own tensors take them, keyed "0", "1", ... in its order."""
    arrays = read_npz(file.path)
    taken = zip(artifact.places, inputs, artifact.inputs, strict=True)
    return keep({str(place): encoding.encode(arrays[spec.name], own) for place, spec, own in taken}, cache)
