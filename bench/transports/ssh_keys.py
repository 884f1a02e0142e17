"""The keys to log in with, in the order of `ssh`."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.agent import AgentKey
from paramiko.pkey import UnknownKeyType

from bench.transports.ssh_agent import HeldKey
from bench.transports.ssh_certificate import certified_key
from bench.transports.ssh_config import SshTarget

_OPENSSH_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"


@dataclass
class Unusable:
    """Keys that could not be tried, and why."""

    reasons: list[str] = field(default_factory=list)
    locked: list[Path] = field(default_factory=list)
    open_to_others: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class _Identity:
    """A key file, and what is known of it without its secret."""

    path: Path
    public: bytes | None
    certificate: bytes | None
    """Shown instead of the public key."""


def candidates(target: SshTarget, held: Sequence[AgentKey], unusable: Unusable) -> Iterator[tuple[str, paramiko.PKey]]:
    """Keys to try, with what to call them.

    First certificates that were asked for, then the agent's copies of the files' keys, the agent's other keys, and the
    files' keys that the agent does not hold. Why others cannot be tried is noted in `unusable`.
    """
    by_blob = {bytes(key.blob): key for key in held}
    files = [*_certified(target.certificates, target.keys, by_blob, unusable), *_identities(target)]
    used: set[bytes | None] = set()
    for one in files:
        key = by_blob.get(one.public or b"")
        if key is not None:
            used |= {bytes(key.blob), one.certificate}
            yield f"{one.path} (by the ssh-agent)", HeldKey(key, one.certificate)
    if not target.only_these:
        for blob, key in by_blob.items():
            if blob not in used:
                yield f"{key.comment or key.get_name()} (of the ssh-agent)", HeldKey(key)
    for one in files:
        if (one.public or b"") not in by_blob and (loaded := _load(one, unusable)) is not None:
            yield str(one.path), loaded


def _identities(target: SshTarget) -> Iterator[_Identity]:
    """The key files; where a certificate lies beside one, and none was asked for, with that first."""
    for path in target.keys:
        public = _public_blob(path)
        beside = None if target.certificates else _public_line(path.with_name(path.name + "-cert.pub"))
        if beside is not None:
            yield _Identity(path, public or _key_in(beside), beside)
        yield _Identity(path, public, None)


def _certified(paths: Sequence[Path], keys: Sequence[Path], held: Mapping[bytes, AgentKey],
               unusable: Unusable) -> Iterator[_Identity]:
    """The certificates that were asked for, each with whatever holds its key."""
    publics = {_public_blob(path): path for path in keys}
    for path in paths:
        certificate = _public_line(path)
        public = certificate and _key_in(certificate)
        if certificate is None or public is None:
            unusable.reasons.append(f"{path} (not a certificate)")
        elif public in held or public in publics:
            yield _Identity(publics.get(public, path), public, certificate)
        elif certificate in held:
            yield _Identity(path, certificate, None)
        else:
            unusable.reasons.append(f"{path} (no key file and no ssh-agent has its key)")


def _key_in(certificate: bytes) -> bytes | None:
    try:
        return certified_key(certificate)
    except ValueError:
        return None


def _public_blob(path: Path) -> bytes | None:
    """The public key of a key file: of the file beside it, of the file itself, or of its readable part."""
    beside = _public_line(path.with_name(path.name + ".pub"))
    return beside or _public_line(path) or _public_part(path)


def _public_line(path: Path) -> bytes | None:
    """The key of a file that holds a public key or a certificate as a line of text."""
    try:
        words = path.read_text().split(maxsplit=2)
        blob = base64.b64decode(words[1], validate=True)
        return blob if blob[4:].startswith(words[0].encode()) else None
    except (OSError, ValueError, IndexError):
        return None


def _public_part(path: Path) -> bytes | None:
    """The public key in a private key's file of OpenSSH's own format; no passphrase is needed for it."""
    try:
        begin, *lines, _ = path.read_text().strip().splitlines()
        data = base64.b64decode("".join(lines)) if begin == _OPENSSH_KEY else b""
    except (OSError, ValueError, binascii.Error):
        return None
    if not data.startswith(_MAGIC):
        return None
    message = paramiko.Message(data[len(_MAGIC):])
    for _ in range(3):
        message.get_binary()
    return message.get_binary() if message.get_int() > 0 else None


def _load(one: _Identity, unusable: Unusable) -> paramiko.PKey | None:
    """The key of a file without a passphrase; else None, and why is noted."""
    try:
        key = paramiko.PKey.from_path(one.path)
        if not (reason := _open_to_others(one.path, unusable)):
            key.public_blob = None
            if one.certificate is not None:
                key.load_certificate(paramiko.Message(one.certificate))
            return key
    except (TypeError, paramiko.PasswordRequiredException):
        unusable.locked.append(one.path)
        reason = "has a passphrase"
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, paramiko.SSHException, UnknownKeyType):
        reason = _why_none(one.path)
    if (told := f"{one.path} ({reason})") not in unusable.reasons:
        unusable.reasons.append(told)
    return None


def _why_none(path: Path) -> str:
    """Why a file gives no private key."""
    beside = path.with_name(path.name + "-cert.pub")
    if _public_line(path) is not None:
        return "a public key, whose private key no ssh-agent holds"
    if beside.exists() and _public_line(beside) is None:
        return f"{beside.name} beside it is not a certificate"
    return "not a private key"


def _open_to_others(path: Path, unusable: Unusable) -> str:
    """Why `ssh` would not use a private key that others can read; "" when they cannot."""
    facts = path.stat()
    if facts.st_uid != os.getuid() or not stat.S_IMODE(facts.st_mode) & 0o077:
        return ""
    unusable.open_to_others.append(path)
    return "open to others, so it is ignored"
