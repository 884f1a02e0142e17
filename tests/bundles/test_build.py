"""The real bundle: Debian's Python and the runtimes' aarch64 wheels, run as arm64 code by qemu."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bench.bundles import library
from bench.bundles.agent import build_agent
from bench.bundles.build import build
from bench.bundles.layers import Bundle
from bench.errors import ConfigError
from tests.fakes.bundles import Unpacked, library_root, real_bundle, unpacked

pytestmark = [pytest.mark.slow, pytest.mark.longest]

STDLIB = ("argparse asyncio base64 bz2 ctypes datetime decimal hashlib inspect json lzma mmap multiprocessing pickle "
          "platform select signal socket subprocess tempfile threading unittest.mock urllib.request uuid zipfile zlib")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return real_bundle("onnxruntime", "tflite")


@pytest.fixture(scope="module")
def python(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    return unpacked(bundle, tmp_path_factory.mktemp("two words") / "bundle")


def test_its_python_has_the_modules_that_agent_and_runtimes_use(python: Unpacked) -> None:
    done = python.run("-c", f"import {', '.join(STDLIB.split())}; print(hashlib.sha256)")
    assert (done.returncode, done.stdout) == (0, "<built-in function openssl_sha256>\n"), done.stderr


def test_its_python_starts_itself_again_and_leaves_the_environment_of_its_starter_alone(python: Unpacked) -> None:
    done = python.run("-c", "import os, subprocess, sys; print(sys.executable, os.environ['BENCH_PYTHON'], "
                            "os.environ['HOME'], 'LD_LIBRARY_PATH' in os.environ, flush=True); "
                            "subprocess.run([sys.executable, '-c', 'import os; print(os.environ[\"HOME\"])'], "
                            "env=dict(os.environ, HOME='/tmp/own'), check=True)")
    launcher, home = python.launcher, python.launcher.parent / "home"
    assert done.stdout == f"{launcher} {launcher} {home} False\n/tmp/own\n", done.stderr


def test_its_python_starts_by_a_relative_path(python: Unpacked) -> None:
    folder = python.launcher.parent
    found = subprocess.run(["./py", "-c", "import numpy, sys; print(sys.prefix)"], cwd=folder, capture_output=True,
                           text=True, check=True)
    assert found.stdout.startswith(f"{folder}/") and "/python-" in found.stdout


def test_nothing_is_written_below_it(python: Unpacked) -> None:
    folder = python.launcher.parent
    before = sorted(folder.rglob("*"))
    assert python.run("-c", "import asyncio, numpy, xml.etree.ElementTree").returncode == 0
    assert sorted(folder.rglob("*")) == before


def test_it_runs_the_agent_with_both_runtimes(python: Unpacked, tmp_path: Path) -> None:
    archive = build_agent(tmp_path)
    done = python.run(archive.path, "--archive", archive.path, "--workdir", tmp_path / "work")
    hello = json.loads(done.stdout.splitlines()[0])
    assert (hello["type"], hello["facts"]["arch"]) == ("hello", "aarch64")
    assert set(hello["runtimes"]) == {"onnxruntime", "tflite"}


@pytest.mark.parametrize("module", ["onnxruntime", "ai_edge_litert.interpreter", "numpy.linalg", "numpy.random"])
def test_what_is_left_of_the_wheels_imports(python: Unpacked, module: str) -> None:
    done = python.run("-c", f"import {module}; print(1)")
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_the_same_downloads_give_the_same_bytes(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "downloads").symlink_to(library_root() / "downloads")
    again = build(tmp_path, ("onnxruntime",))
    assert [layer.folder for layer in again.layers] == [
        layer.folder for layer in bundle.for_runtimes(["onnxruntime"]).layers]
    for one, other in zip(again.layers, bundle.for_runtimes(["onnxruntime"]).layers, strict=True):
        assert one.archive.read_bytes() == other.archive.read_bytes()


def test_a_second_build_packs_nothing_and_a_damaged_layer_is_packed_again(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "downloads").symlink_to(library_root() / "downloads")
    told: list[str] = []
    first = build(tmp_path, (), told.append)
    assert len(told) == 4
    assert build(tmp_path, (), told.append) == first == library.newest(tmp_path)
    assert len(told) == 4
    archive = first.layers[1].archive
    archive.write_bytes(b"x" + archive.read_bytes()[1:])
    assert build(tmp_path, (), told.append) == first
    assert [line.split(":")[0] for line in told[4:]] == ["numpy", "numpy"]
    archive.unlink()
    assert library.newest(tmp_path) is None


def test_a_runtime_added_later_shares_the_layers_that_are_there(bundle: Bundle) -> None:
    assert [layer.name for layer in bundle.layers] == ["python", "numpy", "onnxruntime", "tflite"]
    assert [layer.name for layer in bundle.for_runtimes(["tflite", "torch"]).layers] == ["python", "numpy", "tflite"]
    assert bundle.runtimes == ("onnxruntime", "tflite")


def test_an_unknown_runtime_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'torch'"):
        build(tmp_path, ["torhc"])
