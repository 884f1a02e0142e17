"""The algorithms that an SSH connection may use, and in which order they are asked for."""

from __future__ import annotations

from typing import Any, ClassVar

import paramiko
from paramiko.kex_curve25519 import KexCurve25519

from bench.errors import InfrastructureError
from bench.transports.known_hosts import Known
from bench.transports.ssh_certificate import SUFFIX

FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""Offered first: they need no separate HMAC, which made uploads about 1.4 times faster than with aes128-ctr."""

_CURVE25519 = "curve25519-sha256"
"""RFC 8731. paramiko knows it by its older name alone, which servers that were hardened do not offer."""


class Client(paramiko.Transport):
    """paramiko's connection, with the key exchange that every server has under the name of its standard."""

    _kex_info: ClassVar[Any] = {**paramiko.Transport._kex_info}  # type: ignore[attr-defined]
    if KexCurve25519.is_available():
        _kex_info[_CURVE25519] = KexCurve25519


def prefer(link: paramiko.Transport, known: Known) -> None:
    """Ask first for the kinds of host key that are known, lest an unknown kind be shown; and for fast ciphers.

    Certificates are asked for where an authority is known that could have signed one.
    """
    options = link.get_security_options()
    wanted = {key.kind for key in known.all if not key.mark}
    if "ssh-rsa" in wanted:
        wanted |= {"rsa-sha2-512", "rsa-sha2-256"}
    kinds = tuple(sorted(options.key_types, key=lambda kind: kind not in wanted))
    certified = tuple(kind + SUFFIX for kind in kinds) if known.authorities else ()
    options.key_types = certified + kinds
    options.kex = tuple(name for known_as in options.kex for name in _names_of(known_as))
    options.ciphers = tuple(sorted(options.ciphers, key=lambda name: name not in FAST_CIPHERS))


def _names_of(kex: str) -> tuple[str, ...]:
    return (_CURVE25519, kex) if kex == f"{_CURVE25519}@libssh.org" else (kex,)


def nothing_in_common(link: paramiko.Transport, where: str, said: str) -> InfrastructureError:
    """The error of a server that offers none of the algorithms of a kind that paramiko has."""
    options = link.get_security_options()
    kinds = {"kex": ("KexAlgorithms", options.kex), "cipher": ("Ciphers", options.ciphers),
             "mac": ("MACs", options.digests), "host key": ("HostKeyAlgorithms", options.key_types)}
    name, ours = next((kinds[kind] for kind in kinds if kind in said), ("its algorithms", ()))
    return InfrastructureError(
        f"{where}: the server offers no algorithm that bench's SSH client (paramiko) has: {said}",
        hint=f"allow one of these on the device, by {name} in /etc/ssh/sshd_config: {', '.join(ours)}")
