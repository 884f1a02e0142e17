"""Where an SSH device is and how to log in there: devices.yaml first, then the configuration of `ssh`."""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.config.devices import SshConfig
from bench.deadline import Deadline
from bench.errors import ConfigError
from bench.transports.known_hosts import HostName
from bench.transports.quoting import for_people, local_shell
from bench.transports.ssh_lookup import Options, options_of
from bench.transports.ssh_own_reader import PLAIN
from bench.transports.ssh_tokens import expand, expand_path, local_user, tokens

DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa")
"""The names that `ssh` tries, in its order; those that are not there are passed over in silence."""
SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}

_NEXT_PATH = re.compile(r"\s+(?=[/~$%])")
_AGENT_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)\Z")


@dataclass(frozen=True)
class SshTarget:
    """One place to log in to."""

    host: HostName
    user: str
    keys: tuple[Path, ...]
    """Key files that were asked for, by devices.yaml or IdentityFile; else the usual ones that exist."""
    certificates: tuple[Path, ...]
    """Certificates of keys, besides those that lie beside the key files."""
    only_these: bool
    """No keys of the ssh-agent but these."""
    agent: Path | None
    """The ssh-agent's socket."""
    takes_keys: bool
    """False where the configuration of `ssh` forbids to log in by key."""
    known_hosts: tuple[Path, ...]
    """The first is the one to which new keys belong. May be empty."""
    revoked: Path | None
    """A list of keys that no host may show."""
    proxy: tuple[str, ...] | None
    """A command whose standard streams are the connection."""
    proxy_hands_over: bool
    """The command connects, passes the connection on through its standard output, and ends."""
    family: socket.AddressFamily
    source: str
    """The address of this machine to connect from; "" for any."""
    by_hand: tuple[str, ...]
    """What follows `ssh` where somebody wants to try."""

    def __str__(self) -> str:
        return f"{self.user}@{self.host.host}:{self.host.port}"


def resolve(config: SshConfig, device: str, deadline: Deadline) -> SshTarget:
    """What to connect to. Values of `config` win over ~/.ssh/config, which wins over /etc/ssh/ssh_config.

    Raises ConfigError for a file that cannot be understood, a key file that is not there, a name that cannot be one;
    InfrastructureError and DeadlineExceeded as `options_of` does.
    """
    for what, word in (("host", config.host), ("user", config.user)):
        if word is not None and not PLAIN.match(word):
            raise ConfigError(f"device {device!r}: `{what}: {word!r}` cannot be the {what} of an SSH connection")
    options = options_of(config, deadline)
    host, port = options.one("hostname", config.host), _port(options.one("port", "22"), device)
    user = config.user or options.one("user") or local_user()
    _check_text(host=host, user=user)
    alias, jumps = options.one("hostkeyalias"), options.one("proxyjump")
    known = tokens(asked=config.host, host=host, port=port, user=user, alias=alias, jumps=jumps, home=options.home)
    proxy = _proxy(options, host, port, known)
    revoked = options.one("revokedhostkeys")
    return SshTarget(
        host=HostName(host, port, alias, _accepting(config) if proxy else ""), user=user,
        keys=_keys(config, options, device, known),
        certificates=tuple(expand_path(text, known) for text in options.several("certificatefile") or ()),
        only_these=config.key is not None or options.one("identitiesonly", "no") == "yes",
        agent=_agent(options.values.get("identityagent", ("SSH_AUTH_SOCK",))[0], known),
        takes_keys=_takes_keys(options), known_hosts=_known_hosts(config, options, known),
        revoked=expand_path(revoked, known) if revoked else None, proxy=proxy,
        proxy_hands_over=options.one("proxyusefdpass", "no") == "yes" and not jumps,
        family=FAMILIES.get(options.one("addressfamily"), socket.AF_UNSPEC), source=options.one("bindaddress"),
        by_hand=_by_hand(config))


def _check_text(**words: str) -> None:
    for what, word in words.items():
        if not word.isprintable():
            raise ConfigError(f"{word!r} in the ssh configuration cannot be the {what} of an SSH connection",
                              hint="correct the ssh configuration; `ssh -G` shows what it makes of it")


def _accepting(config: SshConfig) -> str:
    """The command by which a new host key becomes known."""
    files = [] if config.known_hosts is None else ["-o", f"UserKnownHostsFile={config.known_hosts.expanduser()}"]
    return for_people(["ssh", *files, *_by_hand(config), "true"])


def _by_hand(config: SshConfig) -> tuple[str, ...]:
    port = () if config.port is None else ("-p", str(config.port))
    return (*port, config.host if config.user is None else f"{config.user}@{config.host}")


def _port(text: str, device: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ConfigError(f"device {device!r}: `Port {text}` in the ssh configuration is not a port (1 to 65535)")
    return int(text)


def _keys(config: SshConfig, options: Options, device: str, known: Mapping[str, str]) -> tuple[Path, ...]:
    """The key files to try."""
    if config.key is not None:
        key = config.key.expanduser()
        if not key.is_file():
            raise ConfigError(f"device {device!r}: `key: {config.key}` is not a file",
                              hint=f"make one with: ssh-keygen -t ed25519 -f {key}")
        return (key,)
    usual = [options.home / ".ssh" / name for name in DEFAULT_KEYS]
    texts = options.several("identityfile")
    paths = usual if texts is None else [expand_path(text, known) for text in texts]
    return tuple(path for path in dict.fromkeys(paths) if path not in usual or path.is_file())


def _agent(text: str, known: Mapping[str, str]) -> Path | None:
    """The socket that IdentityAgent names: a path, `none`, or a variable that holds one."""
    if text.lower() == "none":
        return None
    variable = "SSH_AUTH_SOCK" if text == "SSH_AUTH_SOCK" else (found := _AGENT_VARIABLE.match(text)) and found[1]
    path = os.environ.get(variable, "") if variable else str(expand_path(text, known))
    return Path(path) if path else None


def _takes_keys(options: Options) -> bool:
    methods = options.one("preferredauthentications")
    return (options.one("pubkeyauthentication", "yes").lower() not in ("no", "false")
            and (not methods or "publickey" in methods.split(",")))


def _known_hosts(config: SshConfig, options: Options, known: Mapping[str, str]) -> tuple[Path, ...]:
    """The files of known host keys: the user's, then the system's."""
    ours = options.values.get("userknownhostsfile", ("~/.ssh/known_hosts ~/.ssh/known_hosts2",))[0]
    system = options.values.get("globalknownhostsfile", (" ".join(SYSTEM_KNOWN_HOSTS),))[0]
    users = [config.known_hosts.expanduser()] if config.known_hosts else _paths(ours, known)
    return (*users, *_paths(system, known))


def _paths(text: str, known: Mapping[str, str]) -> list[Path]:
    """The paths of one line, which `ssh -G` does not quote."""
    words = shlex.split(text) if '"' in text else _NEXT_PATH.split(text)
    return [expand_path(word, known) for word in words if word.lower() != "none"]


def _proxy(options: Options, host: str, port: int, known: Mapping[str, str]) -> tuple[str, ...] | None:
    """The command of ProxyJump (which is `ssh -W`, as ssh itself does it) or of ProxyCommand."""
    jumps = options.one("proxyjump")
    if jumps:
        *before, last = jumps.split(",")
        via = ["-J", ",".join(before)] if before else []
        if not all(PLAIN.match(jump) for jump in jumps.split(",")):
            raise ConfigError(f"`ProxyJump {jumps}` in the ssh configuration is not a list of [user@]host[:port]",
                              hint="correct ProxyJump, or write what it should do as ProxyCommand")
        address = last if last.startswith("ssh://") else f"ssh://{last}"
        file = ["-F", str(options.file)] if options.file else []
        return ("ssh", "-o", "BatchMode=yes", *file, *via, "-W", f"[{host}]:{port}", address)
    command = options.one("proxycommand")
    return tuple(local_shell(expand(command, known))) if command else None
