"""Folders as archives: the same files give the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from bench.models.files import sha256_file

BLOCK = 4096
_COMPRESSION = 6
_EXECUTABLE, _PLAIN = 0o755, 0o644


@dataclass(frozen=True, order=True)
class Member:
    """A file or a link below a folder. `link` is what a link points to, `sha256` that of a file; else they are ""."""

    path: str
    mode: int
    link: str
    sha256: str
    size_bytes: int


def members_of(folder: Path) -> list[Member]:
    """Every file and link below `folder`, sorted by path; modes are reduced to whether a file may be executed."""
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found.append(Member(name, 0o777, str(path.readlink()), "", 0))
        elif path.is_file():
            status = path.stat()
            mode = _EXECUTABLE if status.st_mode & 0o100 else _PLAIN
            found.append(Member(name, mode, "", sha256_file(path), status.st_size))
    return sorted(found)


def digest_of(members: Sequence[Member]) -> str:
    """A name for what these hold, however they are packed: 16 hex digits."""
    text = json.dumps([astuple(member) for member in members], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def disk_bytes(members: Sequence[Member]) -> int:
    """What these take on a disk that gives out blocks of 4 KiB."""
    return sum(-(-member.size_bytes // BLOCK) * BLOCK for member in members)


def pack(folder: Path, members: Sequence[Member], archive: Path) -> None:
    """Write the members of `folder` as a .tar.gz: sorted, without times, owners, or a name of its own."""
    with (archive.open("wb") as file, gzip.GzipFile("", "wb", _COMPRESSION, file, mtime=0) as packed,
          tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar):
        for name in _folders(members):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, _EXECUTABLE
            tar.addfile(info)
        for member in members:
            info = tarfile.TarInfo(member.path)
            info.mode, info.size = member.mode, member.size_bytes
            if member.link:
                info.type, info.linkname = tarfile.SYMTYPE, member.link
                tar.addfile(info)
            else:
                with (folder / member.path).open("rb") as content:
                    tar.addfile(info, content)


def _folders(members: Sequence[Member]) -> list[str]:
    """Every folder above the members, the outer ones first."""
    found = {parent.as_posix() for member in members for parent in Path(member.path).parents}
    return sorted(found - {"."})
