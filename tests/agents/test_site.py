from __future__ import annotations

import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from bench.agents import site, wheels
from tests.fakes.wheels import make_wheel


def test_the_tag_is_that_of_this_python() -> None:
    assert site.tag() == f"cp{sys.version_info[0]}{sys.version_info[1]}-{os.uname().machine}"


def test_a_32_bit_python_on_a_64_bit_kernel_takes_32_bit_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(struct, "calcsize", lambda _: 4)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert site.machine() == "armv7l"


def test_wheels_that_fit_join_the_end_of_the_path_and_workers_inherit_them(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "wo[r]k" / "wheels"
    fits = [root / site.tag() / "b-1-00", root / site.tag() / "c-1-00"]
    for folder in (*fits, root / site.tag() / "d-1-00.part", root / "cp38-mips" / "a-1-00"):
        folder.mkdir(parents=True)
    (root / site.tag() / "e-1-00.whl").write_text("")
    before = list(sys.path)
    monkeypatch.setattr(sys, "path", list(before))
    monkeypatch.setenv(site.VARIABLE, "/nowhere")
    site.use_wheels(str(tmp_path / "wo[r]k"))
    assert sys.path == [*before, *map(str, fits)]
    assert os.environ[site.VARIABLE] == str(root)
    site.use_wheels()
    assert sys.path == [*before, *map(str, fits)], "and twice is once"


def test_what_the_device_has_installed_itself_wins(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "numpy", "0.1")
    wheels.unpack(str(wheel), str(tmp_path / "wheels" / site.tag() / "numpy-0.1-00"))
    code = ("from bench.agents import site\nimport sys\nsite.use_wheels(sys.argv[1])\n"
            "import numpy\nfrom importlib import metadata\nprint(numpy.__version__, metadata.version('numpy'))")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    import numpy

    assert done.stdout.split() == [numpy.__version__] * 2
