"""A disk that fails once: the k-th input or output of a run meets EIO or ENOSPC, in the host or in the agent."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.figures import Aim, Figure, Part, rate
from benchmarks.setting import ROOT, Setting

TITLE: Final = "A disk that fails at each input and output of a run in turn"
SOURCE: Final = Path(__file__).with_name("failing_disk.c")
PROGRAMS: Final = {"host": "bench run", "agent": "--archive"}
ERRORS: Final = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC}
NET: Final = ('<ir_version: 8, opset_import: ["": 17]> g (float[1, 4] x) => (float[1, 4] y) { y = Relu(x) }')
SUITE: Final = """version: 1
name: disk
models: {net: {source: {onnx: net.onnx}}}
precisions: [fp32]
runtimes: [onnxruntime]
measure: {trials: 1, min_samples: 3, min_time: 0s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}, remeasure: 0%}
expect: {latency_p50: {at_most: 60s}, on_inconclusive: pass}
"""


@dataclass(frozen=True)
class Bed:
    """A folder with all that a run reads and writes, and the library that lets its disk fail."""

    folder: Path
    library: Path

    def run(self, program: str, number: int, at: int) -> subprocess.CompletedProcess[str]:
        """A run whose `at`-th operation in that program fails with that error; 0 for none."""
        told = {"LD_PRELOAD": str(self.library), "FAULT_UNDER": str(self.folder), "FAULT_IN": PROGRAMS[program],
                "FAULT_AT": str(at), "FAULT_ERRNO": str(number), "FAULT_COUNT": str(self.library) + ".count"}
        return subprocess.run([sys.executable, "-m", "bench", "run", "suite.yaml"], cwd=self.folder, check=False,
                              text=True, capture_output=True,
                              env={**os.environ, **told, "BENCH_CACHE": str(self.folder / "cache"),
                                   "PYTHONPATH": str(ROOT)})

    def operations(self, program: str) -> int:
        """How many inputs and outputs a run without faults has there."""
        self.run(program, errno.EIO, 0)
        return int(Path(str(self.library) + ".count").read_text())

    def ended_runs(self) -> set[str]:
        """The runs that the store says have come to their end."""
        from bench.store.store import ENDED, Store

        path = self.folder / "reports" / "bench.sqlite"
        if not path.exists():
            return set()
        with Store(path) as store:
            return {run.id for run in store.runs() if run.state in ENDED}

    def make_cold(self) -> None:
        """Forget what was converted and pushed."""
        for name in ("cache", "work"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def make_bed(folder: Path) -> Bed:
    """Raises FileNotFoundError without a C compiler."""
    import onnx

    place, library = folder / "disk", folder / "failing_disk.so"
    place.mkdir()
    onnx.save(onnx.parser.parse_model(NET), str(place / "net.onnx"))
    (place / "suite.yaml").write_text(SUITE)
    (place / "devices.yaml").write_text(f"version: 1\ndevices:\n  here: {{local: {{}}, workdir: {place}/work}}\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return Bed(place, library)


def wrong_ends(bed: Bed, program: str, number: int, places: Iterator[int] | range, *, cold: bool) -> list[str]:
    """A line for each run that ended otherwise than well (0) or as infrastructure (3), lost a run that had ended, or
    left something half-written."""
    found = []
    for at in places:
        if cold:
            bed.make_cold()
        before = bed.ended_runs()
        done = bed.run(program, number, at)
        if done.returncode not in (0, 3) or "Traceback" in done.stderr:
            found.append(f"{program} {at}: exit code {done.returncode}: {done.stderr.strip()[-200:]}")
        if not before <= bed.ended_runs():
            found.append(f"{program} {at}: a run that had ended is lost")
        left = [path.name for folder in ("reports", "cache", "work") for path in (bed.folder / folder).rglob("*.part")]
        if left:
            found.append(f"{program} {at}: half-written: {left[0]}")
    return found


def measure(setting: Setting) -> Part:
    """Every operation (with --quick every 20th), warm and cold, with each error, in host and agent."""
    try:
        bed = make_bed(setting.folder)
    except FileNotFoundError:
        return Part("disk", TITLE, missing="no C compiler: install gcc")
    figures, remarks = [], []
    for program in PROGRAMS:
        for cold in (False, True):
            bed.make_cold() if cold else bed.run(program, errno.EIO, 0)
            total = bed.operations(program)
            for name, number in ERRORS.items():
                places = range(1, total + 1, 20 if setting.quick else 1)
                what = f"{'cold' if cold else 'warm'}, {name} in the {program}"
                setting.tell(f"{what}: {len(places)} of {total} operations")
                wrong = wrong_ends(bed, program, number, places, cold=cold)
                figures.append(Figure(f"wrong ends, {what}", rate([len(wrong)], len(places)), " %", 2, Aim(0, 5)))
                remarks += wrong
    after = bed.run("host", errno.EIO, 0)
    remarks.append(f"a run after all of these ended with {after.returncode}")
    return Part("disk", TITLE, tuple(figures), tuple(remarks))
