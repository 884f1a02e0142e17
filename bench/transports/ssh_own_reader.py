"""The files of `ssh`, read without it."""

from __future__ import annotations

import os
import pwd
import re
import shlex
from pathlib import Path

from bench.config.devices import SshConfig
from bench.deadline import Deadline
from bench.errors import ConfigError, DeadlineExceeded
from bench.transports.background import in_background
from bench.transports.ssh_tokens import at_home, local_user

PLAIN = re.compile(r"[^\s\x00-\x1f\x7f'\"`$\\;&<>|(){}-][^\s\x00-\x1f\x7f'\"`$\\;&<>|(){}]*\Z")
"""A host, a user or a jump that no shell and no command takes for something else."""
SYSTEM_FILE = Path("/etc/ssh/ssh_config")

_INCLUDE = re.compile(r"\s*include(?:\s*=\s*|\s+)(.+)", re.IGNORECASE)
_HOST = re.compile(r"\s*host(?:\s*=\s*|\s+)(.+)", re.IGNORECASE)
_BLOCK = re.compile(r"\s*(?:host|match)\b", re.IGNORECASE)


def read_options(config: SshConfig, home: Path, deadline: Deadline) -> dict[str, tuple[str, ...]]:
    """The options that hold for the host of `config`, names in lower case. Raises ConfigError, DeadlineExceeded."""
    import paramiko

    if not local_user():
        raise ConfigError(f"this account (number {os.getuid()}) has no name, and the ssh configuration needs one",
                          hint="set LOGNAME, or add the account to /etc/passwd")
    own = [f"{name} {value}" for name, value in (("Port", config.port), ("User", config.user)) if value is not None]
    lines = ["Host *", *own]
    for file in (home / ".ssh" / "config", SYSTEM_FILE):
        lines += ["Host *", *_lines(file, home)]
    # In a thread, for it may run commands (Match exec) and look up names.
    answer = in_background(lambda: paramiko.SSHConfig.from_text("\n".join(lines)).lookup(config.host))
    try:
        found = answer.result(deadline.left())
    except TimeoutError as error:
        raise DeadlineExceeded(f"the ssh configuration of {config.host!r} was not read within {deadline.seconds:g} s",
                               hint="see what `Match exec` in it runs") from error
    except (paramiko.SSHException, ImportError, KeyError, ValueError, OSError) as error:
        raise ConfigError(f"cannot understand the ssh configuration in {home / '.ssh' / 'config'}: {error}",
                          hint="`Match exec` and canonical names need the program `ssh`, which looks into the home "
                               "folder of the account: install it, or use a `Host` block") from error
    return {name: tuple(value) if isinstance(value, list) else (value,) for name, value in found.items()
            if value is not None}


def home_of_ssh() -> Path:
    """The home folder whose `.ssh` counts. `ssh` takes the account's; HOME, where it is another, needs a `.ssh`."""
    account, told = account_home(), os.environ.get("HOME", "")
    return Path(told or "/") if account is None or (told and Path(told, ".ssh").is_dir()) else account


def account_home() -> Path | None:
    """The home folder that the system has for this user."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def aliases() -> list[str]:
    """The hosts that ~/.ssh/config names, patterns left out, in its order. Raises ConfigError."""
    home = home_of_ssh()
    found: list[str] = []
    for line in _lines(home / ".ssh" / "config", home):
        match = _HOST.match(line)
        found += _words(match[1], line, home / ".ssh" / "config") if match else []
    return [name for name in dict.fromkeys(found) if PLAIN.match(name) and not set(name) & set("*?!")]


def _lines(file: Path, home: Path, depth: int = 0) -> list[str]:
    """The file's lines, with those of its Include files in their place."""
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return []
    lines, block = [], "Host *"
    for line in text.splitlines():
        include = _INCLUDE.match(line)
        block = line if _BLOCK.match(line) else block
        if include is None:
            lines.append(line)
        elif depth < 16:
            base = file.parent if file.parent.name == "ssh" else home / ".ssh"
            for pattern in _words(include[1], line, file):
                for found in _files(base / at_home(pattern, str(home)), line, file):
                    lines += _lines(found, home, depth + 1)
            lines.append(block)
    return lines


def _files(pattern: Path, line: str, file: Path) -> list[Path]:
    try:
        # Two asterisks are one to ssh; to Path.glob they are all folders below.
        return sorted(Path(pattern.anchor).glob(re.sub(r"\*+", "*", str(pattern.relative_to(pattern.anchor)))))
    except ValueError as error:
        raise _not_understood(line, file, error) from None


def _words(text: str, line: str, file: Path) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise _not_understood(line, file, error) from None


def _not_understood(line: str, file: Path, error: ValueError) -> ConfigError:
    return ConfigError(f"cannot understand {line.strip()!r} in {file}: {error}", hint="correct that line")
