"""Wheels of nothing much, in a folder that pip takes for its index."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest


def make_wheel(folder: Path, name: str, version: str, tag: str = "py3-none-any",
               files: Mapping[str, str] | None = None) -> Path:
    """A wheel of the distribution `name`, with a package of the same name that knows its version, and more files."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    content = {
        f"{stem}/__init__.py": f"__version__ = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n", f"{info}/RECORD": "",
    } | dict(files or {})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, text in content.items():
            wheel.writestr(member, text)
    return path


def only_index(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let pip find what lies in `folder`, and nothing else."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")  # nor what this machine pins
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
