"""Wheels that the host pushed for this very Python: unpacked folders that join the end of sys.path.

    WORKDIR/wheels/cp311-aarch64/numpy-2.4.6-0123456789ab/   what a wheel holds, named by its content

At the end, so that whatever the device has installed itself wins.
"""

from __future__ import annotations

import glob
import os
import platform
import struct
import sys
import sysconfig
from typing import Optional

VARIABLE = "BENCH_WHEELS"
"""Names the folder `wheels` to the worker."""

_NARROW = {"aarch64": "armv7l", "x86_64": "i686"}


def machine() -> str:
    """The processor that this Python was built for: a 64-bit kernel also runs 32-bit ones."""
    name = platform.machine()
    return _NARROW.get(name, name) if struct.calcsize("P") == 4 else name


def abi() -> str:
    """`cp311`, `cp313t` without a global lock; other implementations by their own name."""
    name = "cp" if sys.implementation.name == "cpython" else sys.implementation.name
    threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return "{}{}{}{}".format(name, sys.version_info[0], sys.version_info[1], threads)


def tag() -> str:
    """The folder of the wheels that fit this Python: `cp311-aarch64`."""
    return "{}-{}".format(abi(), machine())


def use_wheels(workdir: Optional[str] = None) -> None:
    """Append the wheels under `workdir` that fit to sys.path, and let workers inherit where they are.

    Without `workdir` it is what was inherited. Folders still being unpacked are left out.
    """
    root = os.path.join(workdir, "wheels") if workdir else os.environ.get(VARIABLE)
    if not root:
        return
    os.environ[VARIABLE] = root
    for folder in sorted(glob.glob(os.path.join(glob.escape(root), tag(), "*", ""))):
        folder = folder.rstrip(os.sep)
        if not folder.endswith(".part") and folder not in sys.path:
            sys.path.append(folder)
