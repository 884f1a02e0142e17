"""Bundles to test with: the real one, built once and run by qemu, and one of this machine's own Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.bundles.build import build
from bench.bundles.launcher import launcher_text
from bench.bundles.layers import Bundle
from tests.fakes.caches import test_cache

QEMU = "qemu-aarch64-static"
LOADER = 'exec "$PYTHONHOME/lib/ld-linux-aarch64.so.1"'
EMULATED_CPU = "max,sve=off"
"""Has dot products, which executorch's int8 needs, and no SVE, whose emulation kills torch's dynamic int8."""
_WITH_BOARD_FILES = """
mount -t tmpfs none /sys && mkdir -p /sys/devices/system/cpu && cd /sys/devices/system/cpu || exit 97
echo 0-1 >possible && echo 0-1 >present && echo 0-1 >online && cd / && exec "$@"
"""
# Runtimes look up processors below /sys; what an x86 machine has there crashes ONNX Runtime's arm64 build.


def library_root() -> Path:
    """The library that all tests share."""
    return test_cache() / "bundles"


def real_bundle(*runtimes: str) -> Bundle:
    """The real bundle with these runtimes; the test is skipped where none can be built."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    return build(library_root(), runtimes)


@dataclass(frozen=True)
class Unpacked:
    """A bundle's layers in a folder of this machine, and a launcher that has qemu run its Python."""

    launcher: Path

    def run(self, *words: str | Path, cwd: Path | None = None, given: bytes = b"") -> subprocess.CompletedProcess[str]:
        """Its Python with these words, to its end."""
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _WITH_BOARD_FILES, "sh",
                   self.launcher, *words]
        environment = {"PATH": os.environ["PATH"], "QEMU_CPU": EMULATED_CPU, "LD_LIBRARY_PATH": "/nowhere"}
        done = subprocess.run(command, env=environment, capture_output=True, cwd=cwd, input=given, timeout=240,
                              check=False)
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def unpacked(bundle: Bundle, folder: Path) -> Unpacked:
    """Its layers and its launcher below `folder`; the test is skipped where no arm64 program runs."""
    if shutil.which(QEMU) is None:
        pytest.skip(f"needs {QEMU} (Debian: qemu-user-static)")
    tried = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "true"], check=False)
    if tried.returncode != 0:
        pytest.skip("this machine allows no mounts")
    for layer in bundle.layers:
        with tarfile.open(layer.archive) as tar:
            tar.extractall(folder / layer.folder, filter="data")
    text = launcher_text(bundle, "/bin/sh")
    assert LOADER in text
    launcher = folder / "py"
    launcher.write_text(text.replace(LOADER, LOADER.replace("exec", f"exec {QEMU}")))
    launcher.chmod(0o755)
    (folder / "home").mkdir()
    return Unpacked(launcher)


def made_elsewhere(folder: Path, start: str = f'exec {sys.executable} "$@"') -> Path:
    """A folder with a `py` that starts this machine's Python, and some more files, one of them linked to."""
    (folder / "lib").mkdir(parents=True)
    (folder / "py").write_text(f"#!/bin/sh\n{start}\n")
    (folder / "py").chmod(0o755)
    (folder / "lib" / "data.bin").write_bytes(os.urandom(100_000))
    (folder / "lib" / "data").symlink_to("data.bin")
    return folder
