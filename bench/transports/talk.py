"""What a script of scripts.py answers, read from any link, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DeviceError
from bench.transports.files import disk_full, whole_file
from bench.transports.text import printable

LONGEST_ANSWER = 1 << 20

_DF = re.compile(r"\s(\d+)\s+(-?\d+)\s+(-?\d+)\s+\d+%\s")


@dataclass
class Talk:
    """One run of a script: its marked answers, its errors, and the bytes that came after an answer."""

    where: str
    mark: bytes
    receive: Callable[[], bytes]
    """The next bytes of its standard output; b"" at its end."""
    errors: Callable[[], bytes]
    """What it wrote to standard error, once it has ended."""
    rest: bytes = b""

    def answer(self) -> list[str]:
        """The next answer's words, e.g. ["have"]; none when the script ended without one."""
        while True:
            line, newline, self.rest = self.rest.partition(b"\n")
            if newline and self.mark in line:
                return line.partition(self.mark)[2].decode("utf-8", "replace").split(maxsplit=1)
            if newline:
                continue
            self.rest = line[-LONGEST_ANSWER:]
            data = self.receive()
            if not data:
                return []
            self.rest += data

    def said(self) -> str:
        """What the script's tools wrote to standard error, fit to show."""
        return printable(self.errors()).strip() or "no reason given"


def receive_file(talk: Talk, remote: str, local: Path) -> None:
    """Take what the script PULL sends into `local`, whole or not at all. Raises DeviceError, InfrastructureError."""
    answer = talk.answer()
    if answer[:1] == ["missing"]:
        raise DeviceError(f"{talk.where}: there is no file {remote}")
    if answer[:1] != ["size"]:
        raise DeviceError(f"{talk.where}: cannot read {remote}: {talk.said()}")
    size = int(answer[1])
    with whole_file(local) as file:
        file.write(talk.rest)
        received = len(talk.rest)
        while data := talk.receive():
            file.write(data)
            received += len(data)
        if received != size:
            raise DeviceError(f"{talk.where}: {remote} has {size} bytes, but {received} came: {talk.said()}",
                              hint="it may have changed while it was read: try again")


def failure(talk: Talk, answer: list[str], remote: str, size: int) -> DeviceError:
    """The error that an answer of a pushing script, other than the hoped-for, stands for. `size` in bytes."""
    kind, where = (answer or ["nothing"])[0], talk.where
    if kind == "folder":
        return DeviceError(f"{where}: cannot write {remote}: it is a folder")
    if kind == "mkdir":
        return DeviceError(f"{where}: cannot make the folder {folder_of(remote)}: {talk.said()}", hint=_movable(remote))
    if kind == "write":
        return write_failure(where, remote, size, talk.said(), free_bytes(answer))
    if kind == "hash" and len(answer) == 1:
        return DeviceError(f"{where}: cannot check {remote}: no sha256sum, busybox, shasum, openssl or python3 there",
                           hint="install one of them on the device")
    if kind in ("hash", "short"):
        return DeviceError(f"{where}: {remote} did not arrive whole: its size or sha256 differs ({talk.said()})",
                           hint="check the device's disk (`dmesg` there), then try again")
    return write_failure(where, remote, size, talk.said(), None)


def write_failure(where: str, remote: str, size: int, said: str, free: int | None) -> DeviceError:
    """The error of a file that could not be written, for a reason in the device's words. Sizes in bytes."""
    if "space" in said or "quota" in said:
        return disk_full(folder_of(remote), size, free)
    return DeviceError(f"{where}: cannot write {remote}: {said}", hint=_movable(remote))


def free_bytes(answer: list[str]) -> int | None:
    """The free bytes in an answer that ends with a line of `df -Pk`."""
    found = _DF.search(" ".join(answer))
    return int(found[3]) * 1024 if found else None


def folder_of(remote: str) -> str:
    """The folder that a file on a device lies in."""
    return remote.rpartition("/")[0] or "/"


def _movable(remote: str) -> str:
    return f"make it writable, or point `workdir` of this device elsewhere than {folder_of(remote)}"
