"""What an exception says, in one line."""

from __future__ import annotations

from bench.agents import cores


def one_line(error: BaseException) -> str:
    """The first line that says something, with the exception's class unless it is one of ours.

    Of an import that failed because another did, the innermost is told: numpy's own text is a page of advice.
    """
    while isinstance(error, ImportError) and isinstance(error.__cause__, ImportError):
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, cores.NotPinned):
        return lines[0]
    return "{}: {}".format(type(error).__name__, lines[0][:500] if lines else "no message")
