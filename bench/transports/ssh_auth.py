"""Log in: without anything where the server asks for nothing, else with keys."""

from __future__ import annotations

from collections.abc import Sequence

import paramiko

from bench.deadline import Deadline
from bench.errors import InfrastructureError
from bench.transports.quoting import for_people
from bench.transports.ssh_agent import HeldKey, keys_of_agent
from bench.transports.ssh_config import SshTarget
from bench.transports.ssh_keys import Unusable, candidates

_KEYS = "publickey"


def log_in(link: paramiko.Transport, target: SshTarget, where: str, deadline: Deadline) -> None:
    """Return once logged in. Raises InfrastructureError that names the user and each key that was tried."""
    unusable = Unusable()
    tried: list[str] = []
    reason = _ask(link, target, where, deadline)
    if reason == "":
        with keys_of_agent(target.agent, deadline) as held:
            for label, key in candidates(target, held, unusable):
                tried.append(label)
                reason = _attempt(link, target.user, key, where, deadline)
                if reason is None:
                    break
                if isinstance(key, HeldKey) and key.refused:
                    tried[-1] += ", which would not sign"
                if reason:
                    break
    if reason is not None:
        raise _refused(target, where, reason, tried, unusable)


def _ask(link: paramiko.Transport, target: SshTarget, where: str, deadline: Deadline) -> str | None:
    """Ask what the server wants: None when it wants nothing, "" for a key, else why that cannot be had."""
    link.auth_timeout = deadline.check(f"log-in at {where}")
    try:
        wanted = link.auth_none(target.user)
    except paramiko.BadAuthenticationType as error:
        wanted = error.allowed_types
    except (paramiko.SSHException, EOFError, OSError):
        deadline.check(f"log-in at {where}")
        return "the server hung up"
    if not wanted:
        return None
    if _KEYS not in wanted:
        return f"the server takes no keys, only: {', '.join(wanted)}"
    return "" if target.takes_keys else "the ssh configuration forbids to log in by key (PubkeyAuthentication, " \
                                        "PreferredAuthentications)"


def _attempt(link: paramiko.Transport, user: str, key: paramiko.PKey, where: str, deadline: Deadline) -> str | None:
    """Try a key: None once logged in, "" when another may be tried, else why none may."""
    link.auth_timeout = deadline.check(f"log-in at {where}")
    try:
        further = link.auth_publickey(user, key)
    except paramiko.BadAuthenticationType as error:
        return f"the server takes no keys, only: {', '.join(error.allowed_types)}"
    except (paramiko.SSHException, EOFError, OSError):
        deadline.check(f"log-in at {where}")
        return "" if link.is_active() else "the server hung up (after too many keys?)"
    if not further:
        return None
    return "" if _KEYS in further else f"the server wants more than the key: {', '.join(further)}"


def _refused(target: SshTarget, where: str, reason: str, tried: Sequence[str],
             unusable: Unusable) -> InfrastructureError:
    told = "; tried: " + ", ".join(tried) if tried else ""
    told += "; not usable: " + ", ".join(unusable.reasons) if unusable.reasons else ""
    if not tried:
        reason = reason or "there is no key to try: no key file, no ssh-agent that holds one"
    return InfrastructureError(f"cannot log in as {target.user!r} at {where}: "
                               f"{reason or 'the server refused each key'}{told}", hint=_hint(target, unusable))


def _hint(target: SshTarget, unusable: Unusable) -> str:
    if unusable.locked:
        add = for_people(["ssh-add", str(unusable.locked[0])])
        return f"the key has a passphrase, so give it to the agent: {add}"
    if unusable.open_to_others:
        return f"let nobody else read the key: {for_people(['chmod', '600', str(unusable.open_to_others[0])])}"
    if target.keys:
        copy = for_people(["ssh-copy-id", "-i", str(target.keys[0]), *target.by_hand])
        return f"allow the key on the device: {copy}; or set `user:` and `key:` of this device"
    return "make a key with: ssh-keygen -t ed25519; or set `key:` of this device"
