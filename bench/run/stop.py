"""Ctrl-C: once finishes the trials under way, twice stops now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Two flags. `soft` is looked at between trials; `hard` runs what `on_hard` registered, which ends waits."""

    def __init__(self) -> None:
        self.soft = threading.Event()
        self.hard = threading.Event()
        self.interruptible = True
        """Whether the first Ctrl-C raises KeyboardInterrupt in the main thread: true while no trial is under way."""
        self._lock = threading.Lock()
        self._actions: list[Callable[[], None]] = []

    def on_hard(self, action: Callable[[], None]) -> None:
        """Register what must end at once on a second Ctrl-C."""
        with self._lock:
            self._actions.append(action)

    def request(self) -> None:
        """One more Ctrl-C."""
        if not self.soft.is_set():
            self.soft.set()
            return
        self.hard.set()
        with self._lock:
            actions, self._actions = self._actions, []
        for action in actions:
            action()

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
