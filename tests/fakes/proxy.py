"""A TCP proxy on loopback that can cut the line after so many bytes, or freeze it."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType


class Proxy:
    """Forwards connections to a port of 127.0.0.1. Use as a context manager; `port` is where it listens."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._flow = threading.Condition()
        self._frozen = False
        self._left: int | None = None
        self._freeze_at: int | None = None
        self._sockets: list[socket.socket] = []
        self._clients: list[socket.socket] = []
        self._abandoned: list[socket.socket] = []
        self.sent = 0
        """Bytes that clients sent through so far."""

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # a close alone lets the accept under way take one more
        self._listener.close()
        self.cut()

    def cut_after(self, sent_bytes: int) -> None:
        """Cut all lines as soon as clients have sent so many more bytes."""
        with self._flow:
            self._left = sent_bytes

    def cut(self) -> None:
        """Cut all lines now, as a reset: neither side gets a goodbye."""
        with self._flow:
            self._left, self._frozen = None, False
            for end in self._sockets:
                _reset(end)
            self._sockets.clear()
            self._flow.notify_all()

    def abandon(self) -> None:
        """Cut all lines for the clients alone: the server's side stays open and silent."""
        with self._flow:
            clients, self._clients = self._clients, []
            self._abandoned += clients
            self._sockets = [end for end in self._sockets if end not in clients]
            for end in clients:
                _reset(end)

    def freeze(self) -> None:
        """Let nothing through, either way; the lines stay open."""
        with self._flow:
            self._frozen = True

    def freeze_after(self, sent_bytes: int) -> None:
        """Freeze as soon as clients have sent so many more bytes."""
        with self._flow:
            self._freeze_at = self.sent + sent_bytes

    def resume(self) -> None:
        """Let everything through again."""
        with self._flow:
            self._frozen, self._freeze_at = False, None
            self._flow.notify_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target_port))
            with self._flow:
                self._sockets += [client, server]
                self._clients.append(client)
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        try:
            while data := source.recv(65536):
                if not self._pass(sink, data, from_client):
                    return
        except OSError:
            pass
        if source not in self._abandoned:
            _shut(sink)

    def _pass(self, sink: socket.socket, data: bytes, from_client: bool) -> bool:
        """Forward, unless the line is to be cut here. True when it goes on."""
        with self._flow:
            self._flow.wait_for(lambda: not self._frozen)
            ends_here = from_client and self._left is not None and len(data) >= self._left
            if from_client and self._left is not None:
                data = data[: self._left]
                self._left -= len(data)
            self.sent += len(data) if from_client else 0
            if self._freeze_at is not None and self.sent >= self._freeze_at:
                self._frozen = True
        sink.sendall(data)
        if ends_here:
            self.cut()
        return not ends_here


def _shut(end: socket.socket) -> None:
    """End both directions; wakes whoever waits in recv (a plain close would not)."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _reset(end: socket.socket) -> None:
    """Like `_shut`, with a reset where the system still can."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _shut(end)
