"""The command line: one file a verb; results go to standard output, progress and errors to standard error."""

from __future__ import annotations

import sys
import traceback

from bench.errors import EXIT_BUG, EXIT_INTERRUPTED, BenchError
from bench.transports.text import printable

LONGEST_ERROR = 1 << 16
"""Bytes; an error may hold a device's own words."""


def main() -> None:
    """The `bench` command. Exit codes are in bench.errors."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = _run(arguments)
    except BenchError as error:
        code = _tell(f"error: {error}", error.exit_code, debug)
    except KeyboardInterrupt:
        code = _tell("interrupted", EXIT_INTERRUPTED, debug)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, as `head` does
        code = 0
    except Exception as error:  # the edge of the program
        text = f"error: this is a bug in bench: {type(error).__name__}: {error}\n  run again with --debug and report it"
        code = _tell(text, EXIT_BUG, debug)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    from bench.cli.app import app

    result = app(arguments, prog_name="bench", standalone_mode=True)
    return result if isinstance(result, int) else 0


def _tell(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(printable(text.encode("utf-8", "surrogateescape"), LONGEST_ERROR), file=sys.stderr)
    return code
