"""Files on a phone: sent to a name of their own by the sync service, admitted and put in place by a script."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, DeviceError
from bench.transports.adb_link import Link
from bench.transports.adb_process import AdbProcess
from bench.transports.adb_sync import Rejected, send_file
from bench.transports.background import in_background
from bench.transports.base import complete, next_sign
from bench.transports.files import cannot_read, disk_full, opened, sha256_of
from bench.transports.quoting import check_remote, command_line
from bench.transports.scripts import ADMIT, CLEAR, PULL
from bench.transports.talk import Talk, failure, folder_of, free_bytes, receive_file, write_failure

FOLLOWED_BYTES = 8 << 20
"""From this size on, the phone hashes a file while it grows: over a fast link, hashing takes as long as sending."""
CLEAR_LIMIT_S = 3.0
END_GRACE_S = 0.2


@dataclass(frozen=True)
class _Push:
    """One file on its way."""

    link: Link
    file: BufferedReader
    size: int
    hashed: Future[str]
    local: Path
    remote: str
    part: str
    deadline: Deadline

    @property
    def doing(self) -> str:
        return f"push of {self.remote}"

    def digest(self) -> str:
        """The sha256 of the file here. Raises ConfigError, DeadlineExceeded."""
        try:
            return self.hashed.result(self.deadline.check(f"{self.link.where}: {self.doing}"))
        except TimeoutError as error:
            raise DeadlineExceeded(f"{self.local} was not hashed within {self.deadline.seconds:g} s") from error
        except OSError as error:
            raise cannot_read(self.local, error) from error


def push(link: Link, local: Path, remote: str, deadline: Deadline) -> int:
    """Bytes sent: the file's size, or 0 when it lay there already. Raises what `Transport.push` says."""
    check_remote(remote)
    marker = f"bench-{secrets.token_hex(8)}"
    with opened(local) as (file, size):
        part = f"{_absolute(link, remote, deadline)}.{marker}.part"
        way = _Push(link, file, size, in_background(lambda: sha256_of(local)), local, remote, part, deadline)
        try:
            with _script(link, ADMIT, [marker, remote, str(size)], deadline, way.doing) as (talk, say):
                return _send(way, talk, say)
        except Rejected as error:
            raise write_failure(link.where, remote, size, str(error), _clear(link, [marker, remote])) from error


def pull(link: Link, remote: str, local: Path, deadline: Deadline, most: int) -> None:
    """Raises what `Transport.pull` says; no file is left at `local` then."""
    check_remote(remote)
    marker = f"bench-{secrets.token_hex(8)}"
    with _script(link, PULL, [marker, remote], deadline, f"pull of {remote}") as (talk, _):
        receive_file(talk, remote, local, most)


def _send(way: _Push, talk: Talk, say: Callable[[bytes], None]) -> int:
    """The conversation with ADMIT. Bytes sent."""
    answers: dict[str, list[str]] = {}
    while "need" not in answers:
        answer = talk.answer()
        if answer[:1] not in (["holds"], ["clock"], ["need"]):
            raise failure(talk, answer, way.remote, way.size)
        answers[answer[0]] = answer
        if answer[0] == "holds" and len(answer) == 2 and answer[1] == way.digest():
            return 0
    free = free_bytes(answers["need"])
    if free is not None and free < way.size:
        raise disk_full(folder_of(way.remote), way.size, free)
    say(b"follow\n" if way.size >= FOLLOWED_BYTES else b"go\n")
    send_file(way.link, way.file, way.part, _seconds(answers), way.deadline, way.doing)
    say(f"{way.digest()}\n".encode())
    answer = talk.answer()
    if answer != ["done"]:
        raise failure(talk, answer, way.remote, way.size)
    return way.size


@contextmanager
def _script(link: Link, script: str, arguments: Sequence[str], deadline: Deadline,
            doing: str) -> Iterator[tuple[Talk, Callable[[bytes], None]]]:
    """A running script's answers and the way to speak to it; `arguments` begin with its marker."""
    process = AdbProcess(link, command_line(["sh", "-c", script, "bench", *arguments]), deadline, doing=doing)

    def errors() -> bytes:
        process.wait(deadline)
        return process.stderr()

    try:
        yield (Talk(link.where, f"{arguments[0]} ".encode(), lambda: process.receive(next_sign(deadline)), errors),
               process.send)
    finally:
        process.end(END_GRACE_S)


def _seconds(answers: dict[str, list[str]]) -> int:
    """The phone's own time: a file dated by it is not taken for one that was left behind long ago."""
    told = answers.get("clock", [])[1:]
    if not told or not re.fullmatch("[0-9]{1,18}", told[0]):
        raise DeviceError(f"the phone's `date +%s` told no time: {told}")
    return int(told[0])


def _clear(link: Link, arguments: Sequence[str]) -> int | None:
    """Remove the unfinished file. The free bytes then, where they are told."""
    with suppress(BenchError), _script(link, CLEAR, arguments, Deadline(CLEAR_LIMIT_S), "clearing up") as (talk, _):
        return free_bytes(talk.answer())
    return None


def _absolute(link: Link, remote: str, deadline: Deadline) -> str:
    """A path that the sync service takes, which knows no home folder."""
    if not remote.startswith("~/"):
        return remote
    home = complete(AdbProcess(link, command_line(["sh", "-c", 'printf %s "$HOME"']), deadline), deadline).stdout
    return home.decode("utf-8", "surrogateescape").rstrip("/") + remote[1:]
