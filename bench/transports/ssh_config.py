"""Where an SSH device is and how to log in there: devices.yaml first, then the files of `ssh`."""

from __future__ import annotations

import getpass
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from bench.config.devices import SshConfig
from bench.errors import ConfigError
from bench.transports.known_hosts import HostName
from bench.transports.quoting import local_shell

DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
SYSTEM_FILES = (Path("/etc/ssh/ssh_config"), Path("/etc/ssh/ssh_known_hosts"))

_PLAIN = re.compile(r"[^\s\x00-\x1f\x7f'\"`$\\;&<>|(){}-][^\s\x00-\x1f\x7f'\"`$\\;&<>|(){}]*\Z")
_INCLUDE = re.compile(r"\s*include(?:\s*=\s*|\s+)(.+)", re.IGNORECASE)
_HOST = re.compile(r"\s*host(?:\s*=\s*|\s+)(.+)", re.IGNORECASE)
_BLOCK = re.compile(r"\s*(?:host|match)\b", re.IGNORECASE)


@dataclass(frozen=True)
class SshTarget:
    """One place to log in to."""

    host: HostName
    user: str
    keys: tuple[Path, ...]
    """Key files that were asked for, by devices.yaml or IdentityFile; else the usual ones that exist."""
    only_these: bool
    """No keys of the ssh-agent but these."""
    known_hosts: tuple[Path, ...]
    """The first is the one to which new keys belong."""
    proxy: tuple[str, ...] | None
    """A command whose standard streams are the connection."""

    def __str__(self) -> str:
        return f"{self.user}@{self.host.host}:{self.host.port}"


def resolve(config: SshConfig, device: str) -> SshTarget:
    """What to connect to. Values of `config` win over ~/.ssh/config, which wins over /etc/ssh/ssh_config.

    Raises ConfigError for a file that cannot be understood, a key file that is not there, a name that cannot be one.
    """
    for what, word in (("host", config.host), ("user", config.user)):
        if word is not None and not _PLAIN.match(word):
            raise ConfigError(f"device {device!r}: `{what}: {word!r}` cannot be the {what} of an SSH connection")
    home = Path.home()
    values = _lookup(config, home)
    host, port = values["hostname"], _port(values.get("port", "22"), device)
    user = config.user or values.get("user") or getpass.getuser()
    keys, asked_for = _keys(config, values, home, device)
    files = values.get("userknownhostsfile") or "~/.ssh/known_hosts"
    users = [config.known_hosts] if config.known_hosts else [Path(word) for word in shlex.split(files)]
    return SshTarget(
        host=HostName(host, port, values.get("hostkeyalias") or host), user=user, keys=keys,
        only_these=config.key is not None or (asked_for and values.get("identitiesonly", "no").lower() == "yes"),
        known_hosts=(*(path.expanduser() for path in users), SYSTEM_FILES[1]), proxy=_proxy(values, host, port))


def _lookup(config: SshConfig, home: Path) -> dict[str, str]:
    """The options that hold for this host, names in lower case; `identityfile` is one path a line."""
    import paramiko

    own = [f"{name} {value}" for name, value in (("Port", config.port), ("User", config.user)) if value is not None]
    lines = ["Host *", *own]
    for file in (home / ".ssh" / "config", SYSTEM_FILES[0]):
        lines += ["Host *", *_lines(file, home)]
    try:
        found = paramiko.SSHConfig.from_text("\n".join(lines)).lookup(config.host)
    except (paramiko.SSHException, ImportError, KeyError, ValueError) as error:
        raise ConfigError(f"cannot understand the ssh configuration in {home / '.ssh' / 'config'}: {error}",
                          hint="`Match exec` and canonical names are not supported here: use a `Host` block") from error
    return {name: "\n".join(value) if isinstance(value, list) else value for name, value in found.items()
            if value is not None}


def aliases() -> list[str]:
    """The hosts that ~/.ssh/config names, patterns left out, in its order. Raises ConfigError."""
    home = Path.home()
    found: list[str] = []
    for line in _lines(home / ".ssh" / "config", home):
        match = _HOST.match(line)
        try:
            found += shlex.split(match[1]) if match else []
        except ValueError as error:
            raise ConfigError(f"cannot understand {line.strip()!r} in {home / '.ssh' / 'config'}: {error}") from None
    return [name for name in dict.fromkeys(found) if _PLAIN.match(name) and not set(name) & set("*?!")]


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
            for pattern in shlex.split(include[1]):
                path = base / Path(pattern).expanduser()
                for found in sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))):
                    lines += _lines(found, home, depth + 1)
            lines.append(block)
    return lines


def _port(text: str, device: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ConfigError(f"device {device!r}: `Port {text}` in the ssh configuration is not a port (1 to 65535)")
    return int(text)


def _keys(config: SshConfig, values: dict[str, str], home: Path, device: str) -> tuple[tuple[Path, ...], bool]:
    """The key files to try, and whether somebody asked for them by name."""
    if config.key is not None:
        key = config.key.expanduser()
        if not key.is_file():
            raise ConfigError(f"device {device!r}: `key: {config.key}` is not a file",
                              hint=f"make one with: ssh-keygen -t ed25519 -f {key}")
        return (key,), True
    if "identityfile" in values:
        return tuple(Path(line).expanduser() for line in values["identityfile"].splitlines()), True
    usual = (home / ".ssh" / name for name in DEFAULT_KEYS)
    return tuple(path for path in usual if path.is_file()), False


def _proxy(values: dict[str, str], host: str, port: int) -> tuple[str, ...] | None:
    """The command of ProxyJump (which is `ssh -W`, as ssh itself does it) or of ProxyCommand."""
    jumps = values.get("proxyjump", "none")
    if jumps.lower() != "none":
        *before, last = jumps.split(",")
        via = ["-J", ",".join(before)] if before else []
        if not all(_PLAIN.match(jump) for jump in jumps.split(",")):
            raise ConfigError(f"`ProxyJump {jumps}` in the ssh configuration is not a list of [user@]host[:port]")
        address = last if last.startswith("ssh://") else f"ssh://{last}"
        return ("ssh", "-o", "BatchMode=yes", *via, "-W", f"[{host}]:{port}", address)
    command = values.get("proxycommand")
    return tuple(local_shell(command)) if command else None
