"""The board's file system: Debian packages laid out without running any script of theirs, and what those would make."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bench.bundles.debian import DebianPackage
from bench.errors import InfrastructureError

PACKAGES = ("base-files", "base-passwd", "bash", "busybox-static", "coreutils", "dash", "findutils", "grep", "gzip",
            "libc-bin", "libstdc++6", "openssh-server", "procps", "python3", "sed", "tar", "util-linux", "xz-utils")
"""A small Debian with the Python that Debian has: neither numpy nor any runtime."""

USER = "bench"
DISK_BYTES = 3 << 30
"""As the board sees it; on this machine the file holds only what was written."""
MKFS_WITHIN_S = 120.0
_HERE = Path(__file__).parent


def make_root(packages: Iterable[DebianPackage], folder: Path, host_key: Path, authorized: Path) -> None:
    """Lay out the board's files in `folder`. Raises InfrastructureError.

    `host_key` is the private key that the board shows (its public half beside it), `authorized` the public key that
    logs in.
    """
    for package in packages:
        package.unpack(folder)
    for made in ("dev", "proc", "sys", "run", "tmp", f"home/{USER}/.ssh"):
        (folder / made).mkdir(parents=True, exist_ok=True)
    masters, etc = folder / "usr/share/base-passwd", folder / "etc"
    account = f"{USER}:*:1000:1000::/home/{USER}:/bin/bash\nsshd:*:100:65534::/run/sshd:/usr/sbin/nologin\n"
    (etc / "passwd").write_text((masters / "passwd.master").read_text() + account)
    (etc / "group").write_text((masters / "group.master").read_text() + f"{USER}:*:1000:\n")
    (etc / "hostname").write_text("board\n")
    (etc / "hosts").write_text("127.0.0.1 localhost board\n")
    shutil.copy(_HERE / "sshd_config", etc / "ssh/sshd_config")
    for suffix in ("", ".pub"):
        shutil.copy(host_key.with_suffix(suffix), etc / f"ssh/ssh_host_ed25519_key{suffix}")
    shutil.copy(authorized, folder / f"home/{USER}/.ssh/authorized_keys")
    start = folder / "sbin/init"
    shutil.copy(_HERE / "start.sh", start)
    start.chmod(0o755)


def make_disk(root: Path, disk: Path) -> None:
    """An ext4 file system at `disk` that holds `root`. Raises InfrastructureError."""
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    # Tables that are left for the board's kernel to clear would keep it busy for minutes after its start.
    options = ["-q", "-F", "-m", "0", "-L", "board", "-E", "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"]
    done = subprocess.run(["mkfs.ext4", *options, "-d", str(root), str(disk)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=MKFS_WITHIN_S, check=False)
    if done.returncode != 0:
        raise InfrastructureError(f"mkfs.ext4 made no disk for the board: {done.stderr.strip()}")
