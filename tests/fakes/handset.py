"""The transport to a phone that is tested with."""

from __future__ import annotations

from bench.config.devices import AdbConfig, DeviceConfig
from bench.deadline import Deadline
from bench.testing.phone import Phone
from bench.transports.base import Transport
from bench.transports.connect import connect


def reach(phone: Phone, within_s: float = 20.0) -> Transport:
    """A connection to the phone, through the adb server that the environment names."""
    return connect("phone", DeviceConfig(adb=AdbConfig(serial=phone.serial)), Deadline(within_s))
