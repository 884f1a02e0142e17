"""What was made once, kept by content: a folder per key, complete or not there at all.

    ROOT/entries/KEY/   entry.json (what it is, its file's hash), log.txt, and the file; no file for a refusal
    ROOT/work/PID-START-N/   where children write; removed by their owner, or by anyone once the owner is dead
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import InfrastructureError
from bench.host import as_told

ENTRY, LOG = "entry.json", "log.txt"


@dataclass(frozen=True)
class Entry:
    """A finished entry: `facts` is what was put in; `file` is None for a refusal, `sha256` and `size_bytes` are its."""

    key: str
    facts: dict[str, Any]
    file: Path | None
    sha256: str
    size_bytes: int
    log: Path


@dataclass(frozen=True)
class Cache:
    """A cache under `root`; entries are read and written by the functions of this module."""

    root: Path

    @property
    def entries(self) -> Path:
        return self.root / "entries"

    @property
    def inputs(self) -> Path:
        """Input arrays, each an .npz named by its hash; the folder may not be there."""
        return self.root / "inputs"

    @property
    def bundles(self) -> Path:
        """Layers of a Python for devices that have none."""
        return self.root / "bundles"

    @property
    def work(self) -> Path:
        return self.root / "work"


def open_cache(root: Path | None = None) -> Cache:
    """The cache under `root`, by default $BENCH_CACHE or the user's cache folder; stale work folders are removed.

    Raises InfrastructureError when the folder cannot be written.
    """
    import platformdirs

    chosen = root or Path(os.environ.get("BENCH_CACHE") or platformdirs.user_cache_dir("bench"))
    cache = Cache(chosen.expanduser().resolve())
    with disk_errors(cache.root):
        cache.entries.mkdir(parents=True, exist_ok=True)
        cache.work.mkdir(exist_ok=True)
    _remove_stale_work(cache)
    return cache


def key_of(parts: object) -> str:
    """The key of an entry: sha256 of `parts` as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def look_up(cache: Cache, key: str) -> Entry | None:
    """The entry of a key, marked as used now; None when there is none. An entry that is damaged is removed."""
    folder = cache.entries / key
    if not folder.is_dir():
        return None
    entry = _read(folder, key)
    if entry is None:
        _discard(cache, folder)
        return None
    with contextlib.suppress(OSError):
        os.utime(folder)
    return entry


def commit(cache: Cache, key: str, folder: Path, facts: dict[str, Any], file: Path | None) -> Entry:
    """Make `folder` (a work folder's, holding `file` and the log) the entry of `key`: synced to disk, then renamed.

    When another process was faster its entry is the one returned. Raises InfrastructureError when the disk is full.
    """
    with disk_errors(cache.root):
        record = {"facts": facts, "file": file.name if file else None,
                  "sha256": file_sha256(file) if file else "", "size_bytes": file.stat().st_size if file else 0}
        (folder / LOG).touch()
        (folder / ENTRY).write_text(json.dumps(record, indent=1, allow_nan=False), encoding="utf-8")
        for path in (*folder.iterdir(), folder):
            _sync(path)
        try:
            folder.rename(cache.entries / key)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        _sync(cache.entries)
    entry = look_up(cache, key)
    if entry is None:
        raise InfrastructureError(f"the cache entry {key[:12]} under {cache.root} was damaged while it was written")
    return entry


@contextlib.contextmanager
def work_folder(cache: Cache) -> Iterator[Path]:
    """A fresh folder on the cache's file system, gone afterwards.

    Raises InfrastructureError when it cannot be made.
    """
    folder = cache.work / f"{os.getpid()}-{_start_of(os.getpid())}-{uuid.uuid4().hex[:12]}"
    with disk_errors(cache.root):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prune(cache: Cache, *, older_than_days: float | None = None, max_bytes: int | None = None,
          everything: bool = False, used_since: float | None = None) -> tuple[int, int]:
    """Remove entries and kept inputs: all, those not used for `older_than_days`, the longest unused above `max_bytes`;
    none of what was used since the time `used_since` (see `bench.convert.uses`).

    Gives back how many entries were removed and how many bytes that freed.
    """
    _remove_stale_work(cache)
    kept = [*cache.entries.iterdir(), *cache.inputs.glob("*.npz")]
    found = sorted((folder.stat().st_mtime, _size_of(folder), folder) for folder in kept)
    kept_bytes = sum(size for _, size, _ in found)
    horizon = None if older_than_days is None else time.time() - older_than_days * 86400
    count = freed = 0
    for used, size, folder in found:
        if used_since is not None and used >= used_since:
            continue
        too_old = horizon is not None and used < horizon
        too_much = max_bytes is not None and kept_bytes > max_bytes
        if everything or too_old or too_much:
            _discard(cache, folder)
            count, freed, kept_bytes = count + 1, freed + size, kept_bytes - size
    return count, freed


@contextlib.contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Turn what a disk refuses (full, read-only, forbidden) into an InfrastructureError that names the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM):
            raise as_told(error) or error from error
        raise InfrastructureError(disk_reason(error, root), hint="free some space there (bench gc), or set BENCH_CACHE "
                                                                 "to another folder") from error


def disk_reason(error: OSError, root: Path) -> str:
    """One line that says what the disk under the cache refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left on the disk of {root} ({_free(root)} bytes free)"
    return f"cannot write under {root}: {error.strerror or error}"


def _free(root: Path) -> int:
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return 0


def _read(folder: Path, key: str) -> Entry | None:
    try:
        record = json.loads((folder / ENTRY).read_text(encoding="utf-8"))
        file = folder / record["file"] if record["file"] else None
        if file is not None and file_sha256(file) != record["sha256"]:
            return None
        return Entry(key, record["facts"], file, record["sha256"], record["size_bytes"], folder / LOG)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _discard(cache: Cache, folder: Path) -> None:
    """Take an entry out of sight in one step, then delete it."""
    with work_folder(cache) as trash, contextlib.suppress(OSError):
        folder.rename(trash / folder.name)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder, *folder.rglob("*")) if path.is_file())


def _start_of(pid: int) -> str:
    """When a process started, in clock ticks: with its pid it names the process for good. "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _remove_stale_work(cache: Cache) -> None:
    for folder in cache.work.iterdir():
        pid, _, rest = folder.name.partition("-")
        if not pid.isdigit() or _start_of(int(pid)) != rest.partition("-")[0]:
            shutil.rmtree(folder, ignore_errors=True)
