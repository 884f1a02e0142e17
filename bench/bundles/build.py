"""Builds a bundle's layers from Debian's arm64 packages and aarch64 wheels."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bundles import library
from bench.bundles.debian import DebianPackage, fetch
from bench.bundles.layers import ARCHITECTURE, BASE, Bundle, Layer, with_needs
from bench.bundles.library import Origin
from bench.bundles.recipes import LIBRARIES, RECIPES, Recipe
from bench.bundles.stage import bytecode_version, stage
from bench.bundles.wheels import Wheel, fetch_wheels
from bench.errors import ConfigError
from bench.models.files import sha256_file
from bench.units import mebibytes
from bench.words import RUNTIMES, nearest

_DEBIAN_ARCHITECTURE = "arm64"
_LAYOUT = 1
"""Counted up when the way from the same recipe and files to a layer changes."""


def build(root: Path, runtimes: Iterable[str] = RUNTIMES, tell: Callable[[str], None] = lambda _: None) -> Bundle:
    """The bundle for these runtimes, the newest of the library under `root` from now on.

    What lies there already is neither downloaded nor built again; `tell` hears of each step. Raises ConfigError
    (an unknown runtime, no apt or pip here), InfrastructureError (a download failed, no space).
    """
    wanted = _wanted(runtimes)
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        bundle = Bundle(ARCHITECTURE, tuple(_layer(root, recipe, tell) for recipe in wanted))
        library.remember(root, bundle)
    return bundle


def _wanted(runtimes: Iterable[str]) -> list[Recipe]:
    chosen = tuple(runtimes)
    for runtime in chosen:
        if runtime not in RUNTIMES:
            raise ConfigError(f"no runtime is called {runtime!r}{nearest(runtime, RUNTIMES)}")
    names = with_needs((*BASE, *chosen), {recipe.name: recipe.needs for recipe in RECIPES})
    return [recipe for recipe in RECIPES if recipe.name in names]


def _layer(root: Path, recipe: Recipe, tell: Callable[[str], None]) -> Layer:
    packages, wheels = _ingredients(root, recipe, tell)
    origin = _origin(recipe, packages, wheels)
    layer = library.find(root, origin)
    if layer is None:
        tell(f"{recipe.name}: packing {', '.join(f'{name} {version}' for name, version in origin.versions.items())}")
        with library.work_folder(root) as work:
            stage(recipe, packages, wheels, work / "layer", work / "scratch")
            layer = library.add(root, origin, work / "layer")
        tell(f"{recipe.name}: {mebibytes(layer.archive_bytes)} MiB, {mebibytes(layer.unpacked_bytes)} MiB unpacked")
    return layer


def _ingredients(root: Path, recipe: Recipe,
                 tell: Callable[[str], None]) -> tuple[list[DebianPackage], list[Wheel]]:
    downloads = root / "downloads"
    packages: list[DebianPackage] = []
    if recipe.packages:
        fetched = fetch(recipe.packages, _DEBIAN_ARCHITECTURE, downloads / "debian")
        packages = sorted((package for package in fetched if package.name in recipe.packages),
                          key=lambda package: recipe.packages.index(package.name))
    return packages, fetch_wheels(recipe.wheels, downloads / "wheels", tell)


def _origin(recipe: Recipe, packages: list[DebianPackage], wheels: list[Wheel]) -> Origin:
    files = {package.path.name: sha256_file(package.path) for package in packages}
    files |= {wheel.path.name: wheel.sha256 for wheel in wheels}
    text = repr((_LAYOUT, recipe, LIBRARIES))
    versions = {package.name: package.version for package in packages}
    versions |= {wheel.name: wheel.version for wheel in wheels}
    return Origin(recipe.name, recipe.needs, versions, files, hashlib.sha256(text.encode()).hexdigest()[:16],
                  bytecode_version())


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait until no other process builds in this library."""
    with (root / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
