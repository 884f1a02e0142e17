"""known_hosts files: what is known of a host's keys. The format is sshd(8)'s."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM_FILE = Path("/etc/ssh/ssh_known_hosts")
REVOKED, AUTHORITY = "@revoked", "@cert-authority"


@dataclass(frozen=True)
class KnownKey:
    """One key that a known_hosts file holds for a host."""

    kind: str
    blob: bytes
    file: Path
    mark: str = ""
    """`@revoked`, `@cert-authority` (a key that signs the keys of hosts) or nothing."""


@dataclass(frozen=True)
class HostName:
    """Where a host's key is looked up; host and port are what answers there."""

    host: str
    port: int
    alias: str = ""
    """HostKeyAlias: the name in known_hosts, instead of the host's."""
    by_hand: str = ""
    """The command that connects by hand, where a proxy is in the way of other programs."""

    @property
    def label(self) -> str:
        """The name that a certificate must bear."""
        return self.alias or self.host

    @property
    def entry(self) -> str:
        return self.label if self.alias or self.port == 22 else f"[{self.host}]:{self.port}"


@dataclass(frozen=True)
class Known:
    """What this machine knows of a host's keys."""

    keys: tuple[KnownKey, ...]
    without_port: tuple[KnownKey, ...]
    """Keys of the host's name alone, which count where its port has none."""
    file: Path
    """The known_hosts file to which a new key belongs."""

    @property
    def all(self) -> tuple[KnownKey, ...]:
        return self.keys + self.without_port

    @property
    def authorities(self) -> tuple[KnownKey, ...]:
        return tuple(key for key in self.all if key.mark == AUTHORITY)


def known_of(files: Sequence[Path], name: HostName) -> Known:
    """What these files hold for a host; new keys belong to the first."""
    spare = known_keys(files, name.host) if name.entry not in (name.host, name.alias) else []
    return Known(tuple(known_keys(files, name.entry)), tuple(spare), next(iter(files), SYSTEM_FILE))


def known_keys(files: Iterable[Path], name: str) -> list[KnownKey]:
    """The keys that these files hold for a host's name (`host`, or `[host]:port`). Missing files hold none."""
    found = []
    for file in files:
        try:
            lines = file.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        found += [key for line in lines if (key := _key_of(line, name, file)) is not None]
    return found


def _key_of(line: str, name: str, file: Path) -> KnownKey | None:
    """The line's key, when it is one and the name matches."""
    words = line.split()
    mark = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#") or mark not in ("", REVOKED, AUTHORITY):
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except binascii.Error:
        return None
    return KnownKey(words[1], blob, file, mark) if _matches(words[0], name) else None


def _matches(patterns: str, name: str) -> bool:
    """Whether a line's first field means this host: names with `*` and `?`, `!` for not, or `|1|salt|hash`."""
    found = False
    for pattern in patterns.split(","):
        if pattern.startswith("|1|"):
            found = found or _hash_matches(pattern, name)
        elif fnmatch.fnmatchcase(name.lower(), pattern.lstrip("!").lower().replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _hash_matches(pattern: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in pattern.split("|")[2:4])
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(salt, name.lower().encode(), "sha1").digest(), digest)
