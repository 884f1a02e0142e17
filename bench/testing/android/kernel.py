"""The few system calls for namespaces and mounts that Python 3.11 does not offer. Each raises OSError."""

from __future__ import annotations

import ctypes
import os

NEW_USER, NEW_MOUNTS, NEW_PIDS, NEW_NAMES, NEW_NET = 0x10000000, 0x20000, 0x20000000, 0x4000000, 0x40000000
READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, PRIVATE = 0x1, 0x2, 0x4, 0x8, 0x20, 0x1000, 0x44000
"""Flags of `mount`; PRIVATE holds for the whole tree."""
DETACH = 0x2
_DIE_WITH_PARENT, _SIGKILL, _PIVOT_ROOT = 1, 9, {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Give this process namespaces of its own; NEW_PIDS only holds for the children it has from now on."""
    _check(_libc.unshare(flags), "unshare")


def children_enter_pids(namespace: int) -> None:
    """The next children of the calling thread are born in the pid namespace of this descriptor."""
    _check(_libc.setns(namespace, NEW_PIDS), "setns")


def die_with_parent() -> None:
    """Be killed when the thread that made this process ends."""
    _check(_libc.prctl(_DIE_WITH_PARENT, _SIGKILL, 0, 0, 0), "prctl")


def mount(source: str, target: str, kind: str | None, flags: int = 0, options: str = "") -> None:
    """As mount(2)."""
    _check(_libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags),
                       options.encode()), target)


def bind(source: str, target: str, flags: int = 0) -> None:
    """Show a file or folder at another place as well; there with further flags (READ_ONLY, NO_EXEC ...)."""
    mount(source, target, None, BIND)
    if flags:
        # What the place itself forbids may not be allowed again from within a user namespace.
        kept = os.statvfs(target).f_flag & (READ_ONLY | NO_SETUID | NO_DEVICES | NO_EXEC)
        mount("none", target, None, REMOUNT | BIND | kept | flags)


def enter_root(folder: str) -> None:
    """Make the mount at `folder` the root of this mount namespace, and let go of the old one."""
    os.chdir(folder)
    _check(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", DETACH), "umount")
    os.chdir("/")


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)
