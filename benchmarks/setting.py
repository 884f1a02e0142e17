"""What every part gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.convert.cache import Cache

ROOT = Path(__file__).resolve().parent.parent
DEVICE = "here"
"""The name of this machine in the parts' own devices.yaml."""


@dataclass(frozen=True)
class Setting:
    """`folder` is the part's own, gone afterwards; `tell` shows a line of progress; `cache` is the user's usual one.

    `minutes` is how long fidelity goes on for files of which it could say nothing yet.
    """

    quick: bool
    minutes: float
    folder: Path
    cache: Cache
    tell: Callable[[str], None]
