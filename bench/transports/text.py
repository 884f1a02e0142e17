"""Text that came from a device or a model: made fit to show, and kept within bounds."""

from __future__ import annotations

import threading


def printable(data: bytes | str, limit: int = 4096) -> str:
    """The last `limit` bytes as text, with control characters and broken UTF-8 made visible (`\\x1b`)."""
    text = (data if isinstance(data, bytes) else whole(data).encode())[-limit:].decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() or char in "\n\t" else _visible(char) for char in text)


def whole(text: str) -> str:
    """`text` as UTF-8 can hold it: halves of surrogate pairs are made visible (`\\ud83d`), and so are the bytes that
    stand for no character in names of files (`\\xe8`)."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def _visible(char: str) -> str:
    """An escape that shows which character this was."""
    return char.encode("unicode_escape").decode("ascii")


class Tail:
    """The last bytes of a stream that one thread writes and others read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = bytearray()
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        with self._lock:
            self._bytes += data
            del self._bytes[: -self._limit]

    def value(self) -> bytes:
        with self._lock:
            return bytes(self._bytes)
