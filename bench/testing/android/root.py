"""An Android-like arm64 phone's inside: namespaces of this machine's kernel, programs run by qemu.

No Android: a kernel, a file system, a shell and a user as on a phone, with what a stock phone lacks lacking.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.convert.cache import open_cache
from bench.errors import ConfigError
from bench.testing.adbd.root import start
from bench.testing.android import layout
from bench.testing.android.boots import Keeper, born_in, kill_init
from bench.testing.android.needs import why_not
from bench.testing.android.paths import User, inside
from bench.testing.android.profiles import PIXEL, Profile
from bench.testing.android.programs import Programs, programs

SHELL = 2000
"""Android's number for the user and the group that adb's commands run as."""
GROUPS = (1003, 1004, 1007, 1011, 1015, 1028, 3001, 3002, 3003, 3006)
DATA_BYTES = 4 << 30
_USER = User(SHELL, frozenset((SHELL, *GROUPS)))
ENVIRONMENT = {
    "ANDROID_DATA": "/data", "ANDROID_ROOT": "/system", "ANDROID_STORAGE": "/storage", "EXTERNAL_STORAGE": "/sdcard",
    "HOME": "/", "LOGNAME": "shell", "SHELL": "/bin/sh", "TERM": "dumb", "TMPDIR": "/data/local/tmp", "USER": "shell",
    "PATH": "/product/bin:/apex/com.android.runtime/bin:/apex/com.android.art/bin:/system_ext/bin:/system/bin:"
            "/system/xbin:/odm/bin:/vendor/bin:/vendor/xbin",
    # Dot products and half floats, as phones have; torch's dynamic int8 dies of qemu's SVE.
    "QEMU_CPU": "max,sve=off",
}


@contextlib.contextmanager
def android_root(folder: Path, profile: Profile = PIXEL, data_bytes: int = DATA_BYTES,
                 using: Programs | None = None) -> Iterator[AndroidRoot]:
    """A phone that runs until the block ends; nothing of it is left then but the files in `folder`.

    `folder` is empty or missing; `data_bytes` is the size of /data, held in memory as it fills. Its programs are
    downloaded once, into the cache, unless they are given. Raises ConfigError (not on this machine),
    InfrastructureError (a download failed, or it did not start).
    """
    reason = why_not()
    if reason:
        raise ConfigError(f"no emulated phone on this machine: {reason}")
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    layout.make_files(folder, using or programs(open_cache().root / "android"), profile)
    root = AndroidRoot(folder, profile, data_bytes)
    try:
        root.power_on()
        yield root
    finally:
        root.close()


class AndroidRoot:
    """A running phone; implements the daemon's `Root`."""

    owner = (SHELL, SHELL)

    def __init__(self, folder: Path, profile: Profile, data_bytes: int) -> None:
        """Switched off; its files are laid out in `folder`. Raises InfrastructureError."""
        self.folder = folder
        self.profile = profile
        self.boot_id = ""
        self.init = 0
        """The number, on this machine, of the phone's first process; 0 while it is off."""
        self._lock = threading.RLock()
        self._started: list[subprocess.Popen[bytes]] = []
        self._keeper = Keeper(folder, data_bytes, SHELL)

    def spawn(self, line: str, *, pty: bool = False) -> subprocess.Popen[bytes]:
        """Run `sh -c line` (an interactive shell for an empty line) as Android's shell user.

        The process is the shell itself, as this machine numbers it: its signals and its exit status are the shell's
        own. Raises OSError when the phone is off.
        """
        with self._lock:
            self._started = [process for process in self._started if process.returncode is None]
            if not self.init:
                raise _off(line)
            with born_in(self.init, len(self.profile.cores)):
                process = start([*self._entering(), "/system/bin/sh", *(["-c", line] if line else [])], pty=pty)
            self._started.append(process)
        return process

    def path(self, remote: str, *, follow: bool = True) -> Path:
        """Where a file of the phone lies on this machine, never outside of the phone; a link only without `follow`.

        Raises OSError: the phone is off, or what `inside` raises for Android's shell user.
        """
        if not self.init:
            raise _off(remote)
        # By way of one of its folders, because the first part alone is a link.
        return inside(Path(f"/proc/{self.init}/root/system/.."), remote, _USER, follow=follow)

    def change(self, **changes: Any) -> None:
        """Let the running phone tell something else: fields of its profile, as `dataclasses.replace` takes them."""
        self.profile = replace(self.profile, **changes)
        layout.show(self.folder, self.profile)

    def power_on(self) -> None:
        """Boot, with a new boot id. Raises InfrastructureError."""
        with self._lock:
            self.boot_id = layout.new_boot_id(self.folder)
            self.init = self._keeper.boot()

    def power_off(self) -> None:
        """Kill all that runs on the phone, and return when it is gone; /data stays. Raises DeadlineExceeded."""
        with self._lock:
            if self.init:
                kill_init(self.init, self._started)
            self.init, self._started = 0, []

    def power_cycle(self) -> None:
        """Reboot, as after a power cut."""
        with self._lock:
            self.power_off()
            self.power_on()

    def close(self) -> None:
        """Switch off for good; /data is lost."""
        try:
            self.power_off()
        finally:
            self._keeper.close()

    def _entering(self) -> list[str]:
        """The commands that turn into a process of the phone; each is replaced by the next."""
        namespaces = [f"--{kind}=/proc/{self.init}/ns/{file}"
                      for kind, file in (("user", "user"), ("mount", "mnt"), ("uts", "uts"), ("net", "net"))]
        variables = ENVIRONMENT | {"QEMU_UNAME": self.profile.kernel}
        return [_tool("setpriv"), f"--regid={SHELL}", f"--groups={','.join(map(str, GROUPS))}",
                _tool("env"), "-i", *(f"{name}={value}" for name, value in variables.items()),
                _tool("nsenter"), "--preserve-credentials", f"--setuid={SHELL}", *namespaces]


def _off(what: str) -> OSError:
    return OSError(errno.ENODEV, "the phone is off", what)


def _tool(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} was there when the phone was started"
    return found
