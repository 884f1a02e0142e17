"""The daemon: listens, holds the links, and starts the services. Everything here happens in its event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from bench.testing.adbd.auth import Keys
from bench.testing.adbd.conversation import Conversation, Identity, Service
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.link import Link, Receiver
from bench.testing.adbd.root import Root
from bench.testing.adbd.shell import Children, execute, shell
from bench.testing.adbd.stream import Stream
from bench.testing.adbd.sync import sync
from bench.testing.adbd.wire import Message

LOGGED_MESSAGES = 20_000
END_WITHIN_S = 2.0


class Daemon(Receiver):
    """One phone's adbd."""

    def __init__(self, root: Root, identity: Identity, faults: Faults) -> None:
        self.keys = Keys()
        self.log: deque[Message] = deque(maxlen=LOGGED_MESSAGES)
        self._root = root
        self._identity = identity
        self._faults = faults
        self._children = Children()
        self._conversations: dict[Link, Conversation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._frozen = False
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", 0))  # never listens: keeps the port while the phone is away
        self.port = int(self._place.getsockname()[1])

    async def plug_in(self) -> None:
        """Accept connections."""
        if self._server is None:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Link(self._faults, self.log, self._frozen, self._opened), "127.0.0.1", self.port,
                reuse_port=True)

    def unplug(self) -> None:
        """Drop all links, and refuse connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()

    def drop(self) -> None:
        """Cut all links."""
        for link in list(self._conversations):
            link.cut()

    def freeze(self, frozen: bool, children: bool) -> None:
        """Let nothing through on any link, the connections open; with `children`, stop the shells' groups too."""
        self._frozen = frozen
        if children:
            self._children.signal(signal.SIGSTOP if frozen else signal.SIGCONT)
        for link in list(self._conversations):
            link.freeze(frozen)

    def send_raw(self, data: bytes) -> None:
        """Send bytes that are no message on all links."""
        for link in list(self._conversations):
            link.send_raw(data)

    def allow(self) -> None:
        """The owner taps "Allow" on all offered keys."""
        for conversation in self._conversations.values():
            conversation.allow()

    async def reboot(self, down_s: float) -> None:
        """Go away, end all that runs, and come back after `down_s` seconds."""
        self.unplug()
        self._frozen = False
        await asyncio.to_thread(self._root.power_cycle)
        await asyncio.sleep(down_s)
        await self.plug_in()

    async def stop(self) -> None:
        """Go away for good: end all that runs, and all services."""
        self.unplug()
        self._place.close()
        await asyncio.to_thread(self._root.power_cycle)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def received(self, link: Link, command: bytes, arg0: int, arg1: int, payload: bytearray) -> None:
        if (conversation := self._conversations.get(link)) is not None:
            conversation.received(command, arg0, arg1, payload)

    def cut(self, link: Link) -> None:
        if self._faults.stay_away:
            self.unplug()
        link.cut()

    def lost(self, link: Link) -> None:
        if (conversation := self._conversations.pop(link, None)) is not None:
            conversation.lost()

    def _opened(self, link: Link) -> Receiver:
        self._conversations[link] = Conversation(link, self._identity, self.keys, self._faults, self._service,
                                                 self._spawn)
        return self

    def _service(self, name: str) -> Service | None:
        """What serves an OPEN; None for what this phone has not."""
        kind, colon, argument = name.partition(":")
        if not colon:
            return None
        if kind == "sync":
            return partial(sync, root=self._root, faults=self._faults)
        if kind == "exec":
            return partial(execute, root=self._root, children=self._children, line=argument)
        if kind == "reboot":
            return self._reboot
        if kind.partition(",")[0] == "shell":
            options = kind.partition(",")[2]
            if "v2" in options.split(",") and "shell_v2" not in self._identity.features:
                return None
            return partial(shell, root=self._root, children=self._children, options=options, line=argument)
        return None

    async def _reboot(self, stream: Stream) -> None:
        stream.close()
        self._spawn(self.reboot(0.0))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        with suppress(asyncio.CancelledError):
            task.result()
