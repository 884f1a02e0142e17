"""What a script of scripts.py answers, read from any link, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DeviceError
from bench.transports.files import disk_full, grows, too_large, whole_file
from bench.transports.text import printable

LONGEST_ANSWER = 1 << 20
MOST_CHATTER = 16 << 20
"""Bytes that a login shell may print before a script answers."""
LONGEST_REASON = 300
"""Bytes of the words of a shell that ran nothing: their end says why."""
OTHER_OUTPUT = 1 << 10
"""Bytes of output that is no answer that are kept: the last ones."""

_DF = re.compile(r"\s(\d+)\s+(-?\d+)\s+(-?[0-9]{1,18})\s+\d+%\s")


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
    other: bytes = b""
    """The last of what came on standard output and was no answer: a login shell's greeting, or its refusal."""

    def answer(self) -> list[str]:
        """The next answer's words, e.g. ["have"]; none when the script ended without one.

        Raises DeviceError where something else is printed without an end.
        """
        chatter = 0
        while True:
            line, newline, self.rest = self.rest.partition(b"\n")
            if newline and self.mark in line:
                return line.partition(self.mark)[2].decode("utf-8", "replace").split(maxsplit=1)
            self.other = (self.other + line + newline)[-OTHER_OUTPUT:] if newline else self.other
            if newline:
                continue
            self.rest = line[-LONGEST_ANSWER:]
            data = self.receive()
            if not data:
                self.other = (self.other + line)[-OTHER_OUTPUT:]
                return []
            self.rest += data
            chatter += len(data)
            if chatter > MOST_CHATTER:
                raise DeviceError(f"{self.where}: its shell printed more than {MOST_CHATTER >> 20} MiB and no answer",
                                  hint="see what its login shell's start-up files print")

    def said(self) -> str:
        """What the script's tools wrote to standard error, fit to show."""
        return printable(self.errors()).strip() or "no reason given"


def first_answer(talk: Talk) -> list[str]:
    """The answer that a script gives once it runs. Raises DeviceError when none came: it was not run at all."""
    answer = talk.answer()
    if answer:
        return answer
    said = "; ".join(printable(talk.errors() + talk.other, LONGEST_REASON).split("\n")).strip("; ")
    raise DeviceError(f"{talk.where}: the account there does not run commands; it said: {said or 'nothing'}",
                      hint="log in by hand and see; a login shell must know `exec` and single quotes, as sh, fish and "
                           "csh do")


def receive_file(talk: Talk, remote: str, local: Path, most: int) -> None:
    """Take what the script PULL sends into `local`, whole or not at all, and no more than `most` bytes of it.

    Raises DeviceError, InfrastructureError.
    """
    answer = first_answer(talk)
    if answer[:1] == ["missing"]:
        raise DeviceError(f"{talk.where}: there is no file {remote}")
    if answer[:1] == ["irregular"]:
        raise DeviceError(f"{talk.where}: cannot read {remote}: it is no regular file")
    if len(answer) != 2 or answer[0] != "size" or not re.fullmatch("[0-9]{1,18}", answer[1].strip()):
        raise DeviceError(f"{talk.where}: cannot read {remote}: {talk.said()}")
    size = int(answer[1])
    if size > most:
        raise too_large(f"{talk.where}: {remote}", size, most)
    with whole_file(local) as file:
        file.write(talk.rest[: size + 1])
        received = len(talk.rest)
        while received <= size and (data := talk.receive()):
            file.write(data)
            received += len(data)
        if received > size:
            raise grows(f"{talk.where}: {remote}", size)
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
