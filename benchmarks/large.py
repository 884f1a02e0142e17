"""A report over 100,000 stored trials: its time and its peak memory, in a process of its own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Aim, Figure, spread
from benchmarks.setting import Setting
from benchmarks.stored import seal, store_many

TIME_S, MEMORY_GB = Aim(most=5.0), Aim(most=1.0)
TABLES = {"runs": "id", "cells": "run", "trials": "run", "sessions": "run"}


class ReportFailed(Exception):
    """A report that did not end well; the message holds its last words."""


@dataclass(frozen=True)
class Cost:
    """Of one `bench report`: wall time, and the largest resident set of its process."""

    wall_s: float
    peak_gb: float


def measure_reports(setting: Setting) -> tuple[Figure, ...]:
    """What a report costs the first time and later, over one large run and over many nightly ones."""
    small = setting.quick
    cells, nights = (500, 10) if small else (5000, 100)
    kinds: tuple[tuple[str, Callable[[Path], None]], ...] = (
        (f"{cells:,} cells x 20 trials", lambda path: _one_run(path, cells)),
        (f"{nights} nights x 50 cells x 20 trials", lambda path: store_nights(path, nights)))
    figures: list[Figure] = []
    for number, (title, write) in enumerate(kinds):
        folder = setting.folder / f"large-{number}"
        folder.mkdir()
        setting.tell(f"a store of {title}")
        write(folder / "bench.sqlite")
        for when, times in (("first", 1), ("later", 1 if small else 3)):
            setting.tell(f"report over {title}, {when}")
            costs = [report(folder / "bench.sqlite") for _ in range(times)]
            figures += [Figure(f"report over {title}, {when}: time", spread([cost.wall_s for cost in costs]), " s", 1,
                               None if small else TIME_S),
                        Figure(f"report over {title}, {when}: memory", spread([cost.peak_gb for cost in costs]), " GB",
                               2, None if small else MEMORY_GB)]
    return tuple(figures)


def report(store: Path) -> Cost:
    """Write the newest run's page, with the command line. Raises ReportFailed."""
    command = [sys.executable, "-m", "bench", "report", "--store", str(store), "-o", str(store.parent / "page.html")]
    begin = time.perf_counter()
    with (store.parent / "errors.txt").open("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            said = errors.read()[-300:].strip()
            raise ReportFailed(f"bench report ended with exit code {process.returncode}: {said}")
    return Cost(wall_s, usage.ru_maxrss * 1024 / 1e9)


def store_nights(path: Path, nights: int, cells: int = 50) -> None:
    """Equal nights (at most 330): the newest as it was made, the others copies of it under a date of their own."""
    run = store_many(path, cells=cells, trials=20)
    with sqlite3.connect(path) as connection:
        for night in range(1, nights):
            stamp = f"'2025-{1 + night // 28:02}-{1 + night % 28:02}T03:00:00Z'"
            for table, key in TABLES.items():
                names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                kept = [name for name in names if name != "id" or key == "id"]
                changed = {key: "?", "started": stamp, "finished": stamp}
                values = ", ".join(changed.get(name, name) for name in kept)
                connection.execute(f"INSERT INTO {table} ({', '.join(kept)}) SELECT {values} FROM {table} "
                                   f"WHERE {key} = ?", (f"night-{night:03}", run.id))
        connection.execute("UPDATE runs SET number = (SELECT count(*) FROM runs AS other "
                           "WHERE other.started <= runs.started)")
    connection.close()
    seal(path)


def _one_run(path: Path, cells: int) -> None:
    store_many(path, cells=cells, trials=20)
