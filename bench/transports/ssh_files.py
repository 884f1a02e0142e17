"""Files over an SSH link: one session each, whose far end is a script of scripts.py."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import paramiko

from bench.deadline import Deadline
from bench.errors import DeviceError
from bench.transports.files import disk_full, source_file, whole_file
from bench.transports.quoting import check_remote, command_line
from bench.transports.scripts import PULL, PUSH
from bench.transports.ssh_link import LINK_ERRORS, Link
from bench.transports.text import printable

CHUNK = 1 << 18
LONGEST_ANSWER = 1 << 20

_DF = re.compile(r"\s(\d+)\s+(-?\d+)\s+(-?\d+)\s+\d+%\s")


@dataclass
class _Talk:
    """One script's session: its marked answers, its errors, and the bytes that came after an answer."""

    link: Link
    channel: paramiko.Channel
    mark: bytes
    deadline: Deadline
    doing: str
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
            data = self.link.receive(self.channel, CHUNK, self.deadline, self.doing)
            if not data:
                return []
            self.rest += data

    def said(self) -> str:
        """What the script's tools wrote to standard error, once it has ended."""
        said = b""
        while len(said) < 4096:
            try:
                data = self.channel.recv_stderr(4096)
            except TimeoutError:
                self.deadline.check(f"{self.link.where}: {self.doing}")
                continue
            if not data:
                break
            said += data
        return printable(said).strip() or "no reason given"


def push(link: Link, local: Path, remote: str, deadline: Deadline) -> int:
    """Bytes sent: the file's size, or 0 when it lay there already. Raises what `Transport.push` says."""
    check_remote(remote)
    with source_file(local) as (file, size, digest), _talk(link, PUSH, [remote, str(size), digest], deadline,
                                                           f"push of {remote}") as talk:
        answer = talk.answer()
        if answer == ["have"]:
            return 0
        if answer[:1] != ["need"]:
            raise _failure(talk, answer, remote, size)
        free = _free_bytes(answer)
        if free is not None and free < size:
            talk.link.end_input(talk.channel)
            talk.answer()  # so that its clearing up is over
            raise disk_full(_folder(remote), size, free)
        _send(talk, file)
        answer = talk.answer()
        if answer != ["done"]:
            raise _failure(talk, answer, remote, size)
        return size


def pull(link: Link, remote: str, local: Path, deadline: Deadline) -> None:
    """Raises what `Transport.pull` says; no file is left at `local` then."""
    check_remote(remote)
    with _talk(link, PULL, [remote], deadline, f"pull of {remote}") as talk:
        answer = talk.answer()
        if answer[:1] == ["missing"]:
            raise DeviceError(f"{link.where}: there is no file {remote}")
        if answer[:1] != ["size"]:
            raise DeviceError(f"{link.where}: cannot read {remote}: {talk.said()}")
        size = int(answer[1])
        with whole_file(local) as file:
            file.write(talk.rest)
            received = len(talk.rest)
            while data := link.receive(talk.channel, CHUNK, deadline, talk.doing):
                file.write(data)
                received += len(data)
            if received != size:
                raise DeviceError(f"{link.where}: {remote} has {size} bytes, but {received} came: {talk.said()}",
                                  hint="it may have changed while it was read: try again")


@contextmanager
def _talk(link: Link, script: str, arguments: Sequence[str], deadline: Deadline, doing: str) -> Iterator[_Talk]:
    mark = f"bench-{secrets.token_hex(8)}"
    line = command_line(["sh", "-c", script, "bench", mark, *arguments])
    channel = link.session(line, deadline)
    with link.bounded(deadline, doing, channel):
        try:
            yield _Talk(link, channel, f"{mark} ".encode(), deadline, doing)
        finally:
            channel.close()


def _send(talk: _Talk, file: BinaryIO) -> None:
    """Send the file's bytes and their end. Stops early when the script answers meanwhile: it has failed."""
    try:
        while (data := file.read(CHUNK)) and not talk.channel.recv_ready():
            talk.link.send(talk.channel, data, talk.deadline, talk.doing)
            talk.deadline.check(f"{talk.link.where}: {talk.doing}")
        talk.link.end_input(talk.channel)
    except LINK_ERRORS:
        if not talk.channel.closed:
            raise
        # The far end closed the session: the script has failed and its answer is here, or the link is cut and the
        # wait for the answer says so.


def _failure(talk: _Talk, answer: list[str], remote: str, size: int) -> DeviceError:
    """The error that an answer other than the hoped-for stands for."""
    kind, where = (answer or ["nothing"])[0], talk.link.where
    hint = f"make it writable, or point `workdir` of this device elsewhere than {_folder(remote)}"
    if kind == "folder":
        return DeviceError(f"{where}: cannot write {remote}: it is a folder")
    if kind == "mkdir":
        return DeviceError(f"{where}: cannot make the folder {_folder(remote)}: {talk.said()}", hint=hint)
    said = talk.said()
    if kind == "write" and ("space" in said or "quota" in said):
        return disk_full(_folder(remote), size, _free_bytes(answer))
    if kind == "hash" and len(answer) == 1:
        return DeviceError(f"{where}: cannot check {remote}: no sha256sum, busybox, shasum, openssl or python3 there",
                           hint="install one of them on the device")
    if kind in ("hash", "short"):
        return DeviceError(f"{where}: {remote} did not arrive whole: its size or sha256 differs ({said})",
                           hint="check the device's disk (`dmesg` there), then try again")
    return DeviceError(f"{where}: cannot write {remote}: {said}", hint=hint)


def _free_bytes(answer: list[str]) -> int | None:
    """The free bytes in an answer that ends with a line of `df -Pk`."""
    found = _DF.search(" ".join(answer))
    return int(found[3]) * 1024 if found else None


def _folder(remote: str) -> str:
    return remote.rpartition("/")[0] or "/"

