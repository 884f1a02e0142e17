"""Any JSON in the place of any word of a device's agent: the run and every report of it survive.

A real agent is listened to once; `benchmarks/liar.py` says the same again with one word changed, beside a device that
says it unchanged. Wanted: an exit code that tells of a device or of nothing, the honest device's cells as ever, and
all reports, comparisons and recommendations.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import sqlite3
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.deadline import Deadline
from bench.errors import EXIT_BUG, EXIT_EXPECTATION, BenchError
from bench.store.store import Store
from benchmarks import liar
from benchmarks.figures import Aim, Figure, Part, spread
from benchmarks.runs import RunFailed
from benchmarks.setting import Setting
from benchmarks.stored import seal

TITLE = "Any JSON in the place of any word of a device: the run and all its reports survive"
NONE = Aim(0, 0)
SHOWN = 5
AT_A_LOOK = 60
"""Lies of a quick look, drawn from all."""
SURVIVED: Final = (0, 3)
"""Exit codes of a run with a device that lies: no lie here is a measurement that could be worse. Where a trial is said
to have failed, 1 is right: a model broke."""

LONGEST_NUMBER: Final = 5001
EVIL: Final[tuple[str | None, ...]] = (
    None, "null", "true", "-1", "0", "1.5", "1e999", "-1e999", "NaN", "1" + "0" * 400, "1" + "0" * (LONGEST_NUMBER - 1),
    str((1 << 62) - 1), "1e300", '"x"', '""', '"\\ud83d"', '"\\u0000\\u001b[31m</script>"', f'"{"x" * 100_000}"', "[]",
    "{}", "[null]", '{"": [{}]}', "[" * 500 + "]" * 500)
"""In a word's place, as JSON has it; None takes the word away."""

STORED: Final = {
    "trials": ("phases", "memory", "versions", "warm_up", "cpu_ns", "findings", "conditions", "settings"),
    "sessions": ("facts", "runtimes", "boot_id", "agent")}
"""Columns of the store's tables that an earlier version filled with whatever arrived."""
WITHIN: Final = {"phases": "load_ns", "memory": "peak_rss_bytes", "versions": "runtime", "warm_up": "settled",
                 "cpu_ns": "wall", "findings": "by_sample_ns", "settings": "cores_used", "facts": "memory_bytes",
                 "runtimes": "onnxruntime"}
"""A word within such a column."""

SUITE: Final = """version: 1
name: lies
models:
  net:
    source: {onnx: net.onnx}
    inputs: {image: {range: [0, 1]}}
    dataset: {inputs: x.npy, labels: y.npy}
precisions: [fp32]
runtimes: [onnxruntime]
measure: {trials: 2, min_samples: 3, min_time: 0s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}, timeout: 20s,
  remeasure: 0%}
expect: {latency_p50: {at_most: 10s}, peak_memory: {at_most: 4GiB}, on_inconclusive: pass}
"""
FIRST: Final = "FIRST"
"""Stands for the honest run's id."""
FORMATS: Final = ("html", "md", "csv", "json", "junit", "summary")
REPORTS: Final = (
    *(("report", "--format", name, "-o", f"out.{name}") for name in FORMATS),
    ("compare", FIRST, "last"), ("compare", FIRST, "last", "--format", "json"), ("history",),
    ("history", "--format", "json"), ("recommend", "net"))


@dataclass(frozen=True)
class Lie:
    """A word, by its message's type and its path there, and what is said in its place."""

    message: str
    path: tuple[str | int, ...]
    raw: str | None

    def __str__(self) -> str:
        said = "nothing" if self.raw is None else self.raw if len(self.raw) < 30 else f"{self.raw[:27]}..."
        return f"{self.message}.{'.'.join(map(str, self.path))} = {said}"


class Workplace:
    """A suite, two devices, and a store with an honest run of both. The environment is the process's own."""

    def __init__(self, folder: Path, model: Path) -> None:
        """Takes a few seconds. Raises RunFailed."""
        self.folder = folder
        for name in ("honest", "lying"):
            (folder / name).mkdir()
        shutil.copy(model, folder / "net.onnx")
        draw = np.random.default_rng(5)
        np.save(folder / "x.npy", draw.random((12, 3, 12, 12), dtype=np.float32))
        np.save(folder / "y.npy", draw.integers(0, 10, 12))
        (folder / "suite.yaml").write_text(SUITE)
        lines = [f"  {name}: {{local: {{}}, python: {self._stand_in(name)}, workdir: {folder / name / 'work'}}}"
                 for name in ("honest", "lying")]
        (folder / "devices.yaml").write_text("version: 1\ndevices:\n" + "\n".join(lines) + "\n")
        code, _, said = self._bench("run", "suite.yaml", "--devices", "devices.yaml", "--store", "first.sqlite")
        if code != 0:
            raise RunFailed(f"the honest run ended with exit code {code}: {said[-300:]}")
        with Store(folder / "first.sqlite") as store:
            self._first = store.find_run(None).id

    def _stand_in(self, name: str) -> Path:
        script = self.folder / name / "python"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -S {liar.__file__} {self.folder / name} {sys.executable} '
                          '"$@"\n')
        script.chmod(0o755)
        return script

    def lies(self) -> list[Lie]:
        """All of them: every word of every message by every evil."""
        told = json.loads((self.folder / "lying" / liar.RECORDING).read_text())
        messages = [told["hello"], told["conditions"], liar.FAILED, liar.FILES, {"type": "done", "frames": 1, "crc": 1}]
        messages += [said for trial in told["trials"].values() for said in trial]
        words = dict.fromkeys((said["type"], path) for said in messages for path in liar.words_of(said))
        return [*(Lie(message, path, raw) for message, path in words for raw in EVIL),
                *(Lie(liar.OUTPUTS, (), kind) for kind in liar.ODD_FILES),
                *(Lie(liar.FLOOD, (), kind) for kind in liar.ENDLESS), *_stored_lies()]

    def tell(self, lie: Lie | None) -> list[str]:
        """What went wrong when the one device told that lie; nothing where all is as it should be."""
        shutil.copy(self.folder / "first.sqlite", self.folder / "s.sqlite")
        wrong = self._stored(lie) if lie and lie.message in STORED else self._ran(lie)
        for arguments in REPORTS:
            words = [self._first if word == FIRST else word for word in arguments]
            code, _, said = self._bench(*words, "--store", "s.sqlite")
            if code == EXIT_BUG or (code and arguments[0] == "report"):
                wrong.append(f"bench {' '.join(arguments)}: exit code {code}: {said[-400:]}")
        return [*wrong, *self._honest()]

    def _ran(self, lie: Lie | None) -> list[str]:
        """What went wrong in a run with that lie."""
        given = self.folder / "lying" / liar.LIE
        given.unlink(missing_ok=True)
        if lie is not None:
            given.write_text(json.dumps({"type": lie.message, "path": lie.path, "raw": lie.raw}))
        code, _, said = self._bench("run", "suite.yaml", "--devices", "devices.yaml", "--store", "s.sqlite")
        fine = code in SURVIVED or (code == EXIT_EXPECTATION and lie and lie.message == "failed")
        return [] if fine else [f"bench run: exit code {code}: {said[-400:]}"]

    def _stored(self, lie: Lie) -> list[str]:
        """Put the lie into a row of the lying device's, where no run of this version would."""
        column, *within = map(str, lie.path)
        of = "device = 'lying'" if lie.message == "sessions" else "cell LIKE '%@lying'"
        with contextlib.closing(sqlite3.connect(self.folder / "s.sqlite")) as store, store:
            number, text = store.execute(f"SELECT id, {column} FROM {lie.message} WHERE {of} ORDER BY id").fetchone()
            raw = lie.raw or "null"
            text = liar.changed(json.loads(text), list(within), raw) if within else raw
            store.execute(f"UPDATE {lie.message} SET {column} = ? WHERE id = ?", (text, number))
            store.execute("DELETE FROM digests")
        seal(self.folder / "s.sqlite")
        return []

    def _honest(self) -> Iterator[str]:
        """Why the honest device's cells are not as they were, or a report is not JSON; nothing where all is well."""
        try:
            result = json.loads((self.folder / "out.json").read_text(), parse_constant=_refuse)
        except (OSError, ValueError) as error:
            yield f"its JSON: {error}"
            return
        states = {cell["device"]: cell["status"] for cell in result["cells"]}
        if states.get("honest") != "ok" or "lying" not in states:
            yield f"cells: {states}"

    def _bench(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code and both outputs of a command, run in this process as `bench.cli.main` does."""
        from bench.cli.app import app

        out, errors, before = io.StringIO(), io.StringIO(), Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
                code = app(list(arguments), prog_name="bench", standalone_mode=False)
        except BenchError as error:
            return error.exit_code, out.getvalue(), str(error)
        except Exception:  # what is looked for
            return EXIT_BUG, out.getvalue(), traceback.format_exc()
        finally:
            os.chdir(before)
        return code if isinstance(code, int) else 0, out.getvalue(), errors.getvalue()


def _stored_lies() -> Iterator[Lie]:
    """None that no version could have stored: what Python's JSON does not read."""
    for table, columns in STORED.items():
        for column in columns:
            paths = [(column,), (column, WITHIN[column])] if column in WITHIN else [(column,)]
            yield from (Lie(table, path, raw) for path in paths for raw in EVIL if raw and len(raw) != LONGEST_NUMBER)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def drawn(lies: Sequence[Lie], count: int, seed: int = 0) -> list[Lie]:
    """So many of them in random order."""
    return random.Random(seed).sample(lies, min(count, len(lies)))


def measure(setting: Setting) -> Part:
    """How many lies the host does not survive, and the first of them; as many as there is time for, in random order."""
    try:
        work = Workplace(setting.folder, small_net(setting.folder / "model.onnx"))
    except RunFailed as error:
        return Part("lies", TITLE, missing=str(error))
    lies, until = work.lies(), Deadline(60 * setting.minutes)
    told, failures = 0, list[str]()
    for lie in drawn(lies, AT_A_LOOK if setting.quick else len(lies)):
        if until.passed():
            break
        failures += [f"{lie}: {wrong}" for wrong in work.tell(lie)][:1]
        told += 1
        if told % 50 == 0:
            setting.tell(f"{told} of {len(lies):,} lies told, {len(failures)} not survived")
    return Part("lies", TITLE, (Figure("lies not survived", spread([len(failures)]), digits=0, aim=NONE,
                                       note=f"{told:,} told of {len(lies):,}"),), tuple(failures[:SHOWN]))


def small_net(path: Path) -> Path:
    """An ONNX file, image (1, 3, 12, 12) -> scores (1, 10), with seeded random weights."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(7).normal(0, 0.1, (432, 10)).astype(np.float32)
    nodes = [helper.make_node("Flatten", ["image"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["scores"])]
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 12, 12])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path
