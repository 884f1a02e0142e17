"""A bundle: the layers of the self-contained Python that is put on devices which have none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.words import RUNTIMES

ARCHITECTURE = "aarch64"
BASE = ("python", "numpy")
"""The layers that the agent itself needs."""
ELSEWHERE = "elsewhere"
"""The one layer of a bundle that was not made here: it holds an executable `py`, and whatever that needs."""


@dataclass(frozen=True)
class Layer:
    """A part of a bundle: a folder on the device, and its archive here. The digest is that of what it holds."""

    name: str
    digest: str
    archive: Path
    archive_bytes: int
    unpacked_bytes: int
    """On a disk that gives out blocks of 4 KiB."""
    files: int
    """Regular files in it."""
    needs: tuple[str, ...]
    versions: Mapping[str, str]
    """Of each package in it, by name."""

    @property
    def folder(self) -> str:
        """What it is called on a device."""
        return f"{self.name}-{self.digest}"


@dataclass(frozen=True)
class Bundle:
    """Layers, each after those that it needs. `architecture` is "any" for what was made elsewhere."""

    architecture: str
    layers: tuple[Layer, ...]

    @property
    def elsewhere(self) -> Layer | None:
        """Its one layer, where it was not made here."""
        return next((layer for layer in self.layers if layer.name == ELSEWHERE), None)

    @property
    def runtimes(self) -> tuple[str, ...]:
        """Those that it may hold: of a bundle made elsewhere that is not known, so each."""
        named = {layer.name for layer in self.layers}
        return tuple(runtime for runtime in RUNTIMES if self.elsewhere is not None or runtime in named)

    def for_runtimes(self, runtimes: Iterable[str]) -> Bundle:
        """Just the layers that these runtimes need, as far as it holds them."""
        if self.elsewhere is not None:
            return self
        needs = {layer.name: layer.needs for layer in self.layers}
        wanted = with_needs((name for name in (*BASE, *runtimes) if name in needs), needs)
        return replace(self, layers=tuple(layer for layer in self.layers if layer.name in wanted))


def with_needs(names: Iterable[str], needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """These layers and, at any depth, the layers that they need."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += needs[name]
    return found
