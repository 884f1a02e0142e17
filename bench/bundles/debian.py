"""Debian packages of another architecture, fetched by this machine's own apt without touching its packages.

apt runs with a configuration, lists and a package status of its own; mirrors and keys are those that this machine
already trusts for Debian, and apt checks every signature and hash as usual.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError, DeadlineExceeded, InfrastructureError

RELEASE = "bookworm"
UPDATE_WITHIN_S = 300.0
FETCH_WITHIN_S = 900.0
_ELSEWHERE = "make it on a Debian machine, and bring it here: bench bundle build --from FILE"
_TOOLS = ("apt-get", "apt-cache", "dpkg-deb")


@dataclass(frozen=True)
class DebianPackage:
    """A fetched package: its name, version, and file."""

    name: str
    version: str
    path: Path

    def unpack(self, folder: Path) -> None:
        """Extract its files into `folder`; no script of it is run. Raises InfrastructureError."""
        folder.mkdir(parents=True, exist_ok=True)
        _run(["dpkg-deb", "--extract", str(self.path), str(folder)], {}, UPDATE_WITHIN_S)


def fetch(names: Sequence[str], architecture: str, folder: Path) -> list[DebianPackage]:
    """The named packages and what they depend on, downloaded into `folder`, sorted by name.

    What lies in `folder` already is not downloaded again. Raises ConfigError (no apt here, no Debian mirror known),
    InfrastructureError (a download failed).
    """
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise ConfigError(f"a bundle is made from Debian packages, and this machine has no {' or '.join(missing)}",
                          hint=_ELSEWHERE)
    environment = {"APT_CONFIG": str(_configured(architecture, folder))}
    _download(names, environment, bool(list((folder / "state" / "lists").glob("*_Packages*"))))
    wanted = _run(["apt-get", "--quiet", "--yes", "--simulate", "install", *names], environment, UPDATE_WITHIN_S)
    return sorted((_package(line, folder) for line in wanted.splitlines() if line.startswith("Inst ")),
                  key=lambda package: package.name)


def _download(names: Sequence[str], environment: dict[str, str], listed: bool) -> None:
    """By the lists that are there, and once more by new ones: mirrors drop a package when they have a newer one."""
    command = ["apt-get", "--quiet", "--yes", "--download-only", "install", *names]
    if listed:
        try:
            _run(command, environment, FETCH_WITHIN_S)
            return
        except DeadlineExceeded:
            raise
        except InfrastructureError:
            pass
    _run(["apt-get", "--quiet", "update"], environment, UPDATE_WITHIN_S)
    _run(command, environment, FETCH_WITHIN_S)


def _package(line: str, folder: Path) -> DebianPackage:
    """From apt's `Inst NAME (VERSION ORIGIN [ARCHITECTURE])`."""
    words = line.split()
    name, version = words[1].partition(":")[0], words[2].lstrip("(")
    (path,) = (folder / "archives").glob(f"{name}_{version.replace(':', '%3a')}_*.deb")
    return DebianPackage(name, version, path)


def _configured(architecture: str, folder: Path) -> Path:
    """apt's configuration file of a private root under `folder`, made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for made in ("state/lists/partial", "archives/partial", "none"):
        (folder / made).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text("".join(_sources()))
    settings = {
        "APT::Architecture": architecture, "APT::Install-Recommends": "false", "APT::Sandbox::User": "",
        "Acquire::Languages": "none", "Acquire::Retries": "3", "Acquire::http::Timeout": "30",
        "Dir::State": f"{folder}/state", "Dir::State::status": f"{folder}/status", "Dir::Cache": str(folder),
        "Dir::Cache::archives": f"{folder}/archives", "Dir::Etc::main": f"{folder}/none/main",
        "Dir::Etc::Parts": f"{folder}/none", "Dir::Etc::SourceList": f"{folder}/sources.list",
        "Dir::Etc::SourceParts": f"{folder}/none", "Dir::Etc::Preferences": f"{folder}/none/preferences",
        "Dir::Etc::PreferencesParts": f"{folder}/none",
    }
    lines = [f'{key} "{value}";\n' for key, value in settings.items()]
    configuration = folder / "apt.conf"
    configuration.write_text(f'APT::Architectures {{"{architecture}";}};\n' + "".join(lines))
    return configuration


def _sources() -> list[str]:
    """A line of sources.list for each Debian suite of this release that this machine knows. Raises ConfigError."""
    known = _run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(REPO_URI) $(CODENAME)",
                  "Created-By: Packages"], {}, UPDATE_WITHIN_S)
    rows = [line.split() for line in known.splitlines()]
    found = {(row[2], row[3]) for row in rows
             if len(row) == 4 and row[:2] == ["Debian", "main"] and row[3].partition("-")[0] == RELEASE}
    if not found:
        raise ConfigError(f"a bundle is made from packages of Debian {RELEASE}, and this machine's apt knows no mirror "
                          "of it", hint=_ELSEWHERE)
    return [f"deb {url} {suite} main\n" for url, suite in sorted(found)]


def _run(argv: list[str], environment: dict[str, str], within_s: float) -> str:
    """What the command printed. Raises InfrastructureError with its last words, DeadlineExceeded."""
    try:
        done = subprocess.run(argv, env={**os.environ, "LC_ALL": "C", **environment}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=within_s, check=False)
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(f"{argv[0]}: no end within {within_s:g} s") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise InfrastructureError(f"{argv[0]} failed: {said[-1] if said else 'no reason given'}",
                                  hint="check that this machine reaches its Debian mirror")
    return done.stdout
