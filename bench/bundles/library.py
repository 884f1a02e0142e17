"""Layers that were built, kept by content: an archive and a manifest each, and the list of the newest build.

    ROOT/layers/NAME-DIGEST.tar.gz    the archive that is pushed
    ROOT/layers/NAME-DIGEST.json      what it is, what it was made from, and every file in it
    ROOT/bundle-aarch64.json          the layers of the newest build
    ROOT/downloads/                   packages and wheels
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from bench.bundles.archive import digest_of, disk_bytes, members_of, pack
from bench.bundles.layers import ARCHITECTURE, Bundle, Layer
from bench.models.files import sha256_file

_NEWEST = f"bundle-{ARCHITECTURE}.json"


@dataclass(frozen=True)
class Origin:
    """What a layer is made from: the same origin gives the same layer."""

    name: str
    needs: tuple[str, ...]
    versions: Mapping[str, str]
    files: Mapping[str, str]
    """The sha256 of each package or wheel, by file name."""
    recipe: str
    """A hash of what is taken from them."""
    bytecode: str
    """The version of the Python that compiled the sources; "" where none did."""


def newest(root: Path) -> Bundle | None:
    """The bundle of the newest build under `root`; None when there is none, or a part of it is gone."""
    try:
        record = json.loads((root / _NEWEST).read_text(encoding="utf-8"))
        layers = tuple(_read(root / "layers" / f"{folder}.json") for folder in record["layers"])
        return Bundle(record["architecture"], layers)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(root: Path, bundle: Bundle) -> None:
    """Make this the newest build."""
    record = {"architecture": bundle.architecture, "layers": [layer.folder for layer in bundle.layers]}
    _write(root / _NEWEST, json.dumps(record, indent=1) + "\n")


def find(root: Path, origin: Origin) -> Layer | None:
    """The layer that was made from this, where it is there whole."""
    for manifest in sorted((root / "layers").glob(f"{origin.name}-*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(manifest.read_text(encoding="utf-8"))
            if record["origin"] == _plain(origin):
                layer = _read(manifest)
                if sha256_file(layer.archive) == record["archive_sha256"]:
                    return layer
    return None


def add(root: Path, origin: Origin, folder: Path) -> Layer:
    """Pack `folder` as a layer: archive and manifest appear whole or not at all."""
    members = members_of(folder)
    stem = f"{origin.name}-{digest_of(members)}"
    archive = root / "layers" / f"{stem}.tar.gz"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with work_folder(root) as work:
        part = work / archive.name
        pack(folder, members, part)
        digest = sha256_file(part)
        part.replace(archive)
    _write(archive.with_name(f"{stem}.json"), json.dumps({
        "origin": _plain(origin), "archive_sha256": digest, "archive_bytes": archive.stat().st_size,
        "unpacked_bytes": disk_bytes(members), "members": [astuple(member) for member in members],
    }, indent=None) + "\n")
    return _read(archive.with_name(f"{stem}.json"))


@contextlib.contextmanager
def work_folder(root: Path) -> Iterator[Path]:
    """A fresh folder on the library's disk, gone afterwards."""
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="work-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(manifest: Path) -> Layer:
    """Raises OSError, ValueError, KeyError, TypeError: there is no such layer, or it is damaged."""
    record: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    origin = record["origin"]
    archive = manifest.with_name(manifest.stem + ".tar.gz")
    if archive.stat().st_size != record["archive_bytes"]:
        raise ValueError(f"{archive} is cut short")
    files = sum(1 for member in record["members"] if not member[2])
    return Layer(origin["name"], manifest.stem.rpartition("-")[2], archive, record["archive_bytes"],
                 record["unpacked_bytes"], files, tuple(origin["needs"]), origin["versions"])


def _plain(origin: Origin) -> dict[str, Any]:
    """The origin as JSON gives it back."""
    return {"name": origin.name, "needs": list(origin.needs), "versions": dict(origin.versions),
            "files": dict(origin.files), "recipe": origin.recipe, "bytecode": origin.bytecode}


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
