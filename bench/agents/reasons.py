"""What an exception says, in one line."""

from __future__ import annotations

import re

from bench.agents import cores

REASON_CHARS = 500
LONGEST_MESSAGE = 10000
_PLACE = re.compile(r"/\S+\.(?:cc|cpp|cxx|h|hpp):\d+"
                    r"(?: (?:\S+ )*?[\w:~<>]+\([^()]*(?:\([^()]*\)[^()]*)*\)(?: const)?)?")
"""Where in a runtime's C++ sources it happened, with the function's signature: `/onnxruntime_src/graph.cc:1420 ...`."""


def one_line(error: BaseException) -> str:
    """The first line that says something, with the exception's class unless it is one of ours.

    Of an import that failed because another did, the innermost is told: numpy's own text is a page of advice.
    """
    while isinstance(error, ImportError) and isinstance(error.__cause__, ImportError):
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, cores.NotPinned):
        return lines[0]
    return "{}: {}".format(type(error).__name__, shortened(lines[0]) if lines else "no message")


def shortened(text: str, limit: int = REASON_CHARS) -> str:
    """The text in one line, without places in C++ sources; of a long one the beginning, which says what failed, and the
    end, which says why."""
    if len(text) > LONGEST_MESSAGE:
        text = "{} ... {}".format(text[:LONGEST_MESSAGE // 2], text[-LONGEST_MESSAGE // 2:])
    line = " ".join(_PLACE.sub("", text).split())
    if len(line) <= limit:
        return line
    return "{} ... {}".format(line[:limit // 3], line[-(limit - limit // 3 - 5):])
