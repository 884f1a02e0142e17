"""Run results that look like real ones, without measuring anything."""

from __future__ import annotations

import hashlib
import random
import statistics
from dataclasses import replace

from bench.results import (
    Accuracy,
    ArtifactRef,
    CellResult,
    Cores,
    DeviceSummary,
    Latency,
    Memory,
    Outputs,
    RunInfo,
    RunResult,
)

FORMATS = {"onnxruntime": "onnx", "tflite": "tflite", "torch": "torchscript", "executorch": "executorch"}
DELEGATES = {"onnxruntime": "cpu", "tflite": "xnnpack", "torch": "cpu", "executorch": "xnnpack"}
SPEED = {"onnxruntime": 1.0, "tflite": 0.82, "torch": 2.4, "executorch": 0.9}
GAIN = {"fp32": 1.0, "fp16": 1.04, "int8-dynamic": 0.71, "int8": 0.48}
DROP = {"fp32": 0.0, "fp16": 0.0, "int8-dynamic": 0.002, "int8": 0.007}
SIZE = {"fp32": 13.6, "fp16": 6.9, "int8-dynamic": 3.9, "int8": 3.7}


def samples(rng: random.Random, centre: float, trials: int, count: int) -> tuple[tuple[float, ...], ...]:
    """Per trial, `count` skewed latencies around a centre that shifts a little from trial to trial."""
    shifts = [rng.gauss(1, 0.02) for _ in range(trials)]
    return tuple(tuple(centre * shift * (1 + 0.01 * rng.gammavariate(2, 1)) for _ in range(count)) for shift in shifts)


def latency(taken: tuple[tuple[float, ...], ...]) -> Latency:
    """Plain summary of `samples`: enough to look right."""
    medians = [statistics.median(trial) for trial in taken]
    flat = sorted(value for trial in taken for value in trial)
    p50 = statistics.median(medians)
    return Latency(p50=p50, p50_low=min(medians), p50_high=max(medians),
                   p90=flat[int(len(flat) * 0.9)] if len(flat) >= 64 else None,
                   p99=flat[int(len(flat) * 0.99)] if len(flat) >= 662 else None,
                   min=flat[0], mean=statistics.fmean(flat), within_cv=0.014, between_cv=0.021)


def quantiles(taken: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    """41 of all samples together, by rank."""
    flat = sorted(value for trial in taken for value in trial)
    return tuple(flat[round(step / 40 * (len(flat) - 1))] for step in range(41))


def ok_cell(device: str = "this-machine", model: str = "mobilenet", runtime: str = "onnxruntime",
            precision: str = "fp32", *, centre: float = 4.3, threads: int = 1, trials: int = 5, count: int = 40,
            emulated: bool = False, score: float | None = 0.884, seed: int = 0) -> CellResult:
    """A measured cell whose outputs are right."""
    name = f"{device}/{model}/{runtime}/{precision}/{threads}"
    rng = random.Random(f"{name}/{seed}")
    taken = samples(rng, centre * SPEED[runtime] * GAIN[precision] / threads**0.7, trials, count)
    summary = latency(taken)
    assert summary.p50 is not None
    exact = precision == "fp32"
    return CellResult(
        cell=hashlib.sha256(name.encode()).hexdigest()[:12], device=device, emulated=emulated, model=model,
        format=FORMATS[runtime], precision=precision, runtime=runtime, delegate=DELEGATES[runtime], threads=threads,
        batch=1, status="ok",
        artifact=ArtifactRef(hashlib.sha256(name.encode()).hexdigest(), int(SIZE[precision] * 2**20)),
        latency_ms=summary, throughput_per_s=1000 / summary.p50, load_ms=31.4 * SPEED[runtime],
        first_inference_ms=summary.p50 * 2.1, trials=trials, samples=trials * count,
        memory_mib=Memory(peak_rss=92.3 + SIZE[precision], model=41.2 + SIZE[precision], pss=88.1),
        accuracy=None if score is None else Accuracy("top1", score - DROP[precision], 1000, DROP[precision]),
        outputs=Outputs("ok", 3.1e-6 if exact else 0.084, 1.0 if exact else 0.99962, 121.0 if exact else 33.8,
                        1.0 if exact else 0.994),
        trial_medians_ms=tuple(statistics.median(trial) for trial in taken),
        quantiles_ms=quantiles(taken))


def lost_cell(status: str, reason: str, fault: str, *, device: str = "this-machine", model: str = "mobilenet",
              runtime: str = "torch", precision: str = "int8") -> CellResult:
    """A cell that was skipped or failed."""
    base = ok_cell(device, model, runtime, precision)
    return replace(base, status="failed" if status == "failed" else "skipped", reason=reason, fault=fault,
                   artifact=None, latency_ms=Latency(), throughput_per_s=None, load_ms=None, first_inference_ms=None,
                   trials=0, samples=0, memory_mib=Memory(), accuracy=None, outputs=None, trial_medians_ms=(),
                   quantiles_ms=())


def device(name: str = "this-machine", *, emulated: bool = False) -> DeviceSummary:
    """A device that stated its facts, with conditions before and after two trials."""
    seen: list[dict[str, object]] = [
        {"time": 1.79e9 + i, "load_1m": 0.2 + 0.3 * i, "clocks_mhz": [2400, 2390 + i], "governor": "performance",
         "temperature_c": None if emulated else 41.0 + i, "available_memory_bytes": 3_200_000_000} for i in range(4)]
    return DeviceSummary(
        name, emulated,
        {"os": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.1.0-18", "arch": "aarch64" if emulated else "x86_64",
         "soc": None if emulated else "Intel(R) Xeon(R) Processor @ 2.40GHz", "cpu_flags": ["avx2", "avx512_vnni"],
         "cores": 2, "max_clocks_mhz": [2400, 2400], "memory_bytes": 4_123_000_000, "python": "3.11.2"},
        {"agent": "1f0c2b9a7d11", "onnxruntime": "1.23.2", "tflite": "2.3.0", "torch": "2.13.0", "executorch": "1.5.1"},
        tuple(seen))


def run_info(**changes: object) -> RunInfo:
    """A finished run with the default settings."""
    info = RunInfo(
        "20261121-031500-7f3a", "vision", "2026-11-21T03:15:00Z", "2026-11-21T03:21:42Z", "finished",
        {"trials": 5, "min_samples": 30, "min_time": 1.0, "warmup": {"min_runs": 5, "min_time": 0.5}, "timeout": 300.0},
        {"name": "farm-1", "os": "Debian GNU/Linux 12 (bookworm)", "bench": "0.1.0"})
    return replace(info, **changes)  # type: ignore[arg-type]


WRONG = "top-1 agreement with the fp32 reference is 12.0 %"


def _machine_cells() -> list[CellResult]:
    cells = [ok_cell(runtime=runtime, precision=precision, seed=1) for runtime in FORMATS for precision in GAIN
             if (runtime, precision) not in (("torch", "fp16"), ("torch", "int8"), ("executorch", "int8"))]
    wrong = next(i for i, cell in enumerate(cells) if (cell.runtime, cell.precision) == ("tflite", "int8-dynamic"))
    cells[wrong] = replace(cells[wrong], outputs=Outputs("differs", 11.2, 0.41, -1.4, 0.12, WRONG),
                           accuracy=Accuracy("top1", 0.131, 1000, 0.753),
                           warnings=(WRONG,))
    cells[0] = replace(cells[0], warnings=("load average was 1.7 on 2 cores before trial 3",))
    cells += [
        lost_cell("skipped", "the lite interpreter has no kernel for aten::conv2d in fp16",
                  "model", precision="fp16"),
        lost_cell("failed", "worker crashed with signal 11 (SIGSEGV) while loading", "device", precision="int8"),
        lost_cell("failed", "ran out of memory: killed at 3.9 GiB", "device", runtime="executorch"),
    ]
    return cells


def _large_cells() -> list[CellResult]:
    cells = [ok_cell(model="mobilenet-224", runtime=runtime, precision=precision, centre=38.0, threads=threads,
                     score=None, count=10) for runtime in ("onnxruntime", "tflite") for precision in ("fp32", "int8")
             for threads in (1, 2)]
    short = replace(cells[0], latency_ms=replace(cells[0].latency_ms, p90=None, p99=None), memory_mib=Memory(),
                    outputs=None, throughput_per_s=None, warnings=("one trial: the interval says nothing of the "
                                                                   "variation between processes",))
    return [short, *cells[1:]]


def _board_cells() -> list[CellResult]:
    cells = [ok_cell("board-qemu", runtime="onnxruntime", precision=precision, centre=1400.0, emulated=True, count=30)
             for precision in ("fp32", "int8")]
    reason = "tflite is not installed on board-qemu"
    return cells + [replace(lost_cell("skipped", reason, "config", device="board-qemu", runtime="tflite",
                                      precision=precision), emulated=True) for precision in ("fp32", "int8")]


def typical() -> RunResult:
    """Two devices, one emulated; two models; four runtimes; failures, skips and unknown values."""
    return RunResult(run_info(notes=("The demo measures 4 of 7 precisions.",)),
                     tuple(_machine_cells() + _large_cells() + _board_cells()),
                     (device(), device("board-qemu", emulated=True)))


HOSTILE = ("<img src=x onerror=document.title='owned'>", "=cmd()", "nul\x00byte", "pi|pe", "\x1b[31mred\x1b[0m",
           "a\nnew line", "$\\frac{", "@everyone", "[x](javascript:alert(1))", "\u202eright-to-left", "\ud800lone",
           "</style><script>document.title='owned'</script>", "{{ 7 * 7 }}")


def hostile() -> RunResult:
    """Every text that a model, a device or a converter could choose is an attack."""
    cells = []
    for name in HOSTILE:
        cells.append(replace(ok_cell(), model=name, device=name, delegate=name, throttled=name, warnings=(name,),
                             cores=Cores(name, (0, 1))))
        cells.append(replace(ok_cell(precision="int8"), model=name, device=name))
        cells.append(replace(lost_cell("failed", name, "device"), model=name, device=name))
    devices = tuple(DeviceSummary(name, False, {"os": name, name: name, "android": {"model": name, name: name}},
                                  {name: name}, ({"governor": name, "battery": {name: name}, "sensors_c": {name: 1}},),
                                  (name,)) for name in HOSTILE)
    run = run_info(suite=HOSTILE[0], notes=HOSTILE, host={name: name for name in HOSTILE})
    return RunResult(run, tuple(cells), devices)


def many(count: int) -> RunResult:
    """`count` measured cells on five devices and four models."""
    cells = [ok_cell(f"device-{i % 5}", f"model-{i // 5 % 4}", list(FORMATS)[i // 20 % 4], list(GAIN)[i // 80 % 4],
                     threads=1 + i // 320, count=200) for i in range(count)]
    return RunResult(run_info(), tuple(cells), tuple(device(f"device-{i}") for i in range(5)))
