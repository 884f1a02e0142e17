"""Wheels for a board's own Python, chosen and downloaded on this machine by pip; nothing is installed anywhere."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.bundles import pip
from bench.bundles.wheels import PINS
from bench.convert.cache import file_sha256

BLOCK: Final = 4096

_TORCH = ("torch", "typing-extensions", "sympy", "mpmath", "networkx", "filelock", "jinja2", "markupsafe", "fsspec")
DISTRIBUTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "onnxruntime": ("onnxruntime",),
    "tflite": ("ai-edge-litert",),
    "torch": _TORCH,
    "executorch": ("executorch", *_TORCH),
}
"""What a runtime's import needs beside numpy; first what is the most likely to fit no Python but few."""
MAIN: Final = {"onnxruntime": "onnxruntime", "tflite": "ai-edge-litert", "torch": "torch", "executorch": "executorch"}
"""The distribution that is the runtime."""


@dataclass(frozen=True)
class BoardPython:
    """All of a board's Python that decides which wheels fit it."""

    implementation: str
    version: tuple[int, int]
    abi: str
    machine: str
    tag: str
    glibc: tuple[int, int] | None
    """None for another C library."""
    free_bytes: int
    installed: Mapping[str, str]
    folders: tuple[str, ...]
    """Wheels that were pushed to it earlier."""

    def __str__(self) -> str:
        libc = f"glibc {self.glibc[0]}.{self.glibc[1]}" if self.glibc else "a C library other than glibc"
        return f"{self.implementation} {self.version[0]}.{self.version[1]} ({self.tag}), {libc}"


@dataclass(frozen=True)
class BoardWheel:
    """A downloaded wheel."""

    name: str
    version: str
    path: Path
    sha256: str
    size_bytes: int
    unpacked_bytes: int
    """On a disk that gives out blocks of 4 KiB."""

    @property
    def folder(self) -> str:
        """What it is called on the board."""
        return f"{self.name}-{self.version}-{self.sha256[:12]}"


def hindrance(runtime: str, python: BoardPython) -> str | None:
    """Why no wheel of the runtime can be expected for this Python; None when pip is to be asked."""
    if python.implementation != "cpython":
        return f"wheels are made for CPython, and the board's Python is {python.implementation}"
    if python.glibc is None:
        return "wheels are made for glibc, and the board's C library is another"
    if "torch" not in DISTRIBUTIONS[runtime]:
        return None
    if python.machine != "aarch64":
        return f"torch's wheels for {python.machine} come with CUDA: install a CPU build of it on the board itself"
    torch = python.installed.get("torch")
    if runtime == "executorch" and torch is not None and series(torch) != series(pins()["torch"]):
        return (f"executorch {pins()['executorch']} works with torch {series(pins()['torch'])}, "
                f"and the board's Python has torch {torch}")
    return None


def series(version: str) -> str:
    """`2.9` of `2.9.1+cpu`."""
    return ".".join(version.split(".")[:2])


def pins() -> dict[str, str]:
    """The versions that bundles are made of: those that were seen to work together."""
    lines = PINS.read_text(encoding="utf-8").splitlines()
    pairs = [line.split()[0].partition("==") for line in lines if line and not line.startswith("#")]
    return {name: version for name, _, version in pairs}


def download(name: str, python: BoardPython, folder: Path) -> BoardWheel | None:
    """The distribution's wheel for this Python, in `folder`: the pinned version, else the newest that fits.

    None when the index has none. Raises ConfigError (no pip here), InfrastructureError (pip reaches no index).
    """
    for requirement in _requirements(name):
        with suppress(pip.NothingFits):
            return _downloaded(requirement, python, folder / name)
    return None


def _requirements(name: str) -> list[str]:
    """What to ask pip for, the best first."""
    pin = pins()[name]
    if name == "executorch":
        return [f"{name}=={pin}"]  # tied to a version of torch
    if name == "torch":
        return [f"{name}=={pin}", f"{name}<{pin}"]  # later ones are far larger
    return [name] if name == "numpy" else [f"{name}=={pin}", name]


def _downloaded(requirement: str, python: BoardPython, into: Path) -> BoardWheel:
    words = ["--no-deps", "--only-binary=:all:", "--implementation=cp", "--retries=2", f"--dest={into}",
             f"--python-version={python.version[0]}.{python.version[1]}"]
    words += [f"--abi={abi}" for abi in (python.abi, "abi3", "none")]
    words += [f"--platform={platform}" for platform in platforms(python)]
    pip.download([*words, requirement], "a board is provisioned with")
    (path,) = into.glob("*.whl")
    distribution, version = path.name.split("-")[:2]
    return BoardWheel(distribution, version, path, file_sha256(path), path.stat().st_size, _unpacked_bytes(path))


def platforms(python: BoardPython) -> Iterator[str]:
    """The tags of the platforms that this Python can take wheels of, the newest first."""
    assert python.glibc is not None
    for minor in range(python.glibc[1], 4, -1):
        yield f"manylinux_2_{minor}_{python.machine}"
        legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}.get(minor)
        if legacy:
            yield f"{legacy}_{python.machine}"
    yield f"linux_{python.machine}"


def _unpacked_bytes(path: Path) -> int:
    with zipfile.ZipFile(path) as wheel:
        return sum(-(-member.file_size // BLOCK) * BLOCK for member in wheel.infolist())
