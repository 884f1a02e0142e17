"""The one place where a command becomes a line that a shell reads."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence

from bench.errors import ConfigError

LONGEST_ARGUMENT = 1 << 17
"""Bytes that Linux takes for one argument; sshd passes the whole line as one."""
LONGEST_LINE = 120_000
"""Bytes of a line, before it is made fit for any shell."""

LONGEST_WORD = 900
"""Bytes. BSD's csh takes words of less than 1 KiB."""

_TOO_LONG = f"a command line is at most {LONGEST_LINE} bytes; push a file instead"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SAME_IN_ALL_SHELLS = frozenset(range(0x20, 0x7F)) - frozenset(b"'\\!")
"""Bytes that stand for themselves between single quotes, whatever the shell: fish reads `\\\\` there, csh reads `!`."""


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
        raise ValueError(_TOO_LONG)
    return line


def replacing_shell(line: str, marker: str) -> str:
    """`line` run in the shell's own process, whose number is told first: `MARKER PID` on standard error."""
    return f"echo {shlex.quote(marker)} $$ >&2; exec {line}"


def below_shell(line: str, marker: str) -> str:
    """Like `replacing_shell`, but the shell waits, so that death by signal N is told as exit code 128 + N."""
    return f"echo {shlex.quote(marker)} $$ >&2; {line}; exit $?"


def for_any_shell(line: str) -> bytes:
    """A line that makes any login shell (sh, fish, csh, tcsh ...) give way to `sh`, which then reads `line`.

    Raises ValueError when that is longer than one argument of Linux.
    """
    words, word = [], ""
    for byte in line.encode("utf-8", "surrogateescape"):
        unit = chr(byte) if byte in _SAME_IN_ALL_SHELLS else f"\\0{byte:03o}"
        if len(word) + len(unit) > LONGEST_WORD:
            words.append(word)
            word = ""
        word += unit
    told = " ".join(f"'{word}'" for word in (*words, word))
    encoded = f"exec sh -c 'eval \"$(printf %b \"$@\")\"' sh {told}".encode()
    if len(encoded) >= LONGEST_ARGUMENT:
        raise ValueError(_TOO_LONG)
    return encoded


def local_shell(command: str) -> list[str]:
    """An argv that runs the user's own line (a ProxyCommand) on this machine, by the user's shell, as `ssh` would."""
    return [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {command}"]


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
