"""A folder with a suite, devices, a store and a cache, and whole runs in it: in this process or by command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.collect.cells import collect
from bench.config.load import load_suite, parse_devices
from bench.config.select import select_devices
from bench.convert.cache import Cache, open_cache
from bench.results import RunResult
from bench.run.events import Event
from bench.run.job import Prepared, RunRequest, prepare, run
from bench.run.stop import Stop
from bench.store.records import StoredRun
from bench.store.store import Store
from tests.fakes.onnx_files import write_net

REPOSITORY = Path(__file__).parents[2]
MEASURE = ("{trials: 2, min_samples: 3, min_time: 0s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}, timeout: 20s, "
           "remeasure: 0%}")
NET = "net: {source: {onnx: net.onnx}, inputs: {image: {range: [0, 1]}}}"


@dataclass
class Place:
    """Everything of a run lies in `folder`, but for the cache, which several may share."""

    folder: Path
    cache_root: Path
    events: list[Event] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    @property
    def store(self) -> Path:
        return self.folder / "reports" / "bench.sqlite"

    @property
    def cache(self) -> Cache:
        return open_cache(self.cache_root)

    @property
    def workdir(self) -> Path:
        return self.folder / "work"

    def net(self, name: str = "net.onnx", **changes: Any) -> Path:
        """A small ONNX file, image (1, 3, 12, 12) -> scores (1, 10)."""
        return write_net(self.folder / name, **changes)

    def suite(self, models: str = NET, **keys: str) -> Path:
        """suite.yaml with these models and keys; fp32 by onnxruntime in short trials where nothing else is said."""
        keys = {"precisions": "[fp32]", "runtimes": "[onnxruntime]", "measure": MEASURE} | keys
        lines = ["version: 1", "name: small", f"models: {{{models}}}"]
        lines += [f"{key}: {text}" for key, text in keys.items()]
        path = self.folder / "suite.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def devices(self, *entries: str) -> Path:
        """devices.yaml with these devices; this machine, with a folder of this place, where none are given."""
        lines = entries or (f"this-machine: {{local: {{}}, workdir: {self.workdir}}}",)
        path = self.folder / "devices.yaml"
        path.write_text("version: 1\ndevices:\n" + "".join(f"  {line}\n" for line in lines))
        return path

    def request(self) -> RunRequest:
        suite, path = load_suite(self.folder / "suite.yaml"), self.folder / "devices.yaml"
        devices = select_devices(suite.config, parse_devices(path.read_text(), path), [])
        return RunRequest(suite, devices, path.read_text(), str(path))

    def prepared(self) -> Prepared:
        return prepare(self.request(), self.cache)

    def run(self, hook: Callable[[Event], None] = lambda _: None, earlier: StoredRun | None = None) -> StoredRun:
        """A whole run in this process; `hook` hears every event as it comes."""
        self.events.clear()

        def notify(event: Event) -> None:
            self.events.append(event)
            hook(event)

        with Store(self.store, create=True) as store:
            run(self.request(), self.prepared(), store, self.cache, self.stop, notify, earlier)
            return store.load(store.find_run(None))

    def stored(self) -> StoredRun:
        """The newest run of the store."""
        with Store(self.store) as store:
            return store.load(store.find_run(None))

    def result(self) -> RunResult:
        """The newest run as the report tells it."""
        return collect(self.stored())

    def kinds(self, *kinds: str) -> int:
        """How many events of these kinds the last run told."""
        return sum(event.kind in kinds for event in self.events)

    def argv(self, verb: str, *arguments: str) -> list[str]:
        """The command line of a verb with this place's files."""
        files = {"run": ["suite.yaml", "--devices", "devices.yaml", "--store", "reports/bench.sqlite"],
                 "noise": ["suite.yaml", "--devices", "devices.yaml", "--store", "reports/bench.sqlite"],
                 "convert": ["suite.yaml"], "logs": ["--store", "reports/bench.sqlite"],
                 "report": ["--store", "reports/bench.sqlite"], "devices": ["--devices", "devices.yaml"]}
        return [sys.executable, "-m", "bench", verb, *files.get(verb, []), *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "BENCH_CACHE": str(self.cache_root), "COLUMNS": "200",
                "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}

    def bench(self, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `bench VERB` to its end."""
        return subprocess.run(self.argv(verb, *arguments), cwd=self.folder, env=self.environment(), text=True,
                              capture_output=True, timeout=120, check=False)

    def start(self, verb: str, *arguments: str) -> subprocess.Popen[str]:
        """Start `bench VERB` in a process group of its own, as a shell does."""
        return subprocess.Popen(self.argv(verb, *arguments), cwd=self.folder, env=self.environment(), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0)

    def json(self, *arguments: str) -> dict[str, Any]:
        """What `bench run --json` prints, of a run that must be complete."""
        done = self.bench("run", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def once(moment: Callable[[Event], bool], action: Callable[[], None]) -> Callable[[Event], None]:
    """A hook that acts at the first event of that kind."""
    done: list[Event] = []

    def hook(event: Event) -> None:
        if not done and moment(event):
            done.append(event)
            action()

    return hook


def states(stored: StoredRun, device: str = "board") -> list[tuple[str, int, int, str, str | None]]:
    """(precision, number, attempt, state, fault) of a device's trials."""
    precision = {cell.cell: cell.precision for cell in stored.cells if cell.device == device}
    return [(precision[trial.cell], trial.number, trial.attempt, trial.state, trial.fault)
            for trial in stored.trials if trial.cell in precision]


def labelled(folder: Path, count: int = 12) -> str:
    """A data set for the small network in `folder`, as the suite names it."""
    random = np.random.default_rng(5)
    np.save(folder / "x.npy", random.random((count, 3, 12, 12), dtype=np.float32))
    np.save(folder / "y.npy", random.integers(0, 10, count))
    return "{inputs: x.npy, labels: y.npy}"
