"""Ctrl-C: once finishes the trials under way, twice stops now."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_WITHIN_S = 6.0
"""After the second Ctrl-C nothing is waited for longer than this: an attempt to connect cannot be cut short."""


class Stop:
    """Two flags. `soft` is looked at between trials; `hard` runs what `on_hard` registered, which ends waits."""

    def __init__(self) -> None:
        self.soft = threading.Event()
        self.hard = threading.Event()
        self.interruptible = True
        """Whether the first Ctrl-C raises KeyboardInterrupt in the main thread: true while no trial is under way."""
        self._lock = threading.Lock()
        self._actions: list[Callable[[], None]] = []
        self._until = float("inf")

    def on_hard(self, action: Callable[[], None]) -> None:
        """Register what must end at once on a second Ctrl-C; done now when that has come already."""
        with self._lock:
            self._actions.append(action)
        if self.hard.is_set():
            self._act()

    def overdue(self) -> bool:
        """Whether the second Ctrl-C came longer ago than anything may take."""
        return time.monotonic() > self._until

    def request(self) -> None:
        """One more Ctrl-C."""
        if not self.soft.is_set():
            self.soft.set()
            return
        if not self.hard.is_set():
            self._until = time.monotonic() + STOP_WITHIN_S
            self.hard.set()
        threading.Thread(target=self._act, daemon=True).start()  # a signal's handler must not wait for a lock

    def _act(self) -> None:
        with self._lock:
            actions, self._actions = self._actions, []
        threads = [threading.Thread(target=action, daemon=True) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @contextmanager
    def listening(self, on_first: Callable[[], None]) -> Iterator[None]:
        """Take Ctrl-C (and a supervisor's TERM) while the body runs; `on_first` tells the user."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            first = not self.soft.is_set()
            self.request()
            if self.interruptible:
                raise KeyboardInterrupt
            if first:
                on_first()

        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
