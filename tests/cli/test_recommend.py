"""`bench recommend`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bench.cli.app import app
from bench.errors import ConfigError
from tests.fakes.nights import NightCell, write_nights
from tests.fakes.results import typical
from tests.fakes.runs import Place


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store whose newest run is a typical one, each trial's memory told."""
    result = typical()
    told = replace(result, cells=tuple(
        replace(cell, trial_peak_rss_mib=(cell.memory_mib.peak_rss,) * 5 if cell.memory_mib.peak_rss else ())
        for cell in result.cells))
    write_nights(tmp_path / "b.sqlite", [NightCell([4.0])])
    monkeypatch.setattr("bench.collect.digests.read_run", lambda store, run: told)
    return tmp_path / "b.sqlite"


def recommend(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["recommend", *arguments, "--store", str(store)])


def test_each_asked_device_gets_a_choice(store: Path) -> None:
    done = recommend(store, "mobilenet", "-d", "this-machine", "--max-latency", "20ms", "--max-drop", "1pp",
                     "--max-memory", "100MiB", "--max-size", "5MiB", "--format", "json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["wishes"] == {"max_latency_ms": 20, "max_drop": 0.01, "max_memory_mib": 100, "max_size_mib": 5,
                               "objective": "latency"}
    (device,) = found["devices"]
    chosen = device["candidates"][0]
    assert (chosen["runtime"], chosen["precision"], chosen["standing"]) == ("tflite", "int8", "chosen")


def test_a_device_without_a_choice_is_exit_code_1(store: Path) -> None:
    emulated = recommend(store, "mobilenet")
    assert emulated.exit_code == 1 and "mobilenet on board-qemu: no recommendation" in emulated.stdout
    limited = recommend(store, "mobilenet", "-d", "this-machine", "--max-size", "1B", "--format", "md")
    assert limited.exit_code == 1 and "size excludes the most: 12 of 12" in limited.stdout


@pytest.mark.parametrize(("arguments", "said"), [
    (("mobilenet", "--max-latency", "20"), "--max-latency: wanted a duration such as 500ms"),
    (("mobilenet", "--max-drop", "1%"), "--max-drop: wanted percentage points such as 1.0pp"),
    (("mobilenet", "--max-size", "0MiB"), "--max-size: '0MiB' excludes everything"),
    (("mobilnet",), "has no model 'mobilnet', did you mean 'mobilenet'?"),
    (("mobilenet", "-d", "this-machin"), "has no device 'this-machin', did you mean 'this-machine'?"),
    (("mobilenet", "--run", "2031"), "run '2031' was not found"),
    (("mobilenet", "--objective", "energy"), "no energy is measured by this version")])
def test_what_cannot_be_asked_is_named(store: Path, arguments: tuple[str, ...], said: str) -> None:
    done = recommend(store, *arguments)
    assert isinstance(done.exception, ConfigError) and said in str(done.exception) and done.stdout == ""


def test_a_real_run_without_labelled_data_is_refused_and_says_how_to_give_some(place: Place) -> None:
    place.run()
    done = place.bench("recommend", "net", "--max-latency", "20ms")
    assert done.returncode == 1, done.stderr
    assert "no recommendation" in done.stdout and "give the model labelled data in the suite" in done.stdout
