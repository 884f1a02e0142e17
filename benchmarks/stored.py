"""A store that holds one run of very many trials, written at once: for measuring how long a report over it takes."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.store import checksums, schema
from bench.store.connect import make_engine
from bench.store.packing import pack
from bench.store.records import CellRecord, RunRecord, SessionRecord, TrialRecord
from bench.store.store import Store
from bench.units import MIB
from bench.words import FORMAT_OF_RUNTIME

RUN = "20260101-030000-beef"
RUNTIMES = {"onnxruntime": "cpu", "tflite": "xnnpack", "torch": "cpu", "executorch": "xnnpack"}
PRECISIONS = {"fp32": 1.0, "fp16": 1.1, "int8-dynamic": 0.7, "int8": 0.5}
DEVICES = 5
MEASURE = {"trials": 5, "min_samples": 30, "min_time": 1.0, "timeout": 300.0,
           "warmup": {"min_runs": 5, "min_time": 0.5, "max_time": 5.0}}
FACTS: dict[str, Any] = {
    "os": "Android 14 (API 34)", "kernel": "5.15.110-android14-11", "arch": "aarch64", "soc": "Google Tensor G3",
    "cpu_flags": ["asimd", "asimddp", "i8mm"], "cores": 8, "core_capacities": [160] * 4 + [1024] * 4,
    "max_clocks_mhz": [1704] * 4 + [2914] * 4, "memory_bytes": 12_000_000_000, "python": "3.11.2", "emulated": False,
    "problems": [], "android": {"manufacturer": "Google", "model": "Pixel 8", "fingerprint": "google/shiba:14/AP1A"}}


def store_many(path: Path, *, cells: int, trials: int, samples: int = 100, state: str = "finished") -> RunRecord:
    """Write a run of `cells` cells on five devices, each of `trials` latency trials of `samples` samples, to a new
    store at `path`. The same numbers give the same store."""
    run = RunRecord(RUN, "many", "", "suite.yaml", "", "devices.yaml", "2026-01-01T03:00:00Z", "2026-01-01T06:00:00Z",
                    state, {"measure": {**MEASURE, "trials": trials}}, {"bench": "0"}, [])
    planned = [_cell(position) for position in range(cells)]
    with Store(path, create=True) as store:
        store.add_run(run, planned)
        for device in range(DEVICES):
            store.add_session(SessionRecord(0, RUN, _device(device), run.started, "boot", "f" * 64, FACTS,
                                            {runtime: f"{runtime} 1.2.3" for runtime in RUNTIMES}))
    with sqlite3.connect(path) as connection:
        rows = _trials(planned, trials, samples)
        for first in itertools.islice(rows, 1):
            statement = f"INSERT INTO trials ({', '.join(first)}) VALUES ({', '.join('?' * len(first))})"
            connection.executemany(statement, (tuple(row.values()) for row in itertools.chain([first], rows)))
    connection.close()
    seal(path)
    return run


def seal(path: Path) -> None:
    """Take all rows of a store that others wrote into for sound: their checksums are made anew."""
    engine = make_engine(lambda: sqlite3.connect(path))
    with engine.begin() as connection:
        for table in schema.CHECKED:
            checksums.write(connection, table)
    engine.dispose()


def _device(number: int) -> str:
    return f"phone-{number}"


def _cell(position: int) -> CellRecord:
    device, place = position % DEVICES, position // DEVICES
    runtime = list(RUNTIMES)[place % 4]
    precision = list(PRECISIONS)[place // 4 % 4]
    model, threads = f"model-{place // 16 % 10}", 1 + place // 160
    variant = f"{model}/{FORMAT_OF_RUNTIME[runtime]}/{precision}"
    name = f"{variant}/{runtime}-{RUNTIMES[runtime]}/t{threads}@{_device(device)}"
    artifact = {"sha256": f"{position:064x}", "bytes": 13_600_000, "source": "b" * 64, "data": "d" * 64,
                "tools": {"torch": "2.9.1"}, "warnings": [], "inputs": {"image": "generated"},
                "shapes": {"image": [1, 3, 224, 224]}}
    return CellRecord(RUN, name, position, _device(device), model, FORMAT_OF_RUNTIME[runtime], precision, runtime,
                      RUNTIMES[runtime], threads, 1, "planned", artifact=artifact)


def _trials(cells: list[CellRecord], trials: int, samples: int) -> Iterator[dict[str, Any]]:
    """Rows of the table, in the order that a run records them: round-robin over the cells."""
    rng = np.random.default_rng(20260101)
    alike = [_alike(cell) for cell in cells]
    for number, (cell, row) in itertools.product(range(1, trials + 1), zip(cells, alike, strict=True)):
        centre_ns = 5e6 * PRECISIONS[cell.precision] * np.exp(rng.normal(0, 0.02))
        taken = np.round(centre_ns * np.exp(rng.normal(0, 0.03, samples))).astype(np.int64)
        degrees = 29.0 + round(3 * rng.random(), 1)
        seen = [_seen(when, degrees + rise, number) for when, rise in (("before", 0), ("during", 1), ("after", 2))]
        phases = {"import_ns": 10**9, "load_ns": 31_000_000, "first_ns": 2 * int(taken[0]),
                  "samples_ns": int(taken.sum()), "verify_ns": 10**7}
        yield {**row, "number": number, "conditions": json.dumps(seen), "phases": json.dumps(phases),
               "samples": pack(taken.tolist()), "sample_count": samples, "median_ns": float(np.median(taken))}


def _alike(cell: CellRecord) -> dict[str, Any]:
    """What all trials of a cell share, as the table holds it."""
    trial = TrialRecord(
        RUN, cell.cell, 1 + cell.position % DEVICES, "latency", 0, 1, "2026-01-01T03:00:00Z", 9.5, "ok",
        f"{cell.position:064x}", "b" * 64,
        {**MEASURE, "threads": cell.threads, "options": {}, "cores": "big", "cores_used": [4, 5, 6, 7]},
        {"runtime": f"{cell.runtime} 1.2.3", "numpy": "2.3.5", "python": "3.11.2"}, [], {},
        {"after_import_bytes": 61 * MIB, "after_load_bytes": 70 * MIB, "peak_rss_bytes": 112 * MIB,
         "pss_bytes": 97 * MIB},
        warm_up={"runs": 40, "ns": 5 * 10**8, "settled": True}, cpu_ns={"user": 10**9, "system": 10**6},
        outputs={"ok": True, "max_abs": 3e-6, "cosine": 0.9999, "sqnr_db": 60.5, "agreement": 1.0})
    values = dataclasses.asdict(trial)
    return {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in values.items()}


def _seen(when: str, degrees: float, number: int) -> dict[str, Any]:
    sensors = {"VIRTUAL-SKIN": degrees, "battery": 29.5, "BIG": degrees + 15, "MID": degrees + 12,
               "LITTLE": degrees + 9, "G3D": degrees + 5, "TPU": 40.0, "ISP": 38.0, "usb_pwr": 30.1, "quiet": 28.0}
    return {"when": when, "time": 1.79e9 + 30 * number, "load_1m": 0.4, "clocks_mhz": [1704] * 4 + [2914] * 4,
            "governor": "sched_pixel", "temperature_c": degrees, "temperature_of": "VIRTUAL-SKIN",
            "available_memory_bytes": 5_100_000_000, "sensors_c": sensors,
            "battery": {"level_percent": 84, "charging": True, "source": "usb", "temperature_c": 29.5, "faked": False},
            "thermal_status": 0, "thermal_faked": False, "screen_on": False, "services_age_s": 0.2, "problems": []}
