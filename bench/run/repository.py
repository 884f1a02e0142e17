"""What git says of the suite: its repository, its commit, and what is not in that commit."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.config.check import files_of
from bench.config.load import LoadedSuite

LIMIT_S: Final = 5.0
MOST_NAMED: Final = 20
"""Changed files that a run names; all are counted."""
_SCP: Final = re.compile(r"(?:[^@/]+@)?([^:/]{2,}):(?!//)(.+)")
"""`git@host:path`, as git writes an address for ssh."""
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/]*@)?([^:/]*)(?::\d+)?/(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Repository:
    """A git working tree. `names` are what it is known by wherever it is cloned to: `root:` and a first commit,
    `remote:` and its address. A shallow clone does not know its first commits."""

    folder: Path
    names: tuple[str, ...]
    commit: str | None

    def holds(self, commit: str) -> bool:
        """Whether it has that commit."""
        return _git(self.folder, "cat-file", "-e", f"{commit}^{{commit}}") is not None


def find_repository(folder: Path) -> Repository | None:
    """The repository that the folder is in; None outside of one, or where git does not say."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top:
        return None
    root = Path(top.rstrip("\n"))
    commit = (_git(root, "rev-parse", "--verify", "--quiet", "HEAD") or "").strip() or None
    return Repository(root.resolve(), (*_roots(root, commit), *_remotes(root)), commit)


def find_changes(suite: LoadedSuite, repository: Repository) -> dict[str, Any] | None:
    """What the run is of beside the commit: how many files, and the names of the first. None where git does not say.

    Files under version control that were changed, and new ones that the suite uses: itself, models, data, and with a
    PyTorch factory any Python file of its folder. What git is told to ignore is left to itself.
    """
    changed = _git(repository.folder, "status", "--porcelain=v1", "-z", "--untracked-files=no")
    mine = [path for path in _used(suite) if path.is_relative_to(repository.folder)]
    new = _git(repository.folder, "ls-files", "--others", "--exclude-standard", "-z", "--",
               *(f":(top,literal){path.relative_to(repository.folder)}" for path in mine)) if mine else ""
    if changed is None or new is None:
        return None
    names = list(dict.fromkeys((*_status_names(changed),
                                *(name for name in new.split("\0") if _counts(name, mine, repository)))))
    return {"count": len(names), "files": names[:MOST_NAMED]}


def _counts(name: str, used: Sequence[Path], repository: Repository) -> bool:
    """Whether an untracked file is one that is used: of a folder only its Python files are."""
    return bool(name) and (repository.folder / name in used or name.endswith(".py"))


def _status_names(porcelain: str) -> list[str]:
    """The files of `git status --porcelain=v1 -z`; a renamed one is followed by its old name."""
    names: list[str] = []
    parts = iter(porcelain.split("\0"))
    for part in parts:
        if len(part) > 3:
            names.append(part[3:])
            if part[0] in "RC":
                next(parts, None)
    return names


def _used(suite: LoadedSuite) -> list[Path]:
    """Every file that the suite names, itself first, and the folder where factories are imported from."""
    found = [suite.path.resolve()]
    for model in suite.config.models.values():
        found += [(suite.root / path).resolve() for path in files_of(model)]
        found += [suite.root.resolve()] if model.source.torch is not None else []
    return list(dict.fromkeys(found))


def _roots(folder: Path, commit: str | None) -> tuple[str, ...]:
    """The first commits; none of a shallow clone, whose oldest commit is another each time."""
    shallow = _git(folder, "rev-parse", "--is-shallow-repository")
    if commit is None or shallow is None or shallow.strip() != "false":
        return ()
    found = _git(folder, "rev-list", "--max-parents=0", "HEAD")
    return tuple(f"root:{line}" for line in sorted((found or "").split()))


def _remotes(folder: Path) -> tuple[str, ...]:
    """The address that it was cloned from, without protocol, user and password."""
    names = (_git(folder, "remote") or "").split()
    chosen = "origin" if "origin" in names else names[0] if len(names) == 1 else None
    address = (_git(folder, "remote", "get-url", chosen) or "").strip() if chosen else ""
    return (f"remote:{_plain(address)}",) if address else ()


def _plain(address: str) -> str:
    """`git@host:team/nets.git` and `https://me:secret@host/team/nets` are both host/team/nets."""
    found = _URL.fullmatch(address) or _SCP.fullmatch(address)
    host, path = (found[1].lower(), f"/{found[2].lstrip('/')}") if found else ("", address)
    return host + path.rstrip("/").removesuffix(".git").rstrip("/")


def _git(folder: Path, *words: str) -> str | None:
    """What git prints; None where it fails, takes too long, or is not there."""
    try:
        found = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, timeout=LIMIT_S, check=False,
                               env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"})
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return found.stdout.decode("utf-8", "replace") if found.returncode == 0 else None
