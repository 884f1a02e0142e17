"""What a machine must have for the phone."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

QEMU = "qemu-aarch64-static"
IDS = 65536
"""Users and groups that the phone has, under the numbers that they have on this machine."""
_TOOLS = {QEMU: "qemu-user-static", "env": "coreutils", "nsenter": "util-linux", "setpriv": "util-linux",
          "setsid": "util-linux", "unshare": "util-linux"}
_SYS_ADMIN = 1 << 21


def why_not() -> str:
    """The reason why no phone can be started here, or an empty string."""
    if sys.platform != "linux":
        return "needs Linux"
    missing = [f"{tool} (Debian: {package})" for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    version = tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])
    if version < (6, 7):
        return f"needs Linux 6.7, where each user namespace has a binfmt_misc of its own; this is {platform.release()}"
    if not re.search(r"\sbinfmt_misc$", Path("/proc/filesystems").read_text(), re.MULTILINE):
        return "needs the kernel module binfmt_misc (as root: modprobe binfmt_misc)"
    if not _is_root():
        return "needs root with all its rights, to give the phone's processes users of their own"
    tried = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "--uts", "--net", "--pid", "--fork",
                            "--mount-proc", "true"], capture_output=True, text=True, check=False)
    return f"this machine allows no namespaces: {tried.stderr.strip()}" if tried.returncode else ""


def _is_root() -> bool:
    rights = re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    first, _, count = Path("/proc/self/uid_map").read_text().split()[:3]
    return (os.geteuid() == 0 and rights is not None and bool(int(rights[1], 16) & _SYS_ADMIN)
            and int(first) == 0 and int(count) >= IDS)
