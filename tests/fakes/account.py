"""A home folder that is the account's own in the eyes of `ssh`, which does not ask HOME: by Debian's libnss-wrapper."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/libnss_wrapper.so"))), None)


def why_not() -> str:
    """The reason why no account can be had here, or an empty string."""
    if shutil.which("ssh") is None:
        return "needs ssh (Debian: openssh-client)"
    return "" if LIBRARY is not None else "needs libnss_wrapper.so (Debian: libnss-wrapper)"


def live_in(home: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make `home` the home folder of this process's account, for itself and for the programs that it starts.

    `folder` takes the list of accounts.
    """
    me = pwd.getpwuid(os.getuid())
    mine = f"{me.pw_name}:x:{me.pw_uid}:{me.pw_gid}::{home}:/bin/sh\n"
    others = [line for line in Path("/etc/passwd").read_text().splitlines(keepends=True)
              if not line.startswith(f"{me.pw_name}:")]
    (folder / "passwd").write_text(mine + "".join(others))
    patch.setenv("LD_PRELOAD", str(LIBRARY))
    patch.setenv("NSS_WRAPPER_PASSWD", str(folder / "passwd"))
    patch.setenv("NSS_WRAPPER_GROUP", "/etc/group")
    patch.setenv("HOME", str(home))
    # This process began without the library, so it is told what its children see.
    known = pwd.struct_passwd((me.pw_name, "x", me.pw_uid, me.pw_gid, "", str(home), "/bin/sh"))
    look_up = pwd.getpwuid
    patch.setattr(pwd, "getpwuid", lambda uid: known if uid == me.pw_uid else look_up(uid))
