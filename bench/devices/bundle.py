"""Puts a bundle's layers on a device, and makes sure that its Python runs there."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.bundles.launcher import launcher_name, launcher_text
from bench.bundles.layers import Bundle, Layer
from bench.deadline import Deadline
from bench.devices.bundle_scripts import LOOK, PROBE, UNPACK
from bench.devices.script import run_script, said
from bench.errors import DeviceError, InfrastructureError
from bench.transports.base import Transport
from bench.transports.files import disk_full
from bench.transports.talk import free_bytes
from bench.units import mebibytes

CONNECT_WITHIN_S = 30.0
LOOK_WITHIN_S = 60.0
PROBE_WITHIN_S = 180.0
SLOWEST_LINK = 200_000
SLOWEST_DISK = 1_000_000
"""Bytes per second, below which a device is given up."""

_CODE = "import importlib.util; importlib.util.find_spec('numpy') and __import__('numpy'); print(1)"
_NO_EXECUTION = "nothing may be executed in its work folder"
_ELSEWHERE_HINT = ("point `workdir` of this device to a folder from which programs may be started; "
                   "/sdcard and its like never allow it")
_SIGNALS = {4: "its processor lacks an instruction that the bundle uses (SIGILL)", 9: "it was killed: out of memory?",
            11: "it crashed (SIGSEGV)", 31: "its kernel forbids a system call that the bundle makes (SIGSYS)"}
_WORDS = (
    (r"not executable: (32|64)-bit ELF|[Ee]xec format error", "its kernel does not run 64-bit arm programs", ""),
    (r"[Pp]ermission denied", _NO_EXECUTION, _ELSEWHERE_HINT),
    (r"FATAL: kernel too old", "its kernel is older than the bundle's C library needs", ""),
    (r"[Bb]ad system call", _SIGNALS[31], ""),
    (r"[Ii]llegal instruction", _SIGNALS[4], ""),
    (r"[Nn]o space left", "its disk is full", "free space there"),
)


@dataclass(frozen=True)
class Deployed:
    """A Python that runs on the device: its absolute path, and what putting it there took."""

    python: str
    pushed_bytes: int
    pushed: tuple[str, ...]
    """The layers that were not there before, by name."""


@dataclass
class _Seen:
    """What a device answered to the first look."""

    machine: str = "unknown"
    abis: str = ""
    shell: str = "/bin/sh"
    root: str = ""
    free_bytes: int | None = None
    layers: set[str] = field(default_factory=set)
    launchers: set[str] = field(default_factory=set)


def deploy(transport: Transport, workdir: str, bundle: Bundle,
           tell: Callable[[str], None] = lambda _: None) -> Deployed:
    """Make the bundle's Python start on the device; what is there already is not sent again.

    Raises DeviceError ("bundle not runnable: REASON", also when there is no space), and what the link raises.
    """
    seen = _look(transport, f"{workdir}/bundle", bundle)
    _check_machine(seen, bundle)
    name = launcher_name(bundle, seen.shell)
    deployed = Deployed(f"{seen.root}/{name}", 0, ())
    missing = [layer for layer in bundle.layers if layer.folder not in seen.layers]
    if not missing and name in seen.launchers:
        return deployed
    _check_space(seen, missing)
    pushed = 0
    for layer in missing:
        tell(f"pushing {layer.name}, {mebibytes(layer.archive_bytes)} MiB")
        pushed += _put(transport, layer, seen.root)
    tell("starting the bundle's Python")
    pushed += _put_launcher(transport, bundle, seen)
    return Deployed(deployed.python, pushed, tuple(layer.name for layer in missing))


def _look(transport: Transport, root: str, bundle: Bundle) -> _Seen:
    seen = _Seen()
    done, answers = run_script(transport, LOOK, [root, *(layer.folder for layer in bundle.layers)], LOOK_WITHIN_S)
    for key, value in answers:
        if key == "free":
            seen.free_bytes = free_bytes([value])
        elif key == "have":
            seen.layers.add(value)
        elif key == "launcher":
            seen.launchers.add(value)
        elif key in ("machine", "abis", "shell", "root") and value:
            setattr(seen, key, value)
    if not seen.root:
        raise DeviceError(f"cannot make the folder {root}: {said(done)}",
                          hint="make it writable, or point `workdir` of this device elsewhere")
    if ("forbidden", "") in answers:
        raise _not_runnable(f"{_NO_EXECUTION}: {said(done)}", _ELSEWHERE_HINT)
    return seen


def _check_machine(seen: _Seen, bundle: Bundle) -> None:
    """Raises DeviceError for a device that runs no program of the bundle's architecture."""
    if bundle.architecture == "any":
        return
    wanted = bundle.architecture
    if seen.abis:
        fits, has = "arm64-v8a" in seen.abis.split(","), f"its ABIs are {seen.abis}"
    else:
        fits, has = seen.machine in ("aarch64", "arm64"), f"it is {seen.machine}"
    if not fits:
        narrow = "it is 32-bit only" if re.match(r"arm|i.86", seen.machine) or "v7a" in seen.abis else has
        raise _not_runnable(f"{narrow}, and the bundle is for {wanted}" + (f" ({has})" if narrow != has else ""),
                            "use a device with a 64-bit arm system, or name its own Python with python:")


def _check_space(seen: _Seen, missing: Sequence[Layer]) -> None:
    unpacked = sum(layer.unpacked_bytes for layer in missing)
    largest = max((layer.archive_bytes for layer in missing), default=0)
    if seen.free_bytes is not None and seen.free_bytes < unpacked + largest:
        raise _not_runnable(
            f"{seen.root} has {mebibytes(seen.free_bytes)} MiB free, and needs {mebibytes(unpacked)} MiB for the "
            f"unpacked layers and {mebibytes(largest)} MiB for the largest archive on its way",
            "free space there, or point `workdir` of this device elsewhere")


def _put(transport: Transport, layer: Layer, root: str) -> int:
    """Push a layer's archive and unpack it. Bytes sent."""
    sent = transport.push(layer.archive, f"{root}/{layer.folder}.tar.gz",
                          Deadline(60.0 + layer.archive_bytes / SLOWEST_LINK))
    done, answers = run_script(transport, UNPACK, [root, layer.folder, str(layer.files)],
                         60.0 + layer.unpacked_bytes / SLOWEST_DISK)
    if not answers:
        raise InfrastructureError(f"unpacking {layer.name} on the device gave no answer: {said(done)}")
    kind, value = answers[-1]
    if kind == "done":
        return sent
    words = said(done)
    if "space" in words:
        raise disk_full(root, layer.unpacked_bytes, None)
    if kind == "files":
        words = f"{value} files came of it, not {layer.files} ({words})"
    raise _not_runnable(f"the layer {layer.name} could not be unpacked: {words}", "check the device's disk")


def _put_launcher(transport: Transport, bundle: Bundle, seen: _Seen) -> int:
    """Push the launcher, and give it its name once it has run. Bytes sent."""
    name = launcher_name(bundle, seen.shell)
    new = f"{name}.{secrets.token_hex(4)}.new"
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / name
        script.write_text(launcher_text(bundle, seen.shell), encoding="utf-8")
        sent = transport.push(script, f"{seen.root}/{new}", Deadline(LOOK_WITHIN_S))
    done, answers = run_script(transport, PROBE, [seen.root, name, new, _CODE], PROBE_WITHIN_S)
    kind, value = answers[-1] if answers else ("", "")
    if kind != "probe" or not re.fullmatch("[0-9]{1,3}", value):
        raise InfrastructureError(f"the first start of the bundle's Python gave no answer: {said(done)}")
    if value != "0":
        raise _explained(int(value), said(done), seen.root)
    return sent


def _explained(status: int, words: str, root: str) -> DeviceError:
    """Why the probe failed, from its exit code and the device's own words."""
    for pattern, reason, hint in _WORDS:
        if re.search(pattern, words):
            return _not_runnable(f"{reason}: {words}", hint)
    if status > 128:
        return _not_runnable(f"{_SIGNALS.get(status - 128, f'signal {status - 128} ended it')}: {words}", "")
    return _not_runnable(f"{words} (exit code {status})", f"remove {root} on the device, and try again")


def _not_runnable(reason: str, hint: str) -> DeviceError:
    return DeviceError(f"bundle not runnable: {reason}", hint=hint)
