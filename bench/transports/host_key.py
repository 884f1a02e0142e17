"""Whether the key that a host shows is the one that was seen before, and what is said where it is not."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InfrastructureError
from bench.transports.known_hosts import REVOKED, HostName, Known, KnownKey
from bench.transports.quoting import for_people
from bench.transports.ssh_certificate import authority_of, why_unfit


@dataclass(frozen=True)
class ShownKey:
    """What a host showed: its key and, where the key came in a certificate, that."""

    kind: str
    blob: bytes
    certificate: bytes | None = None


def check_host_key(name: HostName, shown: ShownKey, known: Known) -> None:
    """Return when the key that a host showed is known, or certified by an authority that is.

    Raises InfrastructureError, with what to type, when not.
    """
    _refuse_revoked(name, shown, known)
    unfit = ""
    if shown.certificate is not None:
        unfit = why_unfit(shown.certificate, name.label.lower(), {key.blob for key in known.authorities})
        if not unfit:
            return
    plain = [key for key in known.keys if not key.mark]
    if not any(key.kind == shown.kind for key in plain):
        plain += [key for key in known.without_port if not key.mark and key.blob == shown.blob]
    if not any(key.blob == shown.blob for key in plain):
        raise _not_known(name, shown, plain, unfit, known.file)


def _refuse_revoked(name: HostName, shown: ShownKey, known: Known) -> None:
    blobs = {shown.blob, authority_of(shown.certificate) if shown.certificate else b""}
    for key in known.all:
        if key.mark == REVOKED and key.blob in blobs:
            raise revoked(name, shown, key.file)


def revoked(name: HostName, shown: ShownKey, file: Path) -> InfrastructureError:
    """The error of a key that must not be used any more, as `file` says."""
    return InfrastructureError(f"the host key of {name.entry} ({_told(shown)}) is marked as revoked in {file}",
                               hint="give the device a new host key")


def _not_known(name: HostName, shown: ShownKey, plain: Sequence[KnownKey], unfit: str,
               file: Path) -> InfrastructureError:
    look = f"ssh-keygen -lf /etc/ssh/ssh_host_{_short(shown.kind)}_key.pub"
    check = f"if the device's own `{look}` shows this fingerprint"
    if unfit:
        return InfrastructureError(f"the host certificate of {name.entry} is not good: {unfit}",
                                   hint="have the device's host key certified anew by the authority in known_hosts")
    if not plain:
        return InfrastructureError(f"the host key of {name.entry} is not known: it showed {_told(shown)}",
                                   hint=f"{check}, {_run([_adding(name, shown.kind, file)], name)}")
    old = plain[0]
    removals = [for_people(["ssh-keygen", "-f", str(path), "-R", name.entry])
                for path in dict.fromkeys(key.file for key in plain)]
    return InfrastructureError(
        f"the host key of {name.entry} has changed: {old.file} holds {old.kind} {fingerprint(old.blob)}, "
        f"but it showed {_told(shown)}; this may be another machine",
        hint=f"{check}, {_run([*removals, _adding(name, shown.kind, file)], name)}")


def _run(commands: Sequence[str], name: HostName) -> str:
    return f"run: {' && '.join(commands)}{', and say yes' if name.by_hand else ''}"


def _told(shown: ShownKey) -> str:
    return f"{shown.kind} {fingerprint(shown.blob)}"


def _adding(name: HostName, kind: str, file: Path) -> str:
    """The command that makes the key known. ssh-keyscan takes no proxy and knows of no alias."""
    if name.by_hand:
        return name.by_hand
    port = [] if name.port == 22 else ["-p", str(name.port)]
    rename = f" | {for_people(['sed', f's/^[^ ]*/{name.alias}/'])}" if name.alias else ""
    scan = for_people(["ssh-keyscan", "-t", _short(kind), *port, name.host])
    return f"{scan}{rename} >> {for_people([str(file)])}"


def fingerprint(blob: bytes) -> str:
    """A key's fingerprint as ssh-keygen shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _short(kind: str) -> str:
    """`ed25519` for `ssh-ed25519`, as ssh-keyscan and file names call it."""
    return "ecdsa" if kind.startswith("ecdsa") else kind.removeprefix("ssh-")
