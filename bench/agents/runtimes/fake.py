"""A runtime for tests of the life cycle: its model is a JSON file that says how long it takes and how it dies.

{"latency_ms": 5, "die": "segfault", "after": 20}; `die` is one of segfault, abort, kill, exit, hang, memory, raise,
garbage (prints to fd 1 and lives), at the `after`-th inference (0: while loading). It echoes its inputs as outputs.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from typing import Any, Dict, List, Sequence, Tuple

from bench.agents.runtimes import Tensor


def version() -> str:
    return "fake 1"


def import_library() -> None:
    """There is none."""


def load(path: str, delegate: str, threads: int, options: Dict[str, str]) -> _Fake:
    with open(path) as file:
        return _Fake(json.load(file))


class _Fake:
    inputs: Tuple[Tensor, ...] = ()
    outputs: Tuple[Tensor, ...] = ()

    def __init__(self, behaviour: Dict[str, Any]) -> None:
        self._seconds = behaviour.get("latency_ms", 1) / 1000
        self._die = behaviour.get("die")
        self._after = behaviour.get("after", 0)
        self._output = behaviour.get("output")
        self._count = 0
        self._arrays: Sequence[Any] = ()
        self._maybe_die()

    def bind(self, arrays: Sequence[Any]) -> None:
        self._arrays = arrays

    def invoke(self) -> None:
        self._count += 1
        self._maybe_die()
        if self._seconds:
            time.sleep(self._seconds)

    def read(self) -> List[Any]:
        if self._output == "nan":
            return [array * float("nan") for array in self._arrays]
        return list(self._arrays)

    def _maybe_die(self) -> None:
        if self._die is not None and self._count == self._after:
            _DEATHS[self._die]()


def _segfault() -> None:
    ctypes.string_at(0)


def _hang() -> None:
    while True:
        time.sleep(3600)


def _memory() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))


def _raise() -> None:
    raise RuntimeError("op FancyConv is not supported")


def _garbage() -> None:
    os.write(1, b'{"type":"done"}\n\x00\xff garbage \x1b]0;title\x07\n' * 50)


_DEATHS = {"segfault": _segfault, "abort": os.abort, "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
           "exit": lambda: os._exit(0), "hang": _hang, "memory": _memory, "raise": _raise, "garbage": _garbage}
