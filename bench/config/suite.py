"""A suite: which models, in which precisions, by which runtimes, measured how. See `bench schema suite`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, StringConstraints, Tag

from bench.config.base import FilePath, Line, Name, Strict, Version
from bench.config.expect import ExpectConfig as ExpectConfig
from bench.config.quantities import Change, Seconds, Share

Format = Literal["onnx", "tflite", "torchscript", "executorch"]
Precision = Literal["fp32", "fp16", "bf16", "int8-dynamic", "int8", "int8-weight", "int16x8", "int4-weight"]
Runtime = Literal["onnxruntime", "tflite", "torch", "executorch"]
BuiltinDataset = Literal["fashion-mnist-1k"]
DType = Literal["float32", "float16", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
                "uint64", "bool"]

BUILTIN_DATASETS: Final[tuple[str, ...]] = get_args(BuiltinDataset)
SOURCE_KEYS: Final = ("torch", "exported", "onnx", "tflite", "torchscript")
FACTORY_PATTERN: Final = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"


class SourceConfig(Strict):
    """Exactly one of `torch` (module:function), `exported`, `onnx`, `tflite`, `torchscript` (files)."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [key]} for key in SOURCE_KEYS]})

    torch: Annotated[str, StringConstraints(pattern=FACTORY_PATTERN)] | None = None
    """A PyTorch factory, `module:function`, importable from the suite's folder."""
    exported: FilePath | None = None
    """A torch.export program (.pt2)."""
    onnx: FilePath | None = None
    """An ONNX file."""
    tflite: FilePath | None = None
    """A TFLite file."""
    torchscript: FilePath | None = None
    """A TorchScript file."""
    weights: FilePath | None = None
    """With `torch`: its weights, safetensors or a state_dict."""


def _pair(value: object) -> object:
    if isinstance(value, list) and len(value) != 2:
        raise ValueError(f"wanted [low, high], found {len(value)} {'entry' if len(value) == 1 else 'entries'}")
    return tuple(value) if isinstance(value, list) else value


class InputConfig(Strict):
    """One input of a model: its shape and dtype, and where its values come from (range, value or file)."""

    shape: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """All dimensions as numbers; [] is a scalar. Needed where the file leaves a dimension open."""
    dtype: DType | None = None
    """numpy's name of the element type."""
    range: Annotated[tuple[float, float], BeforeValidator(_pair)] | None = None
    """Random values from low to high."""
    value: Any = None
    """The values themselves: a number, true or false, or nested lists of them."""
    file: FilePath | None = None
    """A .npy file with the values."""


def _output_tag(value: object) -> str:
    return "(number)" if isinstance(value, int) and not isinstance(value, bool) else "(name)"


OutputChoice = Annotated[Annotated[Line, Tag("(name)")] | Annotated[int, Field(ge=0), Tag("(number)")],
                         Discriminator(_output_tag)]
"""An output by its name, or by its number from 0."""


def _calibration_tag(value: object) -> str:
    return "(by input)" if isinstance(value, dict) else "(file)"


Calibration = Annotated[Annotated[dict[Line, FilePath], Field(min_length=1), Tag("(by input)")]
                        | Annotated[FilePath, Tag("(file)")], Discriminator(_calibration_tag)]
"""A .npy file for the one input that has no other values, or files by the inputs' names."""


class DatasetConfig(Strict):
    """Labelled inputs: .npy files with a leading axis of samples."""

    inputs: FilePath
    """Shape (n, *input shape)."""
    labels: FilePath
    """Shape (n,), integers."""
    metric: Literal["top1"] = "top1"
    """How the model's outputs are scored."""
    output: OutputChoice | None = None
    """Which output is scored: its name, or its number from 0. Needed where several could be meant."""
    calibration: FilePath | None = None
    """The same as the model's `calibration`, for the input that the dataset is for."""


def _dataset_tag(value: object) -> str:
    return "(files)" if isinstance(value, dict | DatasetConfig) else "(name)"


Dataset = Annotated[Annotated[DatasetConfig, Tag("(files)")] | Annotated[BuiltinDataset, Tag("(name)")],
                    Discriminator(_dataset_tag)]
"""Labelled data: one's own files, or the name of a built-in set."""


class ModelConfig(Strict):
    """A model: its source, its inputs where the file does not say, its labelled data (or a built-in set's name)."""

    source: SourceConfig
    inputs: dict[Line, InputConfig] = Field(default_factory=dict)
    """By the input's name."""
    dataset: Dataset | None = None
    """Labelled data to score accuracy on: files, or a built-in set's name."""
    calibration: Calibration | None = None
    """Real inputs to calibrate int8 and int16x8 on: a .npy file of shape (m, *input shape), or one for each input."""


class WarmupConfig(Strict):
    """Warm-up goes on until both minima are reached and the rolling median has settled, at most `max_time`."""

    min_runs: int = Field(default=5, ge=1, le=1_000_000)
    """Inferences at least."""
    min_time: Seconds = 0.5
    """Time at least."""
    max_time: Seconds = 5.0
    """Time at most, settled or not."""


class MeasureConfig(Strict):
    """How a cell is measured."""

    trials: int = Field(default=5, ge=1, le=1000)
    """Fresh processes per cell; with `until`, at least."""
    until: Share | None = None
    """Trials go on where p50 is not known so well yet: half of its 95 % interval, as a share of it."""
    max_trials: int = Field(default=30, ge=1, le=1000)
    """With `until`: fresh processes per cell at most."""
    budget: Seconds | None = Field(default=None, gt=0)
    """With `until`: how long after measuring began further trials may go on, on all devices together."""
    min_samples: int = Field(default=30, ge=1, le=1_000_000)
    """Timed inferences per trial at least."""
    min_time: Seconds = 1.0
    """Timed inferences per trial take this long at least."""
    warmup: WarmupConfig = WarmupConfig()
    """Inferences before the timed ones."""
    inputs: Literal["first", "all"] = "first"
    """Which of the verification inputs are timed: the first sample, or all of them interleaved."""
    remeasure: Change = Field(default=0.5, le=10)
    """Trials that other processes disturbed are measured again at the end, once, for at most this part of the time that
    all else took on the device; 0%: not at all."""
    timeout: Seconds = Field(default=300.0, gt=0)
    """A trial that takes longer has failed."""

    def quick(self) -> MeasureConfig:
        """The same with 2 short trials: a look, not a result to act on."""
        return self.model_copy(update={"trials": min(self.trials, 2), "until": None, "budget": None, "remeasure": 0.0,
                                       "min_samples": min(self.min_samples, 10),
                                       "min_time": min(self.min_time, 0.2),
                                       "warmup": self.warmup.model_copy(update={"min_time": 0.1, "max_time": 1.0})})


class ConvertConfig(Strict):
    """Limits of one conversion."""

    timeout: Seconds = Field(default=900.0, gt=0)
    """A conversion that takes longer has failed."""
    memory_mib: int = Field(default=8192, ge=64, le=1 << 24)
    """Memory of a conversion's process at most, in MiB."""


class RuntimeOptions(Strict):
    """Delegates to measure, and options that go to the runtime as they are."""

    delegates: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Default: the runtime's first one."""
    options: dict[Line, str] = Field(default_factory=dict)
    """Names and values as the runtime spells them, all text."""


def _label_tag(value: object) -> str:
    return "(any of)" if isinstance(value, list | tuple) else "(one)"


LabelValues = Annotated[Annotated[str, Tag("(one)")] | Annotated[tuple[str, ...], Field(min_length=1), Tag("(any of)")],
                        Discriminator(_label_tag)]
"""A label's value, or a list of values of which any will do."""


class DeviceSelector(Strict):
    """Which devices: all whose labels match (a list of values means any of them)."""

    labels: dict[Line, LabelValues] = Field(default_factory=dict)


class ExcludeConfig(Strict):
    """Cells to leave out: those that match every given key."""

    because: Line
    """Why; shown with every cell left out."""
    model: str | None = None
    format: Format | None = None
    precision: Precision | None = None
    runtime: Runtime | None = None
    device: str | None = None


class SuiteConfig(Strict):
    """A whole suite file."""

    version: Version
    """The version of the file format: 1."""
    name: Name
    """The suite's name in runs and reports."""
    models: dict[Name, ModelConfig] = Field(min_length=1)
    """By the name that reports use."""
    precisions: tuple[Precision, ...] = Field(default=("fp32",), min_length=1)
    """Precisions to convert to."""
    runtimes: tuple[Runtime, ...] = Field(default=("onnxruntime", "tflite", "torch", "executorch"), min_length=1)
    """Runtimes to measure with; default: all."""
    runtime_options: dict[Runtime, RuntimeOptions] = Field(default_factory=dict)
    """By runtime."""
    threads: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(default=(1,), min_length=1)
    """Numbers of threads; each is a cell of its own."""
    measure: MeasureConfig = MeasureConfig()
    """How a cell is measured."""
    convert: ConvertConfig = ConvertConfig()
    """Limits of conversions."""
    devices: DeviceSelector = DeviceSelector()
    """Which devices; default: all."""
    exclude: tuple[ExcludeConfig, ...] = ()
    """Cells to leave out, and why."""
    expect: ExpectConfig | None = None
    """Limits to judge a run by."""

    def options_of(self, runtime: str) -> RuntimeOptions:
        """What the suite says of a runtime; the defaults where it says nothing."""
        said: Mapping[str, RuntimeOptions] = {str(name): options for name, options in self.runtime_options.items()}
        return said.get(runtime, RuntimeOptions())
