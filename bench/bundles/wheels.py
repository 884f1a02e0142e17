"""Python wheels of another machine, fetched by this Python's own pip at the versions that `wheels.txt` pins."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bundles import pip
from bench.errors import InfrastructureError
from bench.models.files import sha256_file

PINS = Path(__file__).with_name("wheels.txt")
PYTHON = "3.11"

_PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})\Z")
_PLATFORMS = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in (17, 24, 26, 27, 28, 31, 34)))
"""pip takes no tag for another: each that a wheel may bear is named."""


@dataclass(frozen=True)
class Wheel:
    """A fetched wheel: its distribution's name, version, and file."""

    name: str
    version: str
    path: Path
    sha256: str


def fetch_wheels(names: Sequence[str], folder: Path, tell: Callable[[str], None] = lambda _: None) -> list[Wheel]:
    """The named distributions' wheels for aarch64, downloaded into `folder` unless they are there; in that order.

    Raises ConfigError (this Python has no pip), InfrastructureError (a download failed or differs from its pin).
    """
    pins = {match["name"]: match for line in PINS.read_text(encoding="utf-8").splitlines()
            if (match := _PIN.match(line))}
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if _found(pins[name], folder) is None]
    if missing:
        tell(f"downloading {', '.join(missing)}")
        _download([pins[name].string for name in missing], folder)
    found = []
    for name in names:
        wheel = _found(pins[name], folder)
        if wheel is None:
            raise InfrastructureError(f"pip downloaded no wheel of {name} {pins[name]['version']} into {folder}")
        found.append(wheel)
    return found


def _found(pin: re.Match[str], folder: Path) -> Wheel | None:
    """The file of a pin, where it is there whole."""
    stem = pin["name"].replace("-", "_")
    for path in sorted(folder.glob(f"{stem}-{pin['version']}-*.whl")):
        if sha256_file(path) == pin["sha256"]:
            return Wheel(pin["name"], pin["version"], path, pin["sha256"])
        path.unlink()
    return None


def _download(lines: list[str], folder: Path) -> None:
    words = [f"--platform={platform}_aarch64" for platform in _PLATFORMS]
    words += [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        wanted = Path(temporary) / "wanted.txt"
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        pip.download(["--no-deps", "--only-binary=:all:", "--require-hashes", f"--python-version={PYTHON}",
                      "--implementation=cp", *words, f"--dest={temporary}", f"--requirement={wanted}"],
                     "a bundle is made from")
        for path in Path(temporary).glob("*.whl"):
            path.replace(folder / path.name)
