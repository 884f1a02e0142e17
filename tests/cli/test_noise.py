"""`bench noise` from the command line."""

from __future__ import annotations

import json
import signal
from dataclasses import replace

import pytest

from bench.cli.app import app
from bench.cli.noise import _lines
from bench.errors import ConfigError
from bench.judge.types import NoiseFloor, Verdict
from bench.run.noise import Needed, Noise
from bench.store.store import Store
from tests.fakes.runs import Place

CELL = Noise("net@phone", "phone", "tflite", 20, 1.5, NoiseFloor("phone", "tflite", 0.0213, 80), 0.0421,
             (Needed(0.03, 0.015, None, None), Needed(0.05, 0.03, 12, 18.0)),
             Verdict("same", 1.004, 0.991, 1.017, 0.4, 0.1, "in words"))


@pytest.mark.alone
def test_an_a_a_run_is_measured_and_kept_apart_from_other_runs(place: Place) -> None:
    done = place.bench("noise", "-d", "this-machine", "--trials", "2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (cell,) = found["cells"]
    assert found["state"] == "finished" and cell["trials"] == 2
    assert cell["floor"]["trial_sd"] > 0 and [item["effect"] for item in cell["needed"]] == [0.03, 0.05, 0.1]
    with Store(place.store) as store:
        assert store.runs() == () and len(store.runs("noise")) == 1
        stored = store.load(store.runs("noise")[0])
    assert [(trial.kind, trial.number, trial.state) for trial in stored.trials] == [
        ("latency", number, "ok") for number in (1, 2, 3, 4)]


@pytest.mark.alone
def test_ctrl_c_keeps_what_was_measured_and_tells_it(place: Place) -> None:
    with place.start("noise", "-d", "this-machine", "--trials", "200") as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("[2/"))
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.startswith("net/onnx/fp32/onnxruntime-cpu/t1@this-machine: 1 trial of each side, ")
    with Store(place.store) as store:
        (run,) = store.runs("noise")
        assert run.state == "interrupted" and len(store.load(run).trials) >= 2


def test_what_was_learnt_is_said_in_words() -> None:
    assert _lines(CELL) == [
        "net@phone: 20 trials of each side, 1.5 s each",
        "  noise floor of tflite: 2.1 % between trials, learnt from 80",
        "  with 5 trials of each side, a difference below 4.2 % is not told from noise",
        "  to find 3 % more, judged with a margin of 1.5 %: no number of trials would do",
        "  to find 5 % more, judged with a margin of 3 %: 12 trials of each side, 18 s a cell",
        "  B against A here: +0.4 % (95 % interval -0.9 % to +1.7 %)", ""]
    assert _lines(replace(CELL, floor=None))[1] == "  too few trials for a noise floor"
    assert _lines(Noise("a\x1b@b", "b", "tflite", reason="died")) == ["a\\x1b@b: not measured: died", ""]


@pytest.mark.parametrize(("arguments", "words"), [
    (["-d", "nowhere"], "nowhere"), (["-d", "this-machine", "--runtimes", "onnx"], "no runtime 'onnx'"),
    (["-d", "this-machine", "--runtimes", "torch"], "none of the suite's cells is of these runtimes")])
def test_what_cannot_be_measured_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch, arguments: list[str],
                                            words: str) -> None:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("BENCH_CACHE", str(place.cache_root))
    with pytest.raises(ConfigError, match=words):
        app(["noise", "suite.yaml", *arguments], standalone_mode=False)
