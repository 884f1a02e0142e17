"""The installed version of the first of several distributions."""

from __future__ import annotations

from importlib import metadata


def version_of(*names: str) -> str:
    """`name version` of the first that is installed. Raises ImportError when none is."""
    for name in names:
        try:
            return "{} {}".format(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
    raise ImportError("not installed: " + " or ".join(names))
