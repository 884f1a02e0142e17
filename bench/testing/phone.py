"""A phone to test with: a real adb connects to it over loopback, and it fails as it is told to.

    with running_phone(HostRoot(folder)) as phone, running_adb_server(other) as adb:
        adb.connect(phone)
        adb.run("-s", phone.serial, "shell", "echo hello")
        phone.faults.cut_at_message = 12
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from bench.testing.adbd.conversation import FEATURES, PROFILE, Identity
from bench.testing.adbd.daemon import Daemon
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import Root
from bench.testing.adbd.wire import VERSION_WITHOUT_CHECKSUMS, Message

ANSWER_WITHIN_S = 30.0
T = TypeVar("T")


class Phone:
    """A running phone. Its methods return when what they say has happened."""

    def __init__(self, daemon: Daemon, faults: Faults, root: Root) -> None:
        self.faults = faults
        self.root = root
        self._daemon = daemon
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="phone", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 where it listens, also after a reboot."""
        return self._daemon.port

    @property
    def serial(self) -> str:
        """What adb calls it once it is connected."""
        return f"127.0.0.1:{self.port}"

    @property
    def messages(self) -> tuple[Message, ...]:
        """The last 20 000 messages, of both directions."""
        return tuple(self._do(self._daemon.log.copy))

    def drop(self) -> None:
        """Cut all links now; adb's server connects again by itself within seconds."""
        self._do(self._daemon.drop)

    def unplug(self) -> None:
        """Cut all links, and refuse connections until `plug_in`."""
        self._do(self._daemon.unplug)

    def plug_in(self) -> None:
        """Accept connections again, at the same port."""
        self._await(self._daemon.plug_in())

    def freeze(self, *, children: bool = False) -> None:
        """Read and write nothing, all connections open. With `children`, stop the running shells' process groups."""
        self._do(self._daemon.freeze, True, children)

    def thaw(self, *, children: bool = False) -> None:
        """Go on where `freeze` stopped."""
        self._do(self._daemon.freeze, False, children)

    def allow(self) -> None:
        """Tap "Allow" on every key that hosts have offered, and on those to come."""
        self.faults.accepts_keys = True
        self._do(self._daemon.allow)

    def forget_keys(self) -> None:
        """Revoke all accepted keys; links that are up stay up."""
        self._do(self._daemon.keys.forget)

    def send_garbage(self, size_bytes: int = 64) -> None:
        """Send random bytes where adb's server expects a message."""
        self._do(self._daemon.send_raw, os.urandom(size_bytes))

    def reboot(self, down_s: float = 0.0) -> None:
        """Cut all links, end everything that runs, be away for `down_s` seconds, come back at the same port."""
        self._await(self._daemon.reboot(down_s), down_s)

    def stop(self) -> None:
        """Go away for good, with everything that runs. Idempotent."""
        if not self._thread.is_alive():
            return
        try:
            self._await(self._daemon.stop())
            self._await(self._loop.shutdown_default_executor())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(ANSWER_WITHIN_S)
            self._loop.close()

    def _await(self, work: Coroutine[Any, Any, T], longer_s: float = 0.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_WITHIN_S + longer_s)

    def _do(self, action: Any, *arguments: Any) -> Any:
        async def act() -> Any:
            return action(*arguments)

        return self._await(act())


@contextmanager
def running_phone(root: Root, *, faults: Faults | None = None, profile: Mapping[str, str] = PROFILE,
                  features: Sequence[str] = FEATURES, secure: bool = False, state: str = "device",
                  version: int = VERSION_WITHOUT_CHECKSUMS) -> Iterator[Phone]:
    """A phone over `root`, until the block ends.

    `profile` gives the banner's ro.product.name, .model and .device; `secure` makes it ask for an accepted key;
    `state` may be "recovery" and the like; `version` 0x01000000 is that of phones before Android 9.
    """
    faults = faults or Faults()
    phone = Phone(Daemon(root, Identity(profile, features, version, secure, state), faults), faults, root)
    try:
        phone.plug_in()
        yield phone
    finally:
        phone.stop()
