"""The options that `ssh` has for a host: asked of `ssh` itself, else read from its files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.config.devices import SshConfig
from bench.deadline import Deadline
from bench.errors import ConfigError, DeadlineExceeded, InfrastructureError
from bench.transports.quoting import for_people
from bench.transports.ssh_own_reader import account_home, home_of_ssh, read_options
from bench.transports.text import printable

NO_PROMPTS = {"SSH_ASKPASS_REQUIRE": "never"}
"""Environment of every `ssh` that is started here: nobody may be there to answer."""
_NO_SUCH_HOST = "Could not resolve hostname"


@dataclass(frozen=True)
class Options:
    """What holds for a host. Names are in lower case."""

    values: Mapping[str, tuple[str, ...]]
    home: Path
    """The home folder whose `.ssh` counts."""
    file: Path | None
    """The user's file, where `ssh` would not look for it by itself."""

    def one(self, name: str, default: str = "") -> str:
        """An option's value; `default` where it is not set, or set to `none`."""
        value = self.values.get(name, ("none",))[0]
        return default if value.lower() == "none" else value

    def several(self, name: str) -> tuple[str, ...] | None:
        """All values of an option that may be repeated; None where it is not set."""
        values = self.values.get(name)
        return None if values is None else tuple(value for value in values if value.lower() != "none")


def options_of(config: SshConfig, deadline: Deadline) -> Options:
    """What holds for the host of `config`, whose port and user win over the files of ssh.

    `ssh` looks into the account's home folder, whatever HOME says. Where HOME is another one that has a `.ssh`, or
    there is no `ssh`, the files are read without it. Raises ConfigError for files that cannot be used,
    InfrastructureError for a name that ssh was told to resolve and could not, DeadlineExceeded.
    """
    home = home_of_ssh()
    if shutil.which("ssh") is not None and home == account_home():
        return Options(_ask(config, deadline), home, None)
    file = home / ".ssh" / "config"
    return Options(read_options(config, home, deadline), home, file if file.is_file() else None)


def _ask(config: SshConfig, deadline: Deadline) -> dict[str, tuple[str, ...]]:
    """What `ssh -G` prints. It may run commands (Match exec) and look up names, hence the deadline."""
    given = [f"-o{name}={value}" for name, value in (("Port", config.port), ("User", config.user)) if value is not None]
    argv = ["ssh", "-T", "-G", *given, "--", config.host]
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**os.environ, **NO_PROMPTS}, start_new_session=True)
    try:
        shown, said = child.communicate(timeout=deadline.left())
    except subprocess.TimeoutExpired as error:
        raise DeadlineExceeded(f"`{for_people(argv)}` did not end within {deadline.seconds:g} s",
                               hint="see what `Match exec` in the ssh configuration runs") from error
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.returncode != 0:
        raise _unusable(config.host, in_one_line(said))
    found: dict[str, tuple[str, ...]] = {}
    for line in shown.decode("utf-8", "surrogateescape").splitlines():
        name, _, value = line.partition(" ")
        found[name] = (*found.get(name, ()), value)
    return found


def in_one_line(said: bytes) -> str:
    """What `ssh` wrote to standard error, fit to show; its lines end as a terminal in raw mode needs it."""
    lines = (line.strip(" @") for line in said.decode("utf-8", "backslashreplace").splitlines())
    return printable("; ".join(line for line in lines if line))


def _unusable(host: str, said: str) -> ConfigError | InfrastructureError:
    told = said or "it ended without a word"
    if _NO_SUCH_HOST in said:
        return InfrastructureError(f"there is no host named {host!r}: {told}")
    return ConfigError(f"ssh cannot use its configuration for the host {host!r}: {told}",
                       hint="correct the ssh configuration; `ssh -G` shows what it makes of it")
