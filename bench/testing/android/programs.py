"""The phone's programs: Android's own shell and the tools that Android has, from Debian's static arm64 packages."""

from __future__ import annotations

import fcntl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.bundles.debian import fetch

ARCHITECTURE = "arm64"
_PACKAGES = ("mksh", "busybox-static")
_ITSELF = b"/proc/self/exe\0", b"/proc/self/---\0"
"""What busybox runs where it is to run a tool, instead of the file in PATH; with the second it finds the file."""

TOOLS = tuple((Path(__file__).parent / "tools.txt").read_text().split())
"""What a phone of Android 10 has in /system/bin and Debian's static busybox knows too: no wget, no vi, no xz."""


@dataclass(frozen=True)
class Programs:
    """Two static arm64 programs: mksh, and a busybox that answers to the names of `TOOLS`."""

    shell: Path
    tools: Path


def programs(folder: Path) -> Programs:
    """Those in `folder`, downloaded by this machine's apt when they are not there yet.

    Raises ConfigError (no apt, or no Debian mirror known), InfrastructureError (a download failed).
    """
    found = Programs(folder / "mksh", folder / "busybox")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (found.shell.exists() and found.tools.exists()):
            _download(found, folder)
    return found


def _download(wanted: Programs, folder: Path) -> None:
    packages = {package.name: package for package in fetch(_PACKAGES, ARCHITECTURE, folder / "debian")}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for name in _PACKAGES:
            packages[name].unpack(Path(scratch))
        tools = Path(scratch) / "bin/busybox"
        tools.write_bytes(tools.read_bytes().replace(*_ITSELF))
        tools.replace(wanted.tools)
        (Path(scratch) / "usr/lib/aarch64-linux-musl/bin/mksh").replace(wanted.shell)
