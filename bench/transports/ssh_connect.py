"""Make an SSH connection: socket, host key, log-in. Every step has the same deadline."""

from __future__ import annotations

import logging
import socket

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from bench.config.devices import SshConfig
from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, InfrastructureError
from bench.transports.dial import dial
from bench.transports.host_key import ShownKey, check_host_key
from bench.transports.known_hosts import known_of
from bench.transports.quoting import for_people
from bench.transports.revoked_keys import check_not_revoked
from bench.transports.ssh_algorithms import Client, nothing_in_common, prefer
from bench.transports.ssh_auth import log_in
from bench.transports.ssh_config import SshTarget, resolve
from bench.transports.ssh_link import LINK_ERRORS, Link
from bench.transports.ssh_proxy import Proxy, start_proxy

KEEPALIVE_S = 2
UNANSWERED_MS = 6000
"""With the keepalive: a dead link is noticed within KEEPALIVE_S + UNANSWERED_MS, and a second or so."""


def open_link(device: str, config: SshConfig, deadline: Deadline) -> Link:
    """A logged-in connection. Raises ConfigError, InfrastructureError, DeadlineExceeded; each says what to do."""
    # Without a handler of its own, paramiko's tracebacks would go to standard error.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    target = resolve(config, device, deadline)
    where = f"{device} ({target})"
    proxy = None if target.proxy is None else start_proxy(target.proxy, where, target.proxy_hands_over, deadline)
    link = _handshake(_socket(target, where, deadline) if proxy is None else proxy.socket, proxy, target, where,
                      deadline)
    try:
        log_in(link, target, where, deadline)
    except BaseException:
        link.close()
        raise
    link.set_keepalive(KEEPALIVE_S)
    return Link(link, where)


def _handshake(sock: socket.socket, proxy: Proxy | None, target: SshTarget, where: str,
               deadline: Deadline) -> paramiko.Transport:
    """The connection once the server's key was found good."""
    known = known_of(target.known_hosts, target.host)
    link = Client(sock)
    try:
        prefer(link, known)
        link.banner_timeout = link.handshake_timeout = link.channel_timeout = deadline.check(f"connection to {where}")
        link.start_client(timeout=deadline.left())
        key = link.get_remote_server_key()
        shown = ShownKey(key.get_name(), key.asbytes(), key.public_blob.key_blob if key.public_blob else None)
        check_host_key(target.host, shown, known)
        if target.revoked is not None:
            check_not_revoked(target.host, shown, target.revoked, deadline)
    except IncompatiblePeer as error:
        _drop(link, sock)
        raise nothing_in_common(link, where, str(error)) from error
    except LINK_ERRORS as error:
        _drop(link, sock)
        said = proxy.last_words() if proxy else ""
        reason = f"the proxy command said: {said}" if said else error or "hung up"
        if deadline.passed() or isinstance(error, TimeoutError):
            raise DeadlineExceeded(f"{where}: no SSH greeting within {deadline.seconds:g} s"
                                   + (f"; {reason}" if said else "")) from error
        raise InfrastructureError(f"{where}: the connection was closed before the log-in: {reason}",
                                  hint=_try_by_hand(target)) from error
    except BenchError:
        _drop(link, sock)
        raise
    return link


def _drop(link: paramiko.Transport, sock: socket.socket) -> None:
    """Close both: a link that never became active leaves its socket open."""
    link.close()
    sock.close()


def _socket(target: SshTarget, where: str, deadline: Deadline) -> socket.socket:
    host, port = target.host.host, target.host.port
    try:
        sock = dial(host, port, where, deadline, "`host:` of this device", target.family, target.source)
    except OSError as error:
        if deadline.passed():
            raise DeadlineExceeded(f"{where}: no answer to a connection within {deadline.seconds:g} s",
                                   hint=f"is the device on, and on this network? try: {for_people(['ping', host])}"
                                   ) from error
        own = f" (from {target.source}, the BindAddress)" if target.source else ""
        refused = isinstance(error, ConnectionRefusedError)
        reason = "was refused: nothing listens there" if refused else f"failed{own}: {error.strerror or error}"
        raise InfrastructureError(f"{where}: the connection {reason}", hint=_try_by_hand(target)) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)
    return sock


def _try_by_hand(target: SshTarget) -> str:
    return f"see whether this works: {for_people(['ssh', *target.by_hand, 'true'])}"
