"""Shell scripts that ask a device: constants, whose answers are lines that start with a random marker."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from bench.deadline import Deadline
from bench.transports.base import Completed, Transport
from bench.transports.text import printable

LONGEST_ANSWER = 1 << 20


def run_script(transport: Transport, script: str, arguments: Sequence[str],
               within_s: float) -> tuple[Completed, list[tuple[str, str]]]:
    """Run it by `sh`, its first argument the marker; its marked answers as pairs of word and rest.

    What an account's `.bashrc` prints is told apart by the marker. Raises what `Transport.run` raises.
    """
    mark = f"bench-{secrets.token_hex(8)}"
    done = transport.run(["sh", "-c", script, "bench", mark, *arguments], Deadline(within_s))
    lines = [line.partition(mark)[2] for line in printable(done.stdout, LONGEST_ANSWER).splitlines() if mark in line]
    words = [line.split(maxsplit=1) for line in lines]
    return done, [(word[0], word[1] if len(word) > 1 else "") for word in words if word]


def said(done: Completed) -> str:
    """The last lines that its tools wrote to standard error, as one."""
    lines = printable(done.stderr).strip().splitlines()
    return "; ".join(lines[-3:]) or f"exit code {done.returncode} and no reason given"
