"""The command line: one file a verb; results go to standard output, progress and errors to standard error."""

from __future__ import annotations

import sys
import traceback

from bench.cli import streams
from bench.errors import EXIT_BUG, EXIT_INTERRUPTED
from bench.host import as_told, raise_descriptor_limit
from bench.transports.text import printable

LONGEST_ERROR = 1 << 16
"""Bytes; an error may hold a device's own words."""


def main() -> None:
    """The `bench` command. Exit codes are in bench.errors."""
    debug = "--debug" in sys.argv
    streams.take_over()
    raise_descriptor_limit()
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = _run(arguments)
    except KeyboardInterrupt:
        code = _tell("interrupted", EXIT_INTERRUPTED, debug)
    except BrokenPipeError:
        code = 0  # the reader of our output has gone, as `head` does
    except Exception as error:  # the edge of the program
        told = as_told(error)
        text = f"error: this is a bug in bench: {type(error).__name__}: {error}\n  run again with --debug and report it"
        code = _tell(f"error: {told}", told.exit_code, debug) if told else _tell(text, EXIT_BUG, debug)
    streams.finish()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    from bench.cli.app import app

    try:
        result = app(arguments, prog_name="bench", standalone_mode=True)
    except SystemExit as ended:
        result = ended.code
    if sys.stdout is not None:
        sys.stdout.flush()  # here, where it can still be told that it cannot be written
    return result if isinstance(result, int) else 0


def _tell(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(printable(text, LONGEST_ERROR), file=sys.stderr)
    return code
