from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.devices.wheels import BoardPython, download, hindrance, pins, platforms, series
from bench.errors import ConfigError, InfrastructureError
from tests.fakes.wheels import make_wheel, only_index

ORIN = BoardPython("cpython", (3, 10), "cp310", "aarch64", "cp310-aarch64", (2, 35), 10**10, {}, ())


def board(**changes: object) -> BoardPython:
    return replace(ORIN, **changes)  # type: ignore[arg-type]


def test_the_platforms_reach_up_to_the_boards_glibc_and_no_further() -> None:
    found = list(platforms(board(glibc=(2, 28))))
    assert found[:2] == ["manylinux_2_28_aarch64", "manylinux_2_27_aarch64"]
    assert {"manylinux2014_aarch64", "manylinux_2_17_aarch64", "linux_aarch64"} <= set(found)
    assert not any("2_29" in tag for tag in found)


def test_the_pins_are_those_of_the_bundle() -> None:
    assert {"numpy", "onnxruntime", "ai-edge-litert", "torch", "executorch"} <= set(pins())


@pytest.mark.parametrize(("runtime", "changes", "words"), [
    ("onnxruntime", {"implementation": "pypy"}, "wheels are made for CPython"),
    ("onnxruntime", {"glibc": None}, "C library is another"),
    ("torch", {"machine": "x86_64"}, "come with CUDA"),
    ("executorch", {"installed": {"torch": "2.5.0a0"}}, "and the board's Python has torch 2.5.0a0"),
    ("executorch", {"installed": {"torch": "2.9.0+cpu"}}, None),
    ("executorch", {}, None),
    ("torch", {}, None),
    ("tflite", {"machine": "armv7l"}, None),
])
def test_what_no_wheel_can_be_had_for_is_said_before_pip_is_asked(
        runtime: str, changes: dict[str, object], words: str | None) -> None:
    reason = hindrance(runtime, board(**changes))
    assert reason is None if words is None else reason is not None and words in reason


@pytest.mark.slow
def test_the_pinned_version_is_preferred_and_else_the_newest_that_fits(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, pin = tmp_path / "index", pins()["onnxruntime"]
    make_wheel(index, "onnxruntime", pin, "cp310-cp310-manylinux_2_28_aarch64")
    make_wheel(index, "onnxruntime", "99.0", "cp310-cp310-manylinux_2_17_aarch64")
    make_wheel(index, "onnxruntime", "1.0", "cp310-cp310-manylinux2014_aarch64.manylinux_2_17_aarch64")
    make_wheel(index, "onnxruntime", "98.0", "cp38-abi3-manylinux_2_17_aarch64")
    make_wheel(index, "onnxruntime", "100.0", "cp310-cp310-manylinux_2_36_aarch64")
    make_wheel(index, "onnxruntime", "101.0", "cp310-cp310-manylinux_2_17_x86_64")
    only_index(monkeypatch, index)

    def version(**changes: object) -> str:
        wheel = download("onnxruntime", board(**changes), tmp_path / str(len(list(tmp_path.iterdir()))))
        return wheel.version if wheel else "none"

    assert version() == pin
    assert version(glibc=(2, 27)) == "99.0"
    assert version(version=(3, 9), abi="cp39", glibc=(2, 27)) == "98.0"
    assert version(version=(3, 7), abi="cp37") == "none"
    assert version(machine="riscv64") == "none"


def test_a_wheel_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_wheel(tmp_path / "index", "ai-edge-litert", "9.9")
    only_index(monkeypatch, tmp_path / "index")
    wheel = download("ai-edge-litert", ORIN, tmp_path / "to")
    assert wheel is not None
    assert (wheel.name, wheel.version, wheel.size_bytes) == ("ai_edge_litert", "9.9", made.stat().st_size)
    assert wheel.folder == f"ai_edge_litert-9.9-{wheel.sha256[:12]}"
    assert wheel.unpacked_bytes == 3 * 4096


def test_torch_stays_below_the_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("2.4.1", "99.0"):
        make_wheel(tmp_path / "index", "torch", version)
    only_index(monkeypatch, tmp_path / "index")
    wheel = download("torch", ORIN, tmp_path / "to")
    assert wheel is not None and wheel.version == "2.4.1"
    assert series("2.9.1+cpu") == "2.9"


def test_an_index_that_is_not_reached_is_no_lack_of_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(InfrastructureError, match="pip could not download") as caught:
        download("numpy", ORIN, tmp_path)
    assert "package index" in caught.value.hint


def test_without_pip_the_way_to_get_it_is_said(tmp_path: Path, bare_python: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(bare_python))
    with pytest.raises(ConfigError, match="this Python has no pip") as caught:
        download("numpy", ORIN, tmp_path)
    assert "-m ensurepip" in caught.value.hint
