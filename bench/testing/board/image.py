"""The board's image: a disk, a kernel, an initial file system, and the keys to reach it by; made once and kept."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bundles.debian import DebianPackage, fetch
from bench.testing.board.initramfs import make_initramfs
from bench.testing.board.root import PACKAGES, make_disk, make_root

ARCHITECTURE = "arm64"
KERNEL = "linux-image-cloud-arm64"
_HERE = Path(__file__).parent
_MAKERS = ("image.py", "init.sh", "initramfs.py", "root.py", "sshd_config", "start.sh")


@dataclass(frozen=True)
class BoardImage:
    """A finished image. It is only read: a board writes to a copy that ends with it."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.ext4"

    @property
    def kernel(self) -> Path:
        return self.folder / "kernel"

    @property
    def initramfs(self) -> Path:
        return self.folder / "initramfs.cpio"

    @property
    def host_key(self) -> Path:
        """The key that the board shows; its public half is beside it."""
        return self.folder / "host_key"

    @property
    def key(self) -> Path:
        """The key that logs in."""
        return self.folder / "client_key"


def build_image(cache: Path) -> BoardImage:
    """The image for the packages that the cache's package lists name, built unless it is there.

    The lists are fetched once: remove the cache to get newer packages. It takes about 500 MB.
    Raises ConfigError (no Debian apt here), InfrastructureError (a download failed, or a tool).
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "lock"):
        packages = fetch([*PACKAGES, KERNEL], ARCHITECTURE, cache / "packages")
        image = BoardImage(cache / f"board-{_digest(packages)}")
        if not image.folder.exists():
            made = Path(tempfile.mkdtemp(prefix="part-", dir=cache))
            try:
                _fill(BoardImage(made), packages)
                made.rename(image.folder)
            finally:
                shutil.rmtree(made, ignore_errors=True)
    return image


def _fill(image: BoardImage, packages: Sequence[DebianPackage]) -> None:
    scratch = image.folder / "scratch"
    root, kernel = scratch / "root", scratch / "kernel"
    for path in (image.host_key, image.key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "board", "-f", str(path)], check=True)
    for package in packages:
        if package.name.startswith("linux-image-"):
            package.unpack(kernel)
    make_root([package for package in packages if not package.name.startswith("linux-image-")], root,
              image.host_key, image.key.with_suffix(".pub"))
    make_disk(root, image.disk)
    script = (_HERE / "init.sh").read_bytes()
    image.initramfs.write_bytes(make_initramfs(kernel, root / "bin/busybox", script))
    (vmlinuz,) = (kernel / "boot").glob("vmlinuz-*")
    shutil.move(vmlinuz, image.kernel)
    shutil.rmtree(scratch)


def _digest(packages: Sequence[DebianPackage]) -> str:
    """Of all that the image is made from: the packages' versions, and the code that puts them together."""
    inputs = hashlib.sha256(repr([(package.name, package.version) for package in packages]).encode())
    for name in _MAKERS:
        inputs.update(hashlib.sha256((_HERE / name).read_bytes()).digest())
    return inputs.hexdigest()[:16]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process works in this cache."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
