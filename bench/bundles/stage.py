"""Fills a layer's folder from packages and wheels, and compiles its Python files."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from bench.bundles.debian import DebianPackage
from bench.bundles.elf import slimmed
from bench.bundles.recipes import LIBRARIES, PYTHON, Recipe
from bench.bundles.wheels import Wheel
from bench.errors import InfrastructureError

COMPILE_WITHIN_S = 900.0
_COMPILE = """
import compileall, sys
from py_compile import PycInvalidationMode
compileall.compile_dir(sys.argv[1], maxlevels=100, quiet=2, stripdir=sys.argv[1],
                       invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
"""


def bytecode_version() -> str:
    """The version of this Python where its bytecode is the bundle's; else "", and none is shipped."""
    return platform.python_version() if sys.implementation.cache_tag == "cpython-311" else ""


def stage(recipe: Recipe, packages: Sequence[DebianPackage], wheels: Sequence[Wheel], folder: Path,
          scratch: Path) -> None:
    """Lay out a layer in `folder`. Raises InfrastructureError when a package lacks what is wanted of it."""
    folder.mkdir(parents=True)
    for package in packages:
        whole = scratch / package.name
        package.unpack(whole)
        _take_package(recipe, package.name, whole, folder)
        shutil.rmtree(whole)
    for wheel in wheels:
        _take_wheel(recipe, wheel, folder)
    for path in folder.rglob("*.so*"):
        path.write_bytes(slimmed(path.read_bytes()))
    if bytecode_version():
        _compile(folder)


def _take_package(recipe: Recipe, name: str, whole: Path, folder: Path) -> None:
    """Libraries under the very names that programs ask for: no links, which not every device's disk can hold."""
    for library in LIBRARIES.get(name, ()):
        found = [path for path in whole.rglob(library) if path.parent.name == "aarch64-linux-gnu"]
        if not found:
            raise InfrastructureError(f"Debian's package {name} has no {library}")
        _copy(found[0].resolve(), folder / "lib" / library)
    if name in PYTHON:
        for path in (whole / "usr").rglob("*"):
            inside = path.relative_to(whole / "usr").as_posix()
            if path.is_file() and inside.startswith(("bin/", "lib/python3.11/")) and recipe.takes(inside):
                _copy(path, folder / inside)
    copyright_ = whole / "usr/share/doc" / name / "copyright"
    if copyright_.is_file():
        _copy(copyright_, folder / "licenses" / name)


def _take_wheel(recipe: Recipe, wheel: Wheel, folder: Path) -> None:
    with zipfile.ZipFile(wheel.path) as archive:
        for info in archive.infolist():
            if not info.is_dir() and recipe.takes(info.filename):
                archive.extract(info, folder)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _compile(folder: Path) -> None:
    """Bytecode beside each source, taken as it is: a device neither compiles nor checks nor writes.

    In a process of its own, whose hashes are fixed: what marshal writes depends on the state of its process.
    A file that does not compile (a template, another version's) is left as a source.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run([sys.executable, "-S", "-c", _COMPILE, str(folder)], capture_output=True, text=True,
                          env={**environment, "PYTHONHASHSEED": "0"}, timeout=COMPILE_WITHIN_S, check=False)
    if done.returncode != 0:
        raise InfrastructureError(f"the bundle's Python files could not be compiled: {done.stderr.strip()[-500:]}")
