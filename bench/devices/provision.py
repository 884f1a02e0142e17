"""Runtimes for a board's own Python: wheels, chosen and downloaded here, unpacked into the board's work folder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.agents.wheels import ENTRY
from bench.bundles.agent import AgentArchive
from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.devices.python import python_of
from bench.devices.wheels import DISTRIBUTIONS, MAIN, BoardPython, BoardWheel, download, hindrance
from bench.errors import DeviceError, InfrastructureError
from bench.session import open_session
from bench.transports.base import Transport
from bench.transports.connect import connect
from bench.transports.files import disk_full
from bench.transports.text import printable

CONNECT_WITHIN_S = 30.0
PROBE_WITHIN_S = 60.0
CHECK_WITHIN_S = 300.0
SLOWEST_LINK = 200_000
SLOWEST_DISK = 1_000_000
"""Bytes per second, below which a board is given up."""


@dataclass(frozen=True)
class Plan:
    """What is to be pushed to a board so that its Python has these runtimes."""

    python: BoardPython
    present: tuple[str, ...]
    """Runtimes that are there already."""
    wanted: tuple[str, ...]
    """Runtimes that the wheels bring."""
    lacking: dict[str, str]
    """Runtimes that it cannot have, and why."""
    wheels: tuple[BoardWheel, ...]
    """Those that are not there yet."""

    @property
    def size_bytes(self) -> int:
        """What is sent."""
        return sum(wheel.size_bytes for wheel in self.wheels)

    @property
    def unpacked_bytes(self) -> int:
        """What it takes up there."""
        return sum(wheel.unpacked_bytes for wheel in self.wheels)


@dataclass(frozen=True)
class Outcome:
    """What came of it: versions by runtime, errors by runtime."""

    pushed_bytes: int
    versions: dict[str, str]
    failed: dict[str, str]


class Board:
    """A board whose Python can be asked. Nobody else uses the board meanwhile."""

    def __init__(self, transport: Transport, device: DeviceConfig, archive: AgentArchive) -> None:
        self.transport = transport
        self.folder = device.folder
        self._argv = [python_of(device), "-c", ENTRY, f"{device.folder}/{archive.name}", device.folder]

    def ask(self, verb: str, words: Sequence[str], within_s: float) -> dict[str, Any]:
        """The answer of bench.agents.wheels. Raises DeviceError with what it said instead."""
        done = self.transport.run([*self._argv, verb, *words], Deadline(within_s))
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        if done.returncode == 0 and lines:
            return _decoded(lines[-1])
        if done.returncode > 128:
            raise DeviceError(f"the board's Python was killed by signal {done.returncode - 128}")
        said = printable(done.stderr).strip().splitlines()
        raise DeviceError(f"the board's Python failed: {said[-1] if said else f'exit code {done.returncode}'}")


@contextmanager
def opened(name: str, device: DeviceConfig, archive: AgentArchive) -> Iterator[Board]:
    """The board, held by an agent so that no run goes on there. Raises what connecting raises, and Busy."""
    transport = connect(name, device, Deadline(CONNECT_WITHIN_S))
    try:
        with open_session(transport, archive, python_of(device), device.folder):
            yield Board(transport, device, archive)
    finally:
        transport.close()


def probe(board: Board) -> BoardPython:
    """What the board's Python is and has."""
    names = sorted({"numpy", *(name for group in DISTRIBUTIONS.values() for name in group), "tflite-runtime"})
    answer = board.ask("probe", names, PROBE_WITHIN_S)
    try:
        major, minor = (int(part) for part in answer["version"])
        glibc = answer["glibc"] and (int(answer["glibc"][0]), int(answer["glibc"][1]))
        words = [_plain(answer[key]) for key in ("implementation", "abi", "machine", "tag")]
        installed = {_plain(name): _plain(version) for name, version in answer["installed"].items()}
        return BoardPython(words[0], (major, minor), words[1], words[2], words[3], glibc, int(answer["free_bytes"]),
                           installed, tuple(map(str, answer["folders"])))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise InfrastructureError(f"the board's answer about its Python cannot be understood: {error!r}") from None


def plan(python: BoardPython, runtimes: Sequence[str], folder: Path,
         tell: Callable[[str], None] = lambda _: None) -> Plan:
    """Choose and download what these runtimes lack, into `folder`. Raises what `download` raises."""
    present = tuple(runtime for runtime in runtimes if _has(python, runtime))
    lacking, found = dict[str, str](), dict[str, BoardWheel]()
    for runtime in runtimes:
        names = ("numpy",) if runtime in present else ("numpy", *DISTRIBUTIONS[runtime])
        missing = [name for name in names if name not in python.installed]
        reason = hindrance(runtime, python) if missing else None
        reason = reason or _fetch([name for name in missing if name not in found], python, folder, found, tell)
        if reason:
            lacking[runtime] = reason
    wanted = tuple(runtime for runtime in runtimes if runtime not in present and runtime not in lacking)
    needed = {"numpy", *(name for runtime in wanted for name in DISTRIBUTIONS[runtime])}
    return Plan(python, present, wanted, lacking, tuple(wheel for name, wheel in found.items() if name in needed))


def _fetch(names: Sequence[str], python: BoardPython, folder: Path, found: dict[str, BoardWheel],
           tell: Callable[[str], None]) -> str | None:
    """Add the wheels of these to `found`; the reason when one has none that fits."""
    for name in names:
        tell(f"downloading {name}")
        wheel = download(name, python, folder)
        if wheel is None:
            return f"the index has no wheel of {name} that fits {python}"
        found[name] = wheel
    return None


def carry_out(board: Board, plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Push and unpack the wheels, and import there what they bring. Raises DeviceError (disk full), and the link's."""
    root = f"{board.folder}/wheels/{plan.python.tag}"
    needed = plan.unpacked_bytes + max((wheel.size_bytes for wheel in plan.wheels), default=0)
    if needed > plan.python.free_bytes:
        raise disk_full(root, needed, plan.python.free_bytes)
    pushed = 0
    for wheel in plan.wheels:
        tell(f"pushing {wheel.name} {wheel.version}")
        remote = f"{root}/{wheel.folder}.whl"
        pushed += board.transport.push(wheel.path, remote, Deadline(60.0 + wheel.size_bytes / SLOWEST_LINK))
        answer = board.ask("unpack", [remote, wheel.folder], 60.0 + wheel.unpacked_bytes / SLOWEST_DISK)
        if "error" in answer:
            raise disk_full(root, wheel.unpacked_bytes, None)
    return _checked(board, plan, pushed, tell)


def _checked(board: Board, plan: Plan, pushed: int, tell: Callable[[str], None]) -> Outcome:
    versions, failed = dict[str, str](), dict[str, str]()
    for runtime in (*plan.present, *plan.wanted):
        tell(f"importing {runtime}")
        try:
            answer = board.ask("check", [runtime], CHECK_WITHIN_S)
        except DeviceError as error:
            answer = {"error": error.message}
        if "error" in answer:
            failed[runtime] = printable(str(answer["error"]))
        elif isinstance(told := answer.get("versions"), dict):
            versions |= {str(name): printable(str(version)) for name, version in told.items()}
        else:
            failed[runtime] = f"the board's answer cannot be understood: {printable(str(answer), 200)}"
    return Outcome(pushed, versions, failed)


def _has(python: BoardPython, runtime: str) -> bool:
    names = ("ai-edge-litert", "tflite-runtime") if runtime == "tflite" else (MAIN[runtime],)
    return any(name in python.installed for name in names)


def _plain(word: object) -> str:
    """A word that may be shown, given to pip and put into a path. Raises ValueError for any other."""
    if not isinstance(word, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,99}", word):
        raise ValueError(f"not a plain word: {word!r}")
    return word


def _decoded(line: str) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise InfrastructureError(f"the board's answer cannot be understood: {printable(line, 200)}")
    return answer
