"""What a run tells while it goes on; the command line shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["note", "convert", "cached", "converted", "refused", "device", "trial", "waiting", "phase", "trial-ok",
               "trial-failed", "closed", "contention"]


@dataclass(frozen=True)
class Event:
    """One step. `done` of `total` trials of the device, where it concerns trials; `total` may grow where cells are
    measured until their intervals are narrow enough. `closed`: a cell gets no further trials. `contention`: others
    use the device."""

    kind: Kind
    text: str
    device: str = ""
    cell: str = ""
    done: int = 0
    total: int = 0


Notify = Callable[[Event], None]
