"""known_hosts files: whether a host's key is the one that was seen before. The format is sshd(8)'s."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InfrastructureError
from bench.transports.quoting import for_people


@dataclass(frozen=True)
class KnownKey:
    """One key that a known_hosts file holds for a host."""

    kind: str
    blob: bytes
    file: Path
    revoked: bool


@dataclass(frozen=True)
class HostName:
    """Where a host's key is looked up: `label` is the name in known_hosts, host and port are what answers there."""

    host: str
    port: int
    label: str

    @property
    def entry(self) -> str:
        return self.label if self.port == 22 else f"[{self.label}]:{self.port}"


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


def check_host_key(name: HostName, kind: str, blob: bytes, known: Sequence[KnownKey], file: Path) -> None:
    """Return when the key that a host showed is known. Raises InfrastructureError, with what to type, when not.

    `file` is the known_hosts file to which a new key belongs.
    """
    same = [key for key in known if key.blob == blob]
    if same and not any(key.revoked for key in same):
        return
    shown = f"{kind} {fingerprint(blob)}"
    add = f"{for_people(_keyscan(name, kind))} >> {for_people([str(file)])}"
    check = f"if the device's own `ssh-keygen -lf /etc/ssh/ssh_host_{_short(kind)}_key.pub` shows this fingerprint"
    if same:
        raise InfrastructureError(f"the host key of {name.entry} ({shown}) is marked as revoked in {same[0].file}",
                                  hint="give the device a new host key")
    if not known:
        raise InfrastructureError(f"the host key of {name.entry} is not known: it showed {shown}",
                                  hint=f"{check}, run: {add}")
    old = known[0]
    removals = [for_people(["ssh-keygen", "-f", str(path), "-R", name.entry])
                for path in dict.fromkeys(key.file for key in known)]
    raise InfrastructureError(
        f"the host key of {name.entry} has changed: {old.file} holds {old.kind} {fingerprint(old.blob)}, "
        f"but it showed {shown}; this may be another machine",
        hint=f"{check}, run: {' && '.join([*removals, add])}")


def fingerprint(blob: bytes) -> str:
    """A key's fingerprint as ssh-keygen shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _keyscan(name: HostName, kind: str) -> list[str]:
    port = [] if name.port == 22 else ["-p", str(name.port)]
    return ["ssh-keyscan", "-t", _short(kind), *port, name.host]


def _short(kind: str) -> str:
    """`ed25519` for `ssh-ed25519`, as ssh-keyscan and file names call it."""
    return "ecdsa" if kind.startswith("ecdsa") else kind.removeprefix("ssh-")


def _key_of(line: str, name: str, file: Path) -> KnownKey | None:
    """The line's key, when it is one and the name matches."""
    words = line.split()
    mark = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#") or mark not in ("", "@revoked"):
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except binascii.Error:
        return None
    return KnownKey(words[1], blob, file, bool(mark)) if _matches(words[0], name) else None


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
    return hmac.compare_digest(hmac.new(salt, name.encode(), "sha1").digest(), digest)
