"""Every error that `bench` raises on purpose.

    BenchError
    |-- ConfigError          what the user wrote: a file, a flag, a name          (exit 2)
    |   `-- MissingExtra     an optional package that the command needs           (exit 2)
    |-- ModelError           the model, or what a converter or runtime says of it (exit 3)
    |-- DeviceError          the device: crashed, out of memory, full, in use     (exit 3)
    `-- InfrastructureError  the link, the host, a lost process                   (exit 3)
        `-- DeadlineExceeded a wait that ended without an answer                  (exit 3)

An error says what was wanted, what was found, the nearest valid choice (in the message), and what to do (the hint).
"""

from __future__ import annotations

from typing import ClassVar, Literal

Fault = Literal["config", "model", "device", "infrastructure", "busy", "bug"]
"""Whose doing it is; busy: somebody else's, who uses the device."""

EXIT_OK = 0
EXIT_EXPECTATION = 1
EXIT_CONFIG = 2
EXIT_INCOMPLETE = 3
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


class BenchError(Exception):
    """Something went wrong that has a known owner (`fault`) and a next step (`hint`)."""

    fault: ClassVar[Fault] = "bug"
    exit_code: ClassVar[int] = EXIT_BUG

    def __init__(self, message: str, *, hint: str = "", log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log
        """What was printed before it happened, where something was."""

    @property
    def line(self) -> str:
        """Message and hint in one line, for a row of a table."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigError(BenchError):
    """What the user wrote cannot be used."""

    fault = "config"
    exit_code = EXIT_CONFIG


class MissingExtra(ConfigError):
    """A command needs an optional package that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package!r}, which is not installed",
                         hint=f"install it with: pip install 'bench[{extra}]'")
        self.package = package
        self.extra = extra


class ModelError(BenchError):
    """The model cannot be opened, converted or run, whatever the device."""

    fault = "model"
    exit_code = EXIT_INCOMPLETE


class DeviceError(BenchError):
    """The device answered, and could not do it."""

    fault: ClassVar[Fault] = "device"
    exit_code = EXIT_INCOMPLETE


class InfrastructureError(BenchError):
    """The way to the device, or the host itself, failed."""

    fault = "infrastructure"
    exit_code = EXIT_INCOMPLETE


class DeadlineExceeded(InfrastructureError):
    """A wait reached its deadline without an answer."""
