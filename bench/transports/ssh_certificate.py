"""Certificates of host keys: whether one is good for a host. The format is PROTOCOL.certkeys of OpenSSH."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

import paramiko
from paramiko.pkey import UnknownKeyType

SUFFIX = "-cert-v01@openssh.com"
_HOST = 2
_NUMBERS_OF_KEY = {"ssh-ed25519": 1, "ecdsa-sha2-nistp256": 2, "ecdsa-sha2-nistp384": 2, "ecdsa-sha2-nistp521": 2,
                   "ssh-rsa": 2}
"""How many fields the certified key itself has, by kind."""
_OLD_SIGNATURE = "ssh-rsa"
"""With SHA-1, which ssh does not take from an authority either."""


@dataclass(frozen=True)
class _Certificate:
    kind: int
    principals: tuple[str, ...]
    """The host names that it is for; none: any."""
    after: int
    before: int
    """Seconds since 1970."""
    critical: bytes
    authority: bytes
    signed: bytes
    signature: bytes


def why_unfit(blob: bytes, name: str, authorities: Collection[bytes], now: float | None = None) -> str:
    """Why this certificate does not show that its key is the host's of this name; "" when it does.

    `authorities` are the public keys that may certify; `now` is in seconds since 1970.
    """
    found = _read(blob)
    if found is None:
        return "it cannot be read"
    when = time.time() if now is None else now
    if found.authority not in authorities:
        return "its authority is not one that known_hosts names for this host"
    if not _signature_holds(found):
        return "its signature is not its authority's"
    if found.kind != _HOST:
        return "it certifies a user, not a host"
    if when < found.after:
        return "it is not valid yet"
    if when >= found.before:
        return "it has expired"
    if found.principals and name not in found.principals:
        return f"it is for {', '.join(map(repr, found.principals))}, not for {name!r}"
    return "it has critical options, and none is known" if found.critical else ""


def authority_of(blob: bytes) -> bytes:
    """The public key of who certified; b"" where none can be read."""
    found = _read(blob)
    return found.authority if found else b""


def certified_key(blob: bytes) -> bytes:
    """The plain public key in a certificate, of a host or a user. Raises ValueError when it is none."""
    message = paramiko.Message(blob)
    kind = message.get_binary().decode("ascii", "replace")
    if not kind.endswith(SUFFIX) or kind.removesuffix(SUFFIX) not in _NUMBERS_OF_KEY:
        raise ValueError(f"not a certificate of a kind that is known: {kind!r}")
    message.get_binary()
    plain = paramiko.Message()
    plain.add_string(kind.removesuffix(SUFFIX))
    for _ in range(_NUMBERS_OF_KEY[kind.removesuffix(SUFFIX)]):
        plain.add_string(message.get_binary())
    return bytes(plain.asbytes())


def _read(blob: bytes) -> _Certificate | None:
    try:
        kind = paramiko.Message(certified_key(blob)).get_text()
        message = paramiko.Message(blob)
        for _ in range(2 + _NUMBERS_OF_KEY[kind]):
            message.get_binary()
        message.get_int64()  # its serial number
        use = message.get_int()
        message.get_binary()  # its name
        names, after, before = message.get_binary(), message.get_int64(), message.get_int64()
        critical, _, _, authority = (message.get_binary() for _ in range(4))
        signed = message.get_so_far()
        signature = message.get_binary()
        if message.get_remainder() or signed + _string(signature) != blob:
            return None
        return _Certificate(use, tuple(_strings(names)), after, before, critical, authority, signed, signature)
    except (ValueError, paramiko.SSHException, IndexError):
        return None


def _strings(data: bytes) -> list[str]:
    message, found = paramiko.Message(data), []
    while message.get_remainder():
        found.append(message.get_binary().decode("utf-8", "replace"))
    return found


def _string(data: bytes) -> bytes:
    message = paramiko.Message()
    message.add_string(data)
    return bytes(message.asbytes())


def _signature_holds(found: _Certificate) -> bool:
    try:
        kind = paramiko.Message(found.authority).get_text()
        if paramiko.Message(found.signature).get_text() == _OLD_SIGNATURE or kind.endswith(SUFFIX):
            return False
        key = paramiko.PKey.from_type_string(kind, found.authority)
        return bool(key.verify_ssh_sig(found.signed, paramiko.Message(found.signature)))
    except (UnknownKeyType, paramiko.SSHException, ValueError, IndexError):
        return False
