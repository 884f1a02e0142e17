"""Checks of a loaded suite against what lies around it: the files it names, the devices there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import bench
from bench.config.devices import DevicesConfig
from bench.config.expect import METRICS, Expectation
from bench.config.files import not_a_file
from bench.config.load import LoadedSuite, read_document
from bench.config.problems import Problem, config_error, quoted, suggest
from bench.config.suite import DatasetConfig, ModelConfig
from bench.config.yaml import Place

IMPORTED: Final = (
    "ai_edge_litert", "bench", "executorch", "flatbuffers", "litert_quantizer", "litert_torch", "ml_dtypes", "numpy",
    "onnx", "onnx_ir", "onnxconverter_common", "onnxruntime", "onnxscript", "safetensors", "torch", "torchao")
"""Packages that converting imports after the suite's folder was put first among the places to import from."""
_OWN: Final = (Path(bench.__file__).resolve(),)
"""A suite may lie in the folder that holds the package itself."""


def check_files(loaded: LoadedSuite) -> None:
    """Raise one ConfigError that names every file which the suite needs and which is not there, and those beside a
    factory that stand in the way of a package of the same name."""
    _raise_if_any(loaded, [*_missing_files(loaded), *_hiding_files(loaded)])


def check_against_devices(loaded: LoadedSuite, devices: DevicesConfig) -> None:
    """Raise one ConfigError that names every unknown device in the suite's `exclude` and `expect`."""
    excluded = enumerate(loaded.config.exclude)
    named: list[tuple[Place, str | None]] = [(("exclude", index), entry.device) for index, entry in excluded]
    named += [(place, entry.device) for place, entry in _expectations(loaded)]
    _raise_if_any(loaded, [
        Problem((*place, "device"), f"no device {quoted(device)} in the devices file{suggest(device, devices.devices)}")
        for place, device in named if device is not None and device not in devices.devices])


def check_despite(loaded: LoadedSuite, known: Collection[str]) -> None:
    """Raise one ConfigError that names every circumstance in `expect.despite` that is not among the `known`."""
    names = loaded.config.expect.despite if loaded.config.expect else ()
    _raise_if_any(loaded, [Problem(("expect", "despite", index), f"unknown name {quoted(name)}{suggest(name, known)}")
                           for index, name in enumerate(names) if name not in known])


def _expectations(loaded: LoadedSuite) -> Iterator[tuple[Place, Expectation]]:
    """What the suite expects, each with its place in the file."""
    for metric in METRICS if loaded.config.expect else ():
        said: Expectation | tuple[Expectation, ...] | None = getattr(loaded.config.expect, metric)
        if isinstance(said, tuple):
            yield from ((("expect", metric, index), entry) for index, entry in enumerate(said))
        elif said:
            yield ("expect", metric), said


def _raise_if_any(loaded: LoadedSuite, problems: list[Problem]) -> None:
    if problems:
        raise config_error(loaded.path, read_document(loaded.text, loaded.path), problems, "suite")


def files_of(model: ModelConfig) -> Iterator[Path]:
    """The files that a model names, as the suite writes them."""
    yield from (path for _, path in _files(model))


def _missing_files(loaded: LoadedSuite) -> Iterator[Problem]:
    for name, model in loaded.config.models.items():
        for place, path in _files(model):
            why = not_a_file(loaded.root / path)
            if why:
                yield Problem(("models", name, *place), f"{quoted(str(path))}: {why}")


def _hiding_files(loaded: LoadedSuite) -> Iterator[Problem]:
    factories = [name for name, model in loaded.config.models.items() if model.source.torch is not None]
    for package in IMPORTED if factories else ():
        found = next((path for path in (loaded.root / f"{package}.py", loaded.root / package / "__init__.py")
                      if path.is_file() and path.resolve() not in _OWN), None)
        if found:
            text = f"{quoted(str(found.relative_to(loaded.root)))} beside the suite hides the package {package}, which "
            yield Problem(("models", factories[0], "source", "torch"), f"{text}converting needs: rename it")


def _files(model: ModelConfig) -> Iterator[tuple[Place, Path]]:
    """The files that a model names, each with its place below the model."""
    source = model.source
    for key in ("exported", "onnx", "tflite", "torchscript", "weights"):
        if getattr(source, key) is not None:
            yield ("source", key), getattr(source, key)
    for name, settings in model.inputs.items():
        if settings.file is not None:
            yield ("inputs", name, "file"), settings.file
    if isinstance(model.calibration, dict):
        for name, path in model.calibration.items():
            yield ("calibration", name), path
    elif model.calibration is not None:
        yield ("calibration",), model.calibration
    if isinstance(model.dataset, DatasetConfig):
        yield ("dataset", "inputs"), model.dataset.inputs
        yield ("dataset", "labels"), model.dataset.labels
        if model.dataset.calibration is not None:
            yield ("dataset", "calibration"), model.dataset.calibration
