"""Paths on the phone as paths on this machine, where a link on the phone must not lead to this machine's own files."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_MOST_LINKS = 40


@dataclass(frozen=True)
class User:
    """Whose rights count on the phone."""

    uid: int
    groups: frozenset[int]

    def may(self, wanted: int, info: os.stat_result) -> bool:
        """Whether all of `wanted` (os.R_OK, W_OK, X_OK) is allowed."""
        shift = 6 if info.st_uid == self.uid else 3 if info.st_gid in self.groups else 0
        return info.st_mode >> shift & wanted == wanted


def inside(root: Path, remote: str, user: User, *, follow: bool = True) -> Path:
    """Where `remote` lies below `root`, links followed as for a process whose root that is (the last with `follow`).

    It need not exist, nor the folders to it. Raises OSError: links in circles, a file taken for a folder, a folder that
    `user` may not pass through, something missing in a folder where `user` can make nothing.
    """
    _check("\0" not in remote, errno.EINVAL, remote)
    path, left, links = root, list(reversed(PurePosixPath(remote).parts)), 0
    while left:
        part = left.pop()
        if part.startswith("/"):
            path = root
        elif part == "..":
            path = path.parent if path != root else root
        else:
            _check_passage(path, user, remote)
            if (path / part).is_symlink() and (left or follow):
                links += 1
                _check(links <= _MOST_LINKS, errno.ELOOP, remote)
                left += reversed(PurePosixPath((path / part).readlink()).parts)
            else:
                path /= part
    _check_creation(path, user, remote)
    return path


def _check_passage(folder: Path, user: User, remote: str) -> None:
    with suppress(FileNotFoundError):
        info = folder.stat()
        _check(stat.S_ISDIR(info.st_mode), errno.ENOTDIR, remote)
        _check(user.may(os.X_OK, info), errno.EACCES, remote)


def _check_creation(path: Path, user: User, remote: str) -> None:
    """What is missing could be made; where the file system is read-only, the kernel says so itself."""
    if not os.path.lexists(path):
        folder = next(parent for parent in path.parents if parent.exists())
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
        _check(bool(read_only) or user.may(os.W_OK, folder.stat()), errno.EACCES, remote)


def _check(right: bool, number: int, remote: str) -> None:
    if not right:
        raise OSError(number, os.strerror(number), remote)
