"""What an adb server might say that no real one here can be made to say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench.transports.adb_server import Server


@contextmanager
def answering(text: str) -> Iterator[Server]:
    """A server that answers every question with `text`."""
    data = text.encode()
    with raw_server(b"OKAY" + b"%04x" % len(data) + data) as server:
        yield server


@contextmanager
def raw_server(answer: bytes, *, silent: bool = False) -> Iterator[Server]:
    """A server that says `answer` to every connection, then closes it; a silent one leaves it open."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    client.recv(65536)
                    client.sendall(answer)
                    if silent:
                        kept.append(client)
                    else:
                        client.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Server("127.0.0.1", listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # a close alone does not wake the accept
            thread.join(5)
            for client in kept:
                client.close()
