"""The way to one phone through the adb server: services opened on it, each over a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.config.devices import AdbConfig
from bench.deadline import Deadline
from bench.errors import DeviceError, InfrastructureError
from bench.transports.adb_phones import REMEDIES, await_phone
from bench.transports.adb_server import Server, running_server
from bench.transports.adb_wire import Refused, Wire
from bench.transports.base import next_sign

RETURN_HINT = "check the phone's cable and power, then run again with --resume"


@dataclass(frozen=True)
class Link:
    """A phone that was ready when the link was opened, and how to name it in errors."""

    server: Server
    serial: str
    where: str

    def open(self, service: str, deadline: Deadline, doing: str) -> Wire:
        """A connection to a service of the phone, e.g. `sync:`. Raises InfrastructureError, DeadlineExceeded."""
        deadline.check(f"{self.where}: {doing}")
        deadline = next_sign(deadline)
        with self.guarded(doing):
            wire = self.server.connect(deadline, self.where)
            try:
                wire.request(f"host:transport:{self.serial}", deadline, doing)
                wire.request(service, deadline, doing)
            except BaseException:
                wire.close()
                raise
        return wire

    @contextmanager
    def guarded(self, doing: str) -> Iterator[None]:
        """Turns the errors of a connection into ours."""
        try:
            yield
        except Refused as error:
            raise self.lost(doing, str(error)) from error
        except ConnectionRefusedError as error:
            raise self.lost(doing, "the adb server is gone") from error
        except (OSError, EOFError) as error:
            raise self.lost(doing) from error

    def lost(self, doing: str, said: str = "") -> InfrastructureError:
        """The error for a phone, or an adb server, that went away; `said` is what was heard of it."""
        reason = said.partition("\n")[0].removeprefix("error: ")
        state = next((state for state in REMEDIES if state in reason), "")
        return InfrastructureError(f"{self.where}: the adb link dropped ({doing}{reason and ': '}{reason})",
                                   hint=REMEDIES.get(state, RETURN_HINT))


def open_link(device: str, config: AdbConfig, deadline: Deadline) -> Link:
    """A phone that is ready. Raises ConfigError, InfrastructureError, DeviceError (too old), DeadlineExceeded."""
    where = f"{device} (adb {config.serial})"
    server = running_server(deadline)
    await_phone(server, config.serial, where, deadline)
    link = Link(server, config.serial, where)
    doing = "asking for its features"
    with link.guarded(doing), server.connect(deadline, where) as wire:
        wire.request(f"host-serial:{config.serial}:features", deadline, doing)
        features = wire.text(deadline, doing).split(",")
    if "shell_v2" not in features:
        raise DeviceError(f"{where}: the phone cannot tell how a command ended: it has no shell protocol 2",
                          hint="Android 7 or newer is needed")
    return link
