"""The one place where a command becomes a line that a shell reads."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from bench.errors import ConfigError

LONGEST_LINE = 120_000
"""Bytes. Linux takes 128 KiB for one argument, and sshd passes the whole line as one."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def command_line(argv: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """A line that makes any POSIX shell run `argv` with `env` added.

    Words arrive byte for byte, but for a leading `~/`, which becomes the home folder of the account that runs it.
    Raises ValueError for what no shell line can carry: a NUL, a bad variable name, an odd or missing command.
    """
    name, assigned, _ = argv[0].partition("=") if argv else ("", "", "")
    if not name or name.startswith("-") or (assigned and (env or _VARIABLE.match(name))):
        raise ValueError(f"not a command: {list(argv)!r}")
    words = [_quote(word) for word in argv]
    if env:
        for name in env:
            if not _VARIABLE.match(name):
                raise ValueError(f"not a variable name: {name!r}")
        words = ["env", *(f"{name}={_quote(value)}" for name, value in env.items()), *words]
    line = " ".join(words)
    if len(line.encode("utf-8", "surrogateescape")) > LONGEST_LINE:
        raise ValueError(f"a command line is at most {LONGEST_LINE} bytes; push a file instead")
    return line


def replacing_shell(line: str, marker: str) -> str:
    """`line` run in the shell's own process, whose number is told first: `MARKER PID` on standard error."""
    return f"echo {shlex.quote(marker)} $$ >&2; exec {line}"


def below_shell(line: str, marker: str) -> str:
    """Like `replacing_shell`, but the shell waits, so that death by signal N is told as exit code 128 + N."""
    return f"echo {shlex.quote(marker)} $$ >&2; {line}; exit $?"


def local_shell(command: str) -> list[str]:
    """An argv that runs the user's own line (a ProxyCommand) on this machine, as `ssh` would."""
    return ["/bin/sh", "-c", f"exec {command}"]


def for_people(argv: Sequence[str]) -> str:
    """`argv` as a line to paste into a terminal."""
    return shlex.join(argv)


def check_remote(remote: str) -> str:
    """`remote` itself. Raises ConfigError unless it is a file's path that is absolute or starts with `~/`."""
    if not remote.startswith(("/", "~/")) or remote.endswith("/") or "\0" in remote:
        raise ConfigError(f"a path on a device is absolute or starts with '~/', but {remote!r} was found",
                          hint=f"write {'~/' + remote.strip('/')!r}")
    return remote


def _quote(word: str) -> str:
    if "\0" in word:
        raise ValueError(f"a command's word cannot hold a NUL: {word!r}")
    if word.startswith("~/"):
        return '"$HOME"/' + (shlex.quote(word[2:]) if word[2:] else "")
    return shlex.quote(word)
