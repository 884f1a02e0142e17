"""The board's initial file system: busybox, the kernel's modules for disk and network, and a script."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path

from bench.errors import InfrastructureError

MODULES = ("virtio_mmio", "virtio_blk", "virtio_net")
"""What the board needs before its disk can be read; the rest of the kernel's modules never leaves its package."""


def make_initramfs(kernel: Path, busybox: Path, script: bytes) -> bytes:
    """A cpio archive. `kernel` is the unpacked kernel package. Raises InfrastructureError: a module is not in it."""
    modules = _in_order(MODULES, {path.stem: path for path in kernel.rglob("*.ko")})
    order = "".join(f"{path.name}\n" for path in modules)
    files = {"init": script, "bin/busybox": busybox.read_bytes(), "modules/order": order.encode()}
    files |= {f"modules/{path.name}": path.read_bytes() for path in modules}
    archive = io.BytesIO()
    for number, folder in enumerate(("bin", "modules"), 1):
        _add(archive, folder, number, 0o040755, b"")
    for number, (name, content) in enumerate(files.items(), 100):
        _add(archive, name, number, 0o100755, content)
    _add(archive, "TRAILER!!!", 0, 0, b"")
    return archive.getvalue()


def _in_order(names: Iterable[str], known: dict[str, Path]) -> list[Path]:
    """The modules and what each depends on, in the order in which the kernel takes them."""
    found: list[Path] = []
    for name in names:
        path = known.get(name) or known.get(name.replace("_", "-"))
        if path is None:
            raise InfrastructureError(f"the kernel package has no module {name}")
        depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        needed = depends[1].decode().split(",") if depends and depends[1] else []
        found += [module for module in [*_in_order(needed, known), path] if module not in found]
    return found


def _add(archive: io.BytesIO, name: str, number: int, mode: int, content: bytes) -> None:
    """A member in cpio's `newc` form: thirteen numbers, the name, the content, each padded to four bytes."""
    encoded = name.encode() + b"\0"
    numbers = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in numbers) + encoded
    for part in (header, content):
        archive.write(part + b"\0" * (-len(part) % 4))
