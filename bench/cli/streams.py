"""Standard output and error as `bench` uses them: what cannot be written is no verdict on what was measured."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from bench.errors import InfrastructureError


class _Dropping(io.FileIO):
    """Progress and errors: nothing ends because a log file's disk is full, or its reader has gone."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


class _Telling(io.FileIO):
    """Results: that they could not be written is told as what it is."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise InfrastructureError(f"standard output cannot be written: {error.strerror}",
                                      hint="free space there; what was measured is kept: bench report") from None


def take_over() -> None:
    """Use these for the process's own standard output and error; names that are no UTF-8 end nothing either."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    if _is_own(sys.stderr, 2):
        sys.stderr = _text(_Dropping(2, "w", closefd=False), sys.stderr.encoding, by_line=True)
    if sys.stdout is not None and _is_own(sys.stdout, 1):
        sys.stdout = _text(_Telling(1, "w", closefd=False), sys.stdout.encoding, by_line=sys.stdout.isatty())


def finish() -> None:
    """Let nothing be left in standard output: else the interpreter tries again, and ends with a code of its own."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, InfrastructureError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def _is_own(stream: TextIO, descriptor: int) -> bool:
    return isinstance(stream, io.TextIOWrapper) and stream.fileno() == descriptor


def _text(raw: io.FileIO, encoding: str, *, by_line: bool) -> TextIO:
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace",
                            line_buffering=by_line)
