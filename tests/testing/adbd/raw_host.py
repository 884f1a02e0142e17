"""The host side of adb's protocol, message by message: for what a real adb would never do."""

from __future__ import annotations

import socket
import struct

from bench.testing.adbd.wire import HEADER_BYTES, MAX_PAYLOAD_BYTES, VERSION_WITHOUT_CHECKSUMS, header, parsed

Received = tuple[bytes, int, int, bytes]


class RawHost:
    """A connection to a phone. Every read gives up after 10 s."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def close(self) -> None:
        self._socket.close()

    def send(self, command: bytes, arg0: int, arg1: int, payload: bytes = b"", checksum: bool = True) -> None:
        self._socket.sendall(header(command, arg0, arg1, payload, checksum) + payload)

    def send_bytes(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> Received:
        """The next message. Raises EOFError when the phone ended the connection."""
        command, arg0, arg1, length, _ = parsed(self._exactly(HEADER_BYTES))
        return command, arg0, arg1, self._exactly(length)

    def silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for so long."""
        self._socket.settimeout(seconds)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(10)

    def connect(self, version: int = VERSION_WITHOUT_CHECKSUMS) -> Received:
        """Introduce itself; the phone's answer."""
        self.send(b"CNXN", version, MAX_PAYLOAD_BYTES, b"host::features=shell_v2")
        return self.receive()

    def open(self, service: str, local: int = 1) -> int:
        """Open a stream; the phone's number for it."""
        self.send(b"OPEN", local, 0, service.encode() + b"\0")
        command, theirs, ours, _ = self.receive()
        assert (command, ours) == (b"OKAY", local)
        return theirs

    def sync(self, *requests: bytes) -> bytes:
        """What the sync service answers to requests sent at once, until it ends the stream."""
        theirs = self.open("sync:")
        self.send(b"WRTE", 1, theirs, b"".join(requests))
        answer = b""
        while (message := self.receive())[0] != b"CLSE":
            if message[0] == b"WRTE":
                answer += message[3]
                self.send(b"OKAY", 1, theirs)
        return answer

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self._socket.recv(length - len(data))
            if not more:
                raise EOFError
            data += more
        return data


def request(name: bytes, path: str | bytes = b"", then: bytes = b"") -> bytes:
    """A sync request."""
    encoded = path.encode() if isinstance(path, str) else path
    return name + struct.pack("<I", len(encoded)) + encoded + then


def data(content: bytes) -> bytes:
    """A DATA of a push."""
    return b"DATA" + struct.pack("<I", len(content)) + content
