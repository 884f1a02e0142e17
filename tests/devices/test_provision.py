"""Wheels for a board over a real OpenSSH server; the wheels are of nothing much, and pip is real."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.bundles.agent import AgentArchive, build_agent
from bench.config.devices import DeviceConfig
from bench.devices.provision import Board, Outcome, Plan, carry_out, opened, plan, probe
from bench.devices.survey import survey
from bench.devices.wheels import pins
from bench.errors import DeviceError, InfrastructureError
from bench.session import Busy
from tests.fakes.wheels import make_wheel, only_index


@pytest.fixture
def archive(tmp_path: Path) -> AgentArchive:
    return build_agent(tmp_path / "archive")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index with numpy, onnxruntime and ai-edge-litert, all of them empty."""
    folder = tmp_path / "index"
    for name in ("numpy", "onnxruntime", "ai-edge-litert"):
        make_wheel(folder, name, pins()[name], files={
            "ai_edge_litert/interpreter.py": ""} if name == "ai-edge-litert" else {})
    only_index(monkeypatch, folder)
    return folder


def provision(device: DeviceConfig, archive: AgentArchive, folder: Path, *runtimes: str) -> tuple[Plan, Outcome]:
    with opened("board", device, archive) as board:
        made = plan(probe(board), runtimes, folder)
        return made, carry_out(board, made)


def test_a_bare_board_is_given_what_it_lacks_and_imports_it(
        bare_board: DeviceConfig, archive: AgentArchive, index: Path, tmp_path: Path) -> None:
    assert survey({"board": bare_board})[0].runtimes == {}
    made, outcome = provision(bare_board, archive, tmp_path / "dl", "onnxruntime", "tflite", "torch")
    assert made.python.version == sys.version_info[:2] and made.python.installed == {}
    assert [wheel.name for wheel in made.wheels] == ["numpy", "onnxruntime", "ai_edge_litert"]
    assert made.wanted == ("onnxruntime", "tflite") and "torch" in made.lacking
    assert outcome.pushed_bytes == made.size_bytes > 0
    assert outcome.versions == {"numpy": pins()["numpy"], "onnxruntime": f"onnxruntime {pins()['onnxruntime']}",
                                "tflite": f"ai-edge-litert {pins()['ai-edge-litert']}"}
    assert outcome.failed == {}
    (tag,) = (Path(bare_board.folder) / "wheels").iterdir()
    assert sorted(path.name for path in tag.iterdir()) == sorted(wheel.folder for wheel in made.wheels)
    assert survey({"board": bare_board})[0].runtimes.keys() == {"onnxruntime", "tflite"}


def test_the_second_time_nothing_is_pushed(
        bare_board: DeviceConfig, archive: AgentArchive, index: Path, tmp_path: Path) -> None:
    provision(bare_board, archive, tmp_path / "dl", "onnxruntime")
    made, outcome = provision(bare_board, archive, tmp_path / "dl2", "onnxruntime")
    assert (made.present, made.wanted, made.wheels, outcome.pushed_bytes) == (("onnxruntime",), (), (), 0)
    assert outcome.versions.keys() == {"numpy", "onnxruntime"}


def test_what_is_installed_but_lacks_numpy_is_given_numpy(
        bare_board: DeviceConfig, archive: AgentArchive, index: Path, tmp_path: Path) -> None:
    with opened("board", bare_board, archive) as board:
        python = replace(probe(board), installed={"onnxruntime": "1.0"})
    made = plan(python, ["onnxruntime"], tmp_path / "dl")
    assert ([wheel.name for wheel in made.wheels], made.present) == (["numpy"], ("onnxruntime",))


def test_a_runtime_without_a_wheel_is_left_out_with_the_reason_and_takes_nothing_along(
        bare_board: DeviceConfig, archive: AgentArchive, index: Path, tmp_path: Path) -> None:
    next(index.glob("onnxruntime-*")).unlink()
    made, outcome = provision(bare_board, archive, tmp_path / "dl", "onnxruntime", "tflite")
    assert made.lacking == {"onnxruntime": f"the index has no wheel of onnxruntime that fits {made.python}"}
    assert "cp3" in made.lacking["onnxruntime"]
    assert outcome.versions.keys() == {"numpy", "tflite"}


def test_a_wheel_that_cannot_be_imported_there_is_told(
        bare_board: DeviceConfig, archive: AgentArchive, index: Path, tmp_path: Path) -> None:
    make_wheel(index, "onnxruntime", pins()["onnxruntime"], files={
        "onnxruntime/__init__.py": "raise ImportError('libatomic.so.1: cannot open shared object file\\x1b[2J')"})
    make_wheel(index, "ai-edge-litert", pins()["ai-edge-litert"], files={
        "ai_edge_litert/interpreter.py": "import os\nos.kill(os.getpid(), 4)"})
    _, outcome = provision(bare_board, archive, tmp_path / "dl", "onnxruntime", "tflite")
    assert outcome.failed == {
        "onnxruntime": "ImportError: libatomic.so.1: cannot open shared object file\\x1b[2J",
        "tflite": "the board's Python was killed by signal 4"}


def test_a_board_without_room_is_told_before_anything_is_pushed(
        bare_board: DeviceConfig, archive: AgentArchive, index: Path, tmp_path: Path) -> None:
    with opened("board", bare_board, archive) as board:
        made = plan(replace(probe(board), free_bytes=10_000), ["onnxruntime"], tmp_path / "dl")
        with pytest.raises(DeviceError, match=r"disk is full: .* needs .* bytes and has 10000 free"):
            carry_out(board, made)
    assert not (Path(bare_board.folder) / "wheels").exists()


class Saying(Board):
    """A board whose Python answers so."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def ask(self, verb: str, words: Sequence[str], within_s: float) -> dict[str, Any]:
        return self.answer


@pytest.mark.parametrize("key", ["implementation", "abi", "machine", "tag"])
@pytest.mark.parametrize("word", ["../../x", "a b", "--find-links=x", "\x1b[31m", "", "x\n", 7])
def test_a_board_whose_words_are_no_names_is_not_understood(key: str, word: object) -> None:
    answer = {"version": [3, 11], "glibc": [2, 36], "implementation": "cpython", "abi": "cp311", "machine": "aarch64",
              "tag": "cp311-aarch64", "free_bytes": 1, "installed": {"torch": "2.9.1+cpu"}, "folders": []}
    assert probe(Saying(answer)).tag == "cp311-aarch64"
    with pytest.raises(InfrastructureError, match="cannot be understood"):
        probe(Saying({**answer, key: word}))


def test_nobody_else_may_use_the_board_meanwhile(bare_board: DeviceConfig, archive: AgentArchive) -> None:
    with opened("board", bare_board, archive), pytest.raises(Busy, match="in use by"), \
            opened("board", bare_board, archive):
        pass


def test_what_a_login_script_prints_is_no_answer(
        bare_board: DeviceConfig, archive: AgentArchive, tmp_path: Path) -> None:
    noisy = tmp_path / "noisy"
    noisy.write_text(f'#!/bin/sh\nprintf "welcome {{}}"\nexec {bare_board.python} "$@"\n')
    noisy.chmod(0o755)
    with opened("board", bare_board, archive) as board:
        quiet = probe(board)
        board._argv[0] = str(noisy)
        assert replace(probe(board), free_bytes=quiet.free_bytes) == quiet
