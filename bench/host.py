"""What the host itself has to give: descriptors, processes, memory, disk; and what to say when it has no more."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.errors import BenchError, InfrastructureError

MOST_DESCRIPTORS: Final = 1 << 16
"""Enough for thousands of devices; programs that walk over all descriptors are slow with a million of them."""
OWN_DESCRIPTORS: Final = 48
"""For the store, the cache, reports and what a Python has open anyway."""
DEVICE_DESCRIPTORS: Final = 16
"""A device holds 3 to 6 of them; starting its agent and copying files take about 10 more for a moment."""
_SHORT: Final = {
    errno.EMFILE: ("this host lets bench open no more files", "raise the limit of open files: ulimit -n"),
    errno.ENFILE: ("this host can open no more files", "end what holds many, or raise fs.file-max"),
    errno.EAGAIN: ("this host can start no more processes or threads", "end some, or raise the limit: ulimit -u"),
    errno.ENOMEM: ("this host has no memory left", "end what takes it, or measure fewer devices at once"),
    errno.ENOSPC: ("a disk of this host is full", "free space there"),
    errno.EDQUOT: ("the quota on a disk of this host is used up", "free space there"),
    errno.EROFS: ("a disk of this host cannot be written any more", "mount it writable"),
    errno.EFBIG: ("a file is larger than this host allows", "raise the limit: ulimit -f"),
    errno.EIO: ("a disk of this host fails", "see the system's log (dmesg)"),
}


def as_told(error: BaseException) -> BenchError | None:
    """What an error is told as: one of ours as itself, but what this host lacks, or a disk of it that fails, as just
    that, whatever it was taken for; None for any other."""
    if isinstance(error, InfrastructureError) or not isinstance(error, BenchError):
        return error if isinstance(error, BenchError) else _shortage(error)
    cause = error.__cause__ or error.__context__
    while cause is not None:
        found = None if isinstance(cause, BlockingIOError) else _shortage(cause)  # a lock that others hold
        if found is not None:
            return InfrastructureError(error.message, hint=found.hint, log=error.log)
        cause = cause.__cause__ or cause.__context__
    return error


@contextmanager
def shortages_told() -> Iterator[None]:
    """Raise what this host lacks, or a disk of it that fails, as InfrastructureError; all else as it is."""
    try:
        yield
    except Exception as error:
        told = as_told(error)
        if told is None or told is error:
            raise
        raise told from error


def _shortage(error: BaseException) -> InfrastructureError | None:
    if isinstance(error, MemoryError):
        return _told(errno.ENOMEM, str(error))
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return _told(errno.EAGAIN, str(error))
    if isinstance(error, OSError) and error.errno in _SHORT:
        words = os.strerror(error.errno)
        return _told(error.errno, f"{words}: {error.filename}" if error.filename else words)
    return None


def is_shortage(text: str) -> bool:
    """Whether the words of a program, native code's too, are those of a host that lacks something or a failing disk."""
    return any(os.strerror(number).lower() in text.lower() for number in _SHORT if number != errno.EAGAIN)


def _told(number: int, detail: str) -> InfrastructureError:
    what, hint = _SHORT[number]
    return InfrastructureError(f"{what} ({detail})" if detail else what, hint=hint)


def raise_descriptor_limit() -> None:
    """Let this process open as many files as it may, up to `MOST_DESCRIPTORS`; its children too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def devices_at_once() -> int:
    """How many devices the limit of open files allows to be measured at once, at least 1."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit = MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return max(1, (limit - OWN_DESCRIPTORS) // DEVICE_DESCRIPTORS)
