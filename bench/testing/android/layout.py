"""The phone's files on this machine, and how they follow its profile.

    FOLDER/root     what the phone sees as /: read-only there, so only this machine changes it
    FOLDER/proc     files shown in place of the kernel's own in /proc
    FOLDER/data     where /data is mounted, in the phone's namespaces only
    FOLDER/binfmt   where binfmt_misc is mounted, there as well
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from bench.testing.android import answers
from bench.testing.android.profiles import Profile
from bench.testing.android.programs import TOOLS, Programs

BOOT_ID = "sys/kernel/random/boot_id"
IN_PROC = ("cpuinfo", BOOT_ID)
_MOUNT_POINTS = ("data", "dev", "proc", "storage/emulated/0")
_LINKS = {"bin": "/system/bin", "etc": "/system/etc", "sdcard": "/storage/emulated/0"}
_SCRIPTS = Path(__file__).parent / "bin"


def make_files(folder: Path, programs: Programs, profile: Profile) -> None:
    """Lay out a new phone in `folder`, which is empty or missing."""
    root = folder / "root"
    for name in ("binfmt", "data", *(f"root/{name}" for name in (*_MOUNT_POINTS, "apex", "product/bin", "vendor/bin"))):
        _folder(folder, name)
    for name, target in _LINKS.items():
        (root / name).symlink_to(target)
    _put(root, "system/bin/sh", programs.shell.read_bytes(), 0o755)
    _put(root, "system/tools/busybox", programs.tools.read_bytes(), 0o755)
    for name in TOOLS:
        (root / "system/bin" / name).symlink_to("/system/tools/busybox")
    for script in _SCRIPTS.iterdir():
        _put(root, f"system/bin/{script.name}", script.read_bytes(), 0o755)
    _put(root, "system/etc/hosts", b"127.0.0.1       localhost\n::1             ip6-localhost\n")
    _put(folder, "proc/cpuinfo", answers.cpuinfo(profile).encode())
    show(folder, profile)


def new_boot_id(folder: Path) -> str:
    """Give the next boot an id of its own."""
    chosen = str(uuid.uuid4())
    _put(folder, f"proc/{BOOT_ID}", f"{chosen}\n".encode())
    return chosen


def show(folder: Path, profile: Profile) -> None:
    """Let the phone tell what the profile says; a file changes as a whole, so no reader sees half of one."""
    texts = answers.answers(profile) | {"properties": answers.properties(profile)}
    _replace_all(folder / "root/vendor/answers", texts)
    _replace_all(folder / "root/sys", answers.system_files(profile))
    for number, zone in enumerate(profile.zones):
        if not zone.readable:
            (folder / f"root/sys/class/thermal/thermal_zone{number}/temp").chmod(0o600)


def _replace_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Make `folder` hold these files and no others; those that stay the same are left alone."""
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            _put(folder, name, text.encode())
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if str(path.relative_to(folder)) not in texts:
            path.unlink()


def _put(folder: Path, name: str, content: bytes, mode: int = 0o644) -> None:
    """Write a file that everybody on the phone may read, whatever this machine's umask is."""
    path = folder / name
    _folder(folder, str(Path(name).parent))
    part = path.with_name(f".{path.name}")
    part.write_bytes(content)
    part.chmod(mode)
    shutil.move(part, path)


def _folder(base: Path, name: str) -> None:
    for folder in (base, *(base / part for part in reversed(Path(name).parents)), base / name):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
