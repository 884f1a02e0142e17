"""Log in with keys: those of files and those of the ssh-agent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from bench.deadline import Deadline
from bench.errors import InfrastructureError
from bench.transports.quoting import for_people
from bench.transports.ssh_config import SshTarget


@dataclass
class _Attempts:
    """What happened so far, told when no key was taken."""

    tried: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    locked: list[Path] = field(default_factory=list)


def log_in(link: paramiko.Transport, target: SshTarget, where: str, deadline: Deadline) -> None:
    """Return once logged in. Raises InfrastructureError that names the user and each key that was tried."""
    attempts = _Attempts()
    reason = "the server refused each key"
    for label, key in _candidates(target, attempts):
        link.auth_timeout = deadline.check(f"log-in at {where}")
        attempts.tried.append(label)
        try:
            further = link.auth_publickey(target.user, key)
        except paramiko.BadAuthenticationType as error:
            reason = f"the server takes no keys, only: {', '.join(error.allowed_types)}"
            break
        except (paramiko.SSHException, EOFError, OSError):
            deadline.check(f"log-in at {where}")
            if not link.is_active():
                reason = "the server hung up (after too many keys?)"
                break
            continue
        if not further:
            return
        reason = f"the server wants more than the key: {', '.join(further)}"
        break
    raise _refused(target, where, attempts, reason)


def _refused(target: SshTarget, where: str, attempts: _Attempts, reason: str) -> InfrastructureError:
    tried = "; tried: " + ", ".join(attempts.tried) if attempts.tried else ""
    unusable = "; not usable: " + ", ".join(attempts.unusable) if attempts.unusable else ""
    if not attempts.tried:
        reason = "there is no key to try: no key file, no ssh-agent that holds one"
    if attempts.locked:
        hint = f"the key has a passphrase, so give it to the agent: {for_people(['ssh-add', str(attempts.locked[0])])}"
    elif target.keys:
        place = ["-p", str(target.host.port), f"{target.user}@{target.host.host}"]
        copy = ["ssh-copy-id", "-i", str(target.keys[0]), *place]
        hint = f"allow the key on the device: {for_people(copy)}; or set `user:` and `key:` of this device"
    else:
        hint = "make a key with: ssh-keygen -t ed25519; or set `key:` of this device"
    return InfrastructureError(f"cannot log in as {target.user!r} at {where}: {reason}{tried}{unusable}", hint=hint)


def _candidates(target: SshTarget, attempts: _Attempts) -> Iterator[tuple[str, paramiko.PKey]]:
    """Keys to try, with what to call them: the agent's copies of the files' keys, the files, the agent's others."""
    wanted = {blob: path for path in target.keys if (blob := _public_blob(path)) is not None}
    agent = paramiko.Agent()
    try:
        held = {key.asbytes(): key for key in agent.get_keys()}
        for blob, path in wanted.items():
            if blob in held:
                yield f"{path} (by the ssh-agent)", held[blob]
        for path in target.keys:
            if _public_blob(path) in held:
                continue
            key = _load(path, attempts)
            if key is not None:
                yield str(path), key
        if not target.only_these:
            for blob, agent_key in held.items():
                if blob not in wanted:
                    yield f"{agent_key.comment or agent_key.get_name()} (of the ssh-agent)", agent_key
    finally:
        agent.close()


def _public_blob(path: Path) -> bytes | None:
    """The public key that lies beside a key file, as bytes."""
    try:
        return base64.b64decode(path.with_name(path.name + ".pub").read_text().split()[1], validate=True)
    except (OSError, UnicodeDecodeError, IndexError, binascii.Error):
        return None


def _load(path: Path, attempts: _Attempts) -> paramiko.PKey | None:
    """The key of a file without a passphrase; else None, and why is noted."""
    try:
        return paramiko.PKey.from_path(path)
    except (TypeError, paramiko.PasswordRequiredException):
        attempts.locked.append(path)
        attempts.unusable.append(f"{path} (has a passphrase)")
    except OSError as error:
        attempts.unusable.append(f"{path} ({error.strerror})")
    except (ValueError, paramiko.SSHException, UnknownKeyType):
        attempts.unusable.append(f"{path} (not a private key)")
    return None
