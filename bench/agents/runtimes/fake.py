"""A runtime for tests of the life cycle: its model is a JSON file that says how long it takes and how it dies.

{"latency_ms": 5, "die": "segfault", "after": 20}; `die` is one of segfault, abort, kill, exit, hang, memory, raise,
garbage (prints to fd 1 and lives), at the `after`-th inference (0: while loading); with {"once": FILE} only while there
is no such file, which it makes. It echoes its inputs as outputs.

{"output": "nan" | "count" | "random" | "lives"}: NaN; the inputs plus the number of inferences before, as a model with
state would; plus noise; plus the number of loaded models there are. {"adds": 1, "from": 3}: adds that to its own input,
in place, at the third inference and later. {"ms_per_unit": 5}: takes so long for each unit of its input's first value.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
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
    alive = 0
    inputs: Tuple[Tensor, ...] = ()
    outputs: Tuple[Tensor, ...] = ()

    def __init__(self, behaviour: Dict[str, Any]) -> None:
        self._told = behaviour
        self._count = 0
        self._arrays: Sequence[Any] = ()
        self._results: List[Any] = []
        type(self).alive += 1
        self._maybe_die()

    def __del__(self) -> None:
        type(self).alive -= 1

    def bind(self, arrays: Sequence[Any]) -> None:
        self._arrays = arrays

    def bound(self) -> List[Any]:
        return list(self._arrays)

    def invoke(self) -> None:
        self._count += 1
        self._maybe_die()
        self._results = [array + self._extra(array) for array in self._arrays]
        seconds = self._told.get("latency_ms", 1) / 1000
        if "ms_per_unit" in self._told:
            seconds += self._told["ms_per_unit"] * float(self._arrays[0].flat[0]) / 1000
        if "adds" in self._told and self._count >= self._told.get("from", 1):
            for array in self._arrays:
                array += self._told["adds"]
        if seconds:
            time.sleep(seconds)

    def read(self) -> List[Any]:
        return list(self._results)

    def _extra(self, array: Any) -> Any:
        """What its outputs are beyond its inputs, of the inputs' type."""
        output = self._told.get("output")
        plain = {"nan": float("nan"), "count": self._count - 1, "lives": self.alive, "random": random.random()}
        return array.dtype.type(plain[output] if output else 0)

    def _maybe_die(self) -> None:
        if "die" in self._told and self._count == self._told.get("after", 0) and self._may_die():
            _DEATHS[self._told["die"]]()

    def _may_die(self) -> bool:
        once = self._told.get("once")
        if once and os.path.exists(once):
            return False
        if once:
            open(once, "w").close()
        return True


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
