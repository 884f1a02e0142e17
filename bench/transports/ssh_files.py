"""Files over an SSH link: one session each, whose far end is a script of scripts.py."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import paramiko

from bench.deadline import Deadline
from bench.transports.base import next_sign
from bench.transports.files import disk_full, source_file
from bench.transports.quoting import check_remote, command_line
from bench.transports.scripts import PULL, PUSH
from bench.transports.ssh_link import LINK_ERRORS, Link
from bench.transports.talk import Talk, failure, first_answer, folder_of, free_bytes, receive_file

CHUNK = 1 << 18


@dataclass(frozen=True)
class _Session:
    """The SSH session that a script talks over."""

    link: Link
    channel: paramiko.Channel
    deadline: Deadline
    doing: str

    def receive(self) -> bytes:
        return self.link.receive(self.channel, CHUNK, next_sign(self.deadline), self.doing)

    def errors(self) -> bytes:
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
        return said


def push(link: Link, local: Path, remote: str, deadline: Deadline) -> int:
    """Bytes sent: the file's size, or 0 when it lay there already. Raises what `Transport.push` says."""
    check_remote(remote)
    doing = f"push of {remote}"
    with source_file(local) as (file, size, digest), \
            _talk(link, PUSH, [remote, str(size), digest], deadline, doing) as (session, talk):
        answer = first_answer(talk)
        if answer == ["have"]:
            return 0
        if answer[:1] != ["need"]:
            raise failure(talk, answer, remote, size)
        free = free_bytes(answer)
        if free is not None and free < size:
            link.end_input(session.channel)
            talk.answer()  # so that its clearing up is over
            raise disk_full(folder_of(remote), size, free)
        _send(session, file)
        answer = talk.answer()
        if answer != ["done"]:
            raise failure(talk, answer, remote, size)
        return size


def pull(link: Link, remote: str, local: Path, deadline: Deadline, most: int) -> None:
    """Raises what `Transport.pull` says; no file is left at `local` then."""
    check_remote(remote)
    with _talk(link, PULL, [remote], deadline, f"pull of {remote}") as (_, talk):
        receive_file(talk, remote, local, most)


@contextmanager
def _talk(link: Link, script: str, arguments: Sequence[str], deadline: Deadline,
          doing: str) -> Iterator[tuple[_Session, Talk]]:
    mark = f"bench-{secrets.token_hex(8)}"
    line = command_line(["sh", "-c", script, "bench", mark, *arguments])
    session = _Session(link, link.session(line, deadline), deadline, doing)
    with link.bounded(deadline, doing, session.channel):
        try:
            yield session, Talk(link.where, f"{mark} ".encode(), session.receive, session.errors)
        finally:
            session.channel.close()


def _send(session: _Session, file: BinaryIO) -> None:
    """Send the file's bytes and their end. Stops early when the script answers meanwhile: it has failed."""
    link, channel = session.link, session.channel
    try:
        while (data := file.read(CHUNK)) and not channel.recv_ready():
            link.send(channel, data, next_sign(session.deadline), session.doing)
            session.deadline.check(f"{link.where}: {session.doing}")
        link.end_input(channel)
    except LINK_ERRORS:
        if not channel.closed:
            raise
        # The far end closed the session: the script has failed and its answer is here, or the link is cut and the
        # wait for the answer says so.
