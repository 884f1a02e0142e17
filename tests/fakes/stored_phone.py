"""A stored run of a phone that was pinned, warmed up, rebooted and was once not understood."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.store.packing import pack
from bench.store.records import CellRecord, RunRecord, SessionRecord, StoredRun, TrialRecord
from bench.units import MIB

RUN = "20260101-000000-aaaa"
CELLS = {"fp32": (12.4, False), "fp16": (12.1, False), "int8": (5.3, True)}
"""By precision: the latency in ms, and whether the phone grew hot over it."""
FACTS: dict[str, Any] = {
    "os": "Android 14 (API 34)", "kernel": "5.15.110-android14-11", "arch": "aarch64", "soc": "Google Tensor G3",
    "cpu_flags": ["asimd", "asimddp", "i8mm"], "cores": 9,
    "core_capacities": [160, 160, 160, 160, 498, 498, 498, 498, 1024],
    "max_clocks_mhz": [1704, 1704, 1704, 1704, 2367, 2367, 2367, 2367, 2914], "memory_bytes": 12_000_000_000,
    "disk_free_bytes": 91_000_000_000, "temperature_c": 31.0, "page_size": 4096, "python": "3.11.2",
    "libc": "glibc 2.36", "emulated": False, "problems": [],
    "android": {"manufacturer": "Google", "model": "Pixel 8 Pro", "soc": "Google Tensor G3", "release": "14",
                "api_level": 34, "fingerprint": "google/husky/husky:14/AP1A.240505.004/11583682:user/release-keys",
                "security_patch": "2024-05-05", "abis": ["arm64-v8a"]}}


def seen(when: str, **changes: Any) -> dict[str, Any]:
    """The conditions of a phone that is well."""
    return {"when": when, "time": 1.79e9, "load_1m": 0.4, "clocks_mhz": [1704] * 4 + [2367] * 4 + [2914],
            "governor": "sched_pixel", "temperature_c": 31.0, "temperature_of": "VIRTUAL-SKIN",
            "available_memory_bytes": 5_100_000_000, "sensors_c": {"VIRTUAL-SKIN": 31.0, "battery": 29.5, "BIG": 48.0},
            "battery": {"level_percent": 84, "charging": True, "source": "usb", "temperature_c": 29.5, "faked": False},
            "thermal_status": 0, "thermal_faked": False, "screen_on": False, "services_age_s": 0.2, "problems": [],
            **changes}


def stored_phone() -> StoredRun:
    """Three cells of five trials; the last two trials of int8 ran hot, and the phone was rebooted before the last."""
    cells = tuple(CellRecord(RUN, f"{precision}@pixel-8", place, "pixel-8", "mobilenet", "onnx", precision,
                             "onnxruntime", "cpu", 4, 1, "planned",
                             artifact={"sha256": "a" * 64, "bytes": 13_600_000, "warnings": []})
                  for place, precision in enumerate(CELLS))
    sessions = tuple(SessionRecord(number, RUN, "pixel-8", "2026-01-01T00:00:00Z", f"boot-{number}", "f" * 64, FACTS,
                                   {"onnxruntime": "1.28.0"}) for number in (1, 2))
    run = RunRecord(RUN, "phones", "", "suite.yaml", "", "devices.yaml", "2026-01-01T00:00:00Z",
                    "2026-01-01T00:04:00Z", "finished", {"measure": {"trials": 5}}, {}, [])
    trials = tuple(_trial(precision, number) for number in range(1, 6) for precision in CELLS)
    return StoredRun(run, cells, sessions, trials)


def _trial(precision: str, number: int) -> TrialRecord:
    ms, heats = CELLS[precision]
    hot = heats and number > 3
    rng = np.random.default_rng([number, round(10 * ms)])
    samples = 1e6 * ms * np.exp(rng.normal(0, 0.02, 300)) * (np.linspace(1, 1.3, 300) if hot else 1)
    return TrialRecord(
        RUN, f"{precision}@pixel-8", 1 if number < 5 else 2, "latency", number, 1, "2026-01-01T00:00:00Z", 12.0, "ok",
        "a" * 64, "b" * 64, {"cores": "big", "cores_used": [4, 5, 6, 7, 8]}, {"runtime": "1.28.0"},
        [seen("before"), seen("during"), seen("after", **(HOT if hot else {}))],
        {"import_ns": 1, "load_ns": 31_000_000, "first_ns": round(2e6 * ms), "samples_ns": round(float(samples.sum()))},
        {"after_import_bytes": 61 * MIB, "peak_rss_bytes": 112 * MIB, "pss_bytes": 97 * MIB},
        pack([round(value) for value in samples]), 300, warm_up={"runs": 40, "ns": 1, "settled": True},
        outputs={"ok": True, "max_abs": 3e-6, "cosine": 1.0, "sqnr_db": 120.0, "agreement": 1.0})


HOT = {"clocks_mhz": [1704] * 4 + [1500] * 5, "temperature_c": 41.5, "thermal_status": 2, "screen_on": False,
       "problems": ["dumpsys power: no state of the display: 'mDisplayReady=false'"],
       "sensors_c": {"VIRTUAL-SKIN": 41.5, "battery": 33.0, "BIG": 79.0}}
