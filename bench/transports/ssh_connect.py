"""Make an SSH connection: socket, host key, log-in. Every step has the same deadline."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
from collections.abc import Sequence

import paramiko

from bench.config.devices import SshConfig
from bench.deadline import Deadline
from bench.errors import BenchError, DeadlineExceeded, InfrastructureError
from bench.transports.dial import dial
from bench.transports.known_hosts import KnownKey, check_host_key, known_keys
from bench.transports.quoting import for_people
from bench.transports.ssh_auth import log_in
from bench.transports.ssh_config import SshTarget, resolve
from bench.transports.ssh_link import LINK_ERRORS, Link

KEEPALIVE_S = 2
UNANSWERED_MS = 6000
"""With the keepalive: a dead link is noticed within KEEPALIVE_S + UNANSWERED_MS, and a second or so."""
FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""Offered first: they need no separate HMAC, which made uploads about 1.4 times faster than with aes128-ctr."""


def open_link(device: str, config: SshConfig, deadline: Deadline) -> Link:
    """A logged-in connection. Raises ConfigError, InfrastructureError, DeadlineExceeded; each says what to do."""
    # Without a handler of its own, paramiko's tracebacks would go to standard error.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    target = resolve(config, device)
    where = f"{device} ({target})"
    link = _handshake(_socket(target, where, deadline), target, where, deadline)
    try:
        log_in(link, target, where, deadline)
    except BaseException:
        link.close()
        raise
    link.set_keepalive(KEEPALIVE_S)
    return Link(link, where)


def _handshake(sock: socket.socket, target: SshTarget, where: str, deadline: Deadline) -> paramiko.Transport:
    """The connection once the server's key was found good."""
    known = known_keys(target.known_hosts, target.host.entry)
    link = paramiko.Transport(sock)
    try:
        _prefer(link, known)
        link.banner_timeout = link.handshake_timeout = link.channel_timeout = deadline.check(f"connection to {where}")
        link.start_client(timeout=deadline.left())
        key = link.get_remote_server_key()
        check_host_key(target.host, key.get_name(), key.asbytes(), known, target.known_hosts[0])
    except LINK_ERRORS as error:
        _drop(link, sock)
        if deadline.passed() or isinstance(error, TimeoutError):
            raise DeadlineExceeded(f"{where}: no SSH greeting within {deadline.seconds:g} s") from error
        raise InfrastructureError(f"{where}: the connection was closed before the log-in: {error or 'hung up'}",
                                  hint=_try_by_hand(target)) from error
    except BenchError:
        _drop(link, sock)
        raise
    return link


def _drop(link: paramiko.Transport, sock: socket.socket) -> None:
    """Close both: a link that never became active leaves its socket open."""
    link.close()
    sock.close()


def _prefer(link: paramiko.Transport, known: Sequence[KnownKey]) -> None:
    """Ask first for the kinds of host key that are known, lest an unknown kind be shown; and for fast ciphers."""
    options = link.get_security_options()
    wanted = {key.kind for key in known}
    if "ssh-rsa" in wanted:
        wanted |= {"rsa-sha2-512", "rsa-sha2-256"}
    options.key_types = tuple(sorted(options.key_types, key=lambda kind: kind not in wanted))
    options.ciphers = tuple(sorted(options.ciphers, key=lambda name: name not in FAST_CIPHERS))


def _socket(target: SshTarget, where: str, deadline: Deadline) -> socket.socket:
    if target.proxy is not None:
        return _proxy_socket(target.proxy, where)
    host, port = target.host.host, target.host.port
    try:
        sock = dial(host, port, where, deadline, "`host:` of this device")
    except OSError as error:
        if deadline.passed():
            raise DeadlineExceeded(f"{where}: no answer to a connection within {deadline.seconds:g} s",
                                   hint=f"is the device on, and on this network? try: {for_people(['ping', host])}"
                                   ) from error
        refused = isinstance(error, ConnectionRefusedError)
        reason = "refused: nothing listens there" if refused else f"failed: {error.strerror or error}"
        raise InfrastructureError(f"{where}: the connection was {reason}", hint=_try_by_hand(target)) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)
    return sock


def _proxy_socket(argv: Sequence[str], where: str) -> socket.socket:
    """Our end of a pair of sockets, whose other end is the standard streams of the proxy command."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            child = subprocess.Popen(argv, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL,
                                     start_new_session=True)
        except OSError as error:
            ours.close()
            raise InfrastructureError(f"{where}: cannot start the proxy command {for_people(argv)}: {error.strerror}",
                                      hint="correct ProxyCommand or ProxyJump in ~/.ssh/config") from error
    # It ends when our end is closed; waiting for it leaves no zombie behind.
    threading.Thread(target=child.wait, daemon=True).start()
    return ours


def _try_by_hand(target: SshTarget) -> str:
    command = ["ssh", "-p", str(target.host.port), f"{target.user}@{target.host.host}", "true"]
    return f"see whether this works: {for_people(command)}"

