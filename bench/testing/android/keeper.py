"""The process that owns the phone's namespaces and its /data, and starts the phone's first process at each boot.

Started by `root.py` as `python -m bench.testing.android.keeper SETTINGS`. Three generations; the later two are killed
when the one before them ends:

    keeper      user namespace, binfmt_misc in it, the file system of /data: all that outlives a boot
      starter   mount, pid, network and host name namespaces of one boot
        init    process 1 in there: adopts orphans, and ends the whole boot when it is killed

It says one line of JSON for each thing done and reads one line for each thing to do; it ends with its input.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from bench.testing.android import kernel

ARM64 = (r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
         r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff")
_SET_FLAGS, _UP = 0x8914, 0x1
DEVICES = ("null", "zero", "full", "urandom", "tty")


def main() -> None:
    """Serve until the end of the input."""
    settings = json.loads(sys.argv[1])
    starter = 0
    try:
        kernel.unshare(kernel.NEW_USER | kernel.NEW_MOUNTS)
        _tell(unshared=True)
        sys.stdin.readline()  # the uid map is written now
        _prepare(settings)
        _tell(ready=True)
        for _ in sys.stdin:
            _end(starter)
            starter = _boot(settings)
    except OSError as error:
        _tell(error=_reason(error))
    _end(starter)


def _prepare(settings: dict[str, Any]) -> None:
    """What outlives a boot."""
    os.setgroups([])
    kernel.mount("none", "/", None, kernel.PRIVATE)
    kernel.mount("binfmt_misc", settings["binfmt"], "binfmt_misc")
    (Path(settings["binfmt"]) / "register").write_text(f"{ARM64}:{settings['qemu']}:FP")
    kernel.mount("tmpfs", settings["data"], "tmpfs", kernel.NO_SETUID | kernel.NO_DEVICES,
                 f"size={settings['data_bytes']},mode=771,uid=1000,gid=1000")
    os.umask(0)
    for name, mode, owner in (("local", 0o751, 0), ("local/tmp", 0o771, settings["shell"]), ("media", 0o770, 0),
                              ("media/0", 0o770, settings["shell"])):
        folder = Path(settings["data"]) / name
        folder.mkdir(mode)
        os.chown(folder, owner, owner)


def _boot(settings: dict[str, Any]) -> int:
    """The starter of a new boot, told once init has set everything up, or has not."""
    reading, writing = os.pipe()
    starter = os.fork()
    if starter == 0:
        os.close(reading)
        _start(settings, writing)
    os.close(writing)
    with os.fdopen(reading) as lines:
        _tell(**json.loads(lines.readline() or '{"error": "it ended at once"}'))
    return starter


def _end(starter: int) -> None:
    if starter:
        os.kill(starter, signal.SIGKILL)
        os.waitpid(starter, 0)


def _start(settings: dict[str, Any], keeper: int) -> None:
    """The starter's life: never returns."""
    try:
        kernel.die_with_parent()
        kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_PIDS | kernel.NEW_NAMES | kernel.NEW_NET)
        reading, writing = os.pipe()
        init = os.fork()
        if init == 0:
            os.close(keeper)
            os.close(reading)
            _init(settings, writing)
        os.close(writing)
        with os.fdopen(reading) as said:
            error = said.read()
        os.write(keeper, json.dumps({"error": error} if error else {"init": init}).encode() + b"\n")
        os.close(keeper)
        os.waitpid(init, 0)
    except OSError as error:
        os.write(keeper, json.dumps({"error": _reason(error)}).encode() + b"\n")
    finally:
        os._exit(0)


def _init(settings: dict[str, Any], starter: int) -> None:
    """Init's life: never returns."""
    try:
        kernel.die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that ended, adopted ones too, leave at once
        _set_up(settings)
        for number in (0, 1, 2, starter):
            os.close(number)
        while True:
            signal.pause()
    except OSError as error:
        os.write(starter, _reason(error).encode())
    finally:
        os._exit(1)


def _set_up(settings: dict[str, Any]) -> None:
    """The phone's file systems, the only ones from then on; its name, and a network of nothing but itself."""
    root = settings["root"]
    socket.sethostname("localhost")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))
    kernel.bind(root, root, kernel.READ_ONLY)
    kernel.mount("proc", f"{root}/proc", "proc", kernel.NO_SETUID | kernel.NO_DEVICES | kernel.NO_EXEC)
    for name in settings["proc"]:
        kernel.bind(f"{settings['proc_files']}/{name}", f"{root}/proc/{name}")
    kernel.mount("tmpfs", f"{root}/dev", "tmpfs", kernel.NO_SETUID, "mode=755,size=64k")
    for name in DEVICES:
        Path(root, "dev", name).touch()
        kernel.bind(f"/dev/{name}", f"{root}/dev/{name}")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path(root, "dev", name).symlink_to(f"/proc/self/fd{target}")
    kernel.bind(settings["data"], f"{root}/data")
    kernel.bind(f"{settings['data']}/media/0", f"{root}/storage/emulated/0", kernel.NO_EXEC)
    kernel.enter_root(root)


def _reason(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}"


def _tell(**message: object) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
