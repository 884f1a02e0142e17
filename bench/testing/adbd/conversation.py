"""What an adb server and the phone say to each other over one link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bench.testing.adbd import auth
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.link import Link
from bench.testing.adbd.stream import Stream, StreamClosed
from bench.testing.adbd.wire import MAX_PAYLOAD_BYTES, VERSION_WITH_CHECKSUMS, VERSION_WITHOUT_CHECKSUMS

FEATURES = ("shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir", "fixed_push_symlink_timestamp", "apex",
            "abb_exec", "sendrecv_v2")
PROFILE = {"ro.product.name": "bench_phone", "ro.product.model": "Bench Phone", "ro.product.device": "bench"}

Service = Callable[[Stream], Awaitable[None]]


@dataclass(frozen=True)
class Identity:
    """How the phone introduces itself."""

    profile: Mapping[str, str] = field(default_factory=lambda: dict(PROFILE))
    """The properties of the banner; what it lacks is taken from PROFILE."""
    features: Sequence[str] = FEATURES
    version: int = VERSION_WITHOUT_CHECKSUMS
    secure: bool = False
    """Whether a host must own an accepted key."""
    state: str = "device"
    """`device`, `recovery`, `sideload`..."""

    def banner(self) -> bytes:
        """The payload of CNXN."""
        properties = "".join(f"{name}={self.profile.get(name, value)};" for name, value in PROFILE.items())
        return f"{self.state}::{properties}features={','.join(self.features)}".encode()


class Conversation:
    """The state of one link: who the host is, and its streams."""

    def __init__(self, link: Link, identity: Identity, keys: auth.Keys, faults: Faults,
                 service: Callable[[str], Service | None],
                 spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._link = link
        self._identity = identity
        self._keys = keys
        self._faults = faults
        self._service = service
        self._spawn = spawn
        self._streams: dict[int, Stream] = {}
        self._last = 0
        self._token = b""
        self._offered: bytes | None = None
        self._online = False
        self._largest = MAX_PAYLOAD_BYTES

    def received(self, command: bytes, arg0: int, arg1: int, payload: bytearray) -> None:
        """Act on a message. Unknown ones, and those for streams that have ended, are passed over."""
        if command == b"CNXN":
            self._connect(arg0, arg1)
        elif command == b"AUTH" and not self._online:
            self._authenticate(arg0, bytes(payload))
        elif command == b"OPEN" and self._online and arg0:
            self._open(arg0, bytes(payload).rstrip(b"\0").decode("utf-8", "surrogateescape"))
        elif (stream := self._streams.get(arg1)) is not None:
            if command == b"WRTE":
                stream.came(payload)
            elif command == b"OKAY":
                stream.acknowledged()
            elif command == b"CLSE":
                stream.close()
                self._streams.pop(arg1)

    def allow(self) -> None:
        """The owner taps "Allow" to the key that was offered last."""
        if self._offered is not None and self._keys.add(self._offered):
            self._go_online()

    def lost(self) -> None:
        """The link has ended, and all streams with it."""
        self._online = False
        for stream in self._streams.values():
            stream.ended()
        self._streams.clear()

    def _connect(self, version: int, largest: int) -> None:
        self.lost()
        self._largest = min(MAX_PAYLOAD_BYTES, largest)
        self._link.checksums = min(version, self._identity.version) == VERSION_WITH_CHECKSUMS
        if self._identity.secure:
            self._ask()
        else:
            self._go_online()

    def _authenticate(self, kind: int, payload: bytes) -> None:
        if kind == auth.SIGNATURE:
            if self._keys.signed(self._token, payload):
                self._go_online()
            else:
                self._ask()
        elif kind == auth.PUBLIC_KEY:
            self._offered = payload
            if self._faults.accepts_keys:
                self.allow()

    def _ask(self) -> None:
        self._token = auth.new_token()
        self._link.send(b"AUTH", auth.TOKEN, 0, self._token)

    def _go_online(self) -> None:
        self._online, self._offered = True, None
        self._link.send(b"CNXN", self._identity.version, MAX_PAYLOAD_BYTES, self._identity.banner())

    def _open(self, remote: int, name: str) -> None:
        service = self._service(name)
        if service is None:
            self._link.send(b"CLSE", 0, remote)
            return
        self._last += 1
        stream = self._streams[self._last] = Stream(self._link, self._last, remote, self._largest)
        stream.accept()
        self._spawn(self._serve(service, stream, self._last))

    async def _serve(self, service: Service, stream: Stream, local: int) -> None:
        with suppress(StreamClosed):
            await service(stream)
        stream.close()
        self._streams.pop(local, None)
