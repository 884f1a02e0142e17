"""Open a TCP connection by a deadline, which holds for the look-up of the host's name too."""

from __future__ import annotations

import socket

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.transports.background import in_background
from bench.transports.quoting import for_people


def dial(host: str, port: int, where: str, deadline: Deadline, named_by: str,
         family: socket.AddressFamily = socket.AF_UNSPEC, source: str = "") -> socket.socket:
    """A connection to the first address that takes one; `named_by` is where the user wrote the host's name.

    `family` and `source` are the kind of address and this machine's own one, where they matter.

    Raises OSError (ConnectionRefusedError when any address refused), DeadlineExceeded, InfrastructureError (no such
    host).
    """
    failures = []
    own = (source, 0) if source else None
    for address in _addresses(host, port, where, deadline, named_by, family):
        try:
            sock = socket.create_connection(address, timeout=deadline.check(f"connection to {where}"),
                                            source_address=own)
        except OSError as error:
            failures.append(error)
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise next((error for error in failures if isinstance(error, ConnectionRefusedError)), failures[-1])


def _addresses(host: str, port: int, where: str, deadline: Deadline, named_by: str,
               family: socket.AddressFamily) -> list[tuple[str, int]]:
    """The addresses of a host, looked up in a thread: the look-up itself takes no time limit."""
    answer = in_background(lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
    try:
        found = answer.result(deadline.check(f"connection to {where}"))
    except TimeoutError as error:
        raise DeadlineExceeded(f"{where}: the name {host!r} was not resolved within {deadline.seconds:g} s") from error
    except (OSError, UnicodeError) as error:
        ask = for_people(["getent", "hosts", host])
        kind = {socket.AF_INET: " with an IPv4 address", socket.AF_INET6: " with an IPv6 address"}.get(family, "")
        raise InfrastructureError(f"{where}: there is no host named {host!r}{kind}",
                                  hint=f"correct {named_by}, or the look-up of names: {ask}") from error
    return [(str(entry[4][0]), port) for entry in found]
