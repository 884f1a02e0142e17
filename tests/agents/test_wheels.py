from __future__ import annotations

import errno
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bench.agents import wheels
from tests.fakes.wheels import make_wheel


def test_a_wheel_is_unpacked_whole_and_replaces_other_versions(tmp_path: Path) -> None:
    for version in ("1.0", "2.0"):
        wheel = make_wheel(tmp_path, "a-b", version, files={
            f"a_b-{version}.data/platlib/a_b/native.so": "x", f"a_b-{version}.data/scripts/tool": "y"})
        (tmp_path / "a_b_c-1.0-00").mkdir(exist_ok=True)
        assert wheels.unpack(str(wheel), str(tmp_path / f"a_b-{version}-00")) == {}
        assert not wheel.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_b-2.0-00", "a_b_c-1.0-00"]
    assert (tmp_path / "a_b-2.0-00" / "a_b" / "native.so").read_text() == "x"
    assert not list(tmp_path.rglob("tool"))


def test_no_member_of_a_wheel_leaves_its_folder(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "in", "a", "1", files={"../../out": "x", "/abs": "x", "a.data/purelib/../../up": "x"})
    wheels.unpack(str(wheel), str(tmp_path / "in" / "a-1-00"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    assert {path.name for path in (tmp_path / "in").iterdir()} == {"a-1-00"}


def test_a_wheel_that_cannot_be_unpacked_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    wheel = make_wheel(tmp_path, "a", "1")
    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    assert wheels.unpack(str(wheel), str(tmp_path / "a-1-00")) == {"error": "disk full"}
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_that_does_not_import_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise RuntimeError('no such instruction\\nand more')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "onnxruntime", raising=False)
    assert wheels.check(["onnxruntime"]) == {"error": "RuntimeError: no such instruction"}


def test_the_probe_tells_what_chooses_a_wheel(tmp_path: Path) -> None:
    told = wheels.probe(str(tmp_path), ["numpy", "no-such-thing"])
    assert set(told["installed"]) == {"numpy"}
    assert told["folders"] == [] and told["free_bytes"] > 0
    assert told["tag"] == f"{told['abi']}-{told['machine']}"
    assert told["glibc"] is None or told["glibc"][0] == 2
