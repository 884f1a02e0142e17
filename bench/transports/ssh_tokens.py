"""What stands for something else in values of the ssh configuration: `%h`, `${NAME}`, `~`."""

from __future__ import annotations

import getpass
import hashlib
import os
import pwd
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from bench.errors import ConfigError

_TOKEN = re.compile(r"%(.?)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def tokens(*, asked: str, host: str, port: int, user: str, alias: str, jumps: str, home: Path) -> dict[str, str]:
    """What each token stands for; `asked` is the host's name as it was given, before HostName."""
    here = socket.gethostname()
    whole = hashlib.sha1(f"{here}{host}{port}{user}{jumps}".encode("utf-8", "surrogateescape"), usedforsecurity=False)
    return {"%": "%", "h": host, "p": str(port), "r": user, "n": asked, "k": alias or asked, "j": jumps,
            "d": str(home), "u": local_user(), "i": str(os.getuid()), "l": here, "L": here.partition(".")[0],
            "C": whole.hexdigest()}


def local_user() -> str:
    """The name of who runs this; "" for a number that the system has no name for (in a container, say)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def expand(text: str, known: Mapping[str, str]) -> str:
    """`text` with its tokens replaced. Raises ConfigError for one that is not known."""
    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise ConfigError(f"`{found[0]}` in {text!r} of the ssh configuration stands for nothing known here",
                              hint="known are: " + " ".join(f"%{name}" for name in known))
        return known[found[1]]

    return _TOKEN.sub(value, text)


def expand_path(text: str, known: Mapping[str, str]) -> Path:
    """A path, with `~`, tokens and `${NAME}` replaced. Raises ConfigError for what is not known or not set."""
    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ConfigError(f"{text!r} in the ssh configuration names a variable that is not set",
                              hint=f"set {found[1]} in the environment of bench")
        return os.environ[found[1]]

    at = at_home(text, known["d"].replace("%", "%%"))
    path = _VARIABLE.sub(value, expand(at, known))
    if at.startswith("~") or "\0" in path:
        reason = "names a user that this machine does not have" if at.startswith("~") else "is not a path"
        raise ConfigError(f"{text!r} in the ssh configuration {reason}", hint="correct the ssh configuration")
    return Path(path)


def at_home(text: str, home: str) -> str:
    """`text` with a leading `~` replaced by this home folder, a leading `~NAME` by that account's, if there is one."""
    name = text.partition("/")[0]
    if not name.startswith("~"):
        return text
    try:
        return (home if name == "~" else pwd.getpwnam(name[1:]).pw_dir) + text[len(name):]
    except (KeyError, ValueError):
        return text
