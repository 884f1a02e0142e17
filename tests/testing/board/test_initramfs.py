"""The board's initial file system: an archive that others can read, with the modules in the kernel's order."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bench.errors import InfrastructureError
from bench.testing.board.initramfs import make_initramfs


def kernel(folder: Path, **depends: str) -> Path:
    """A kernel package's folder with these modules, each of which names what it depends on as real ones do."""
    (folder / "modules").mkdir(parents=True)
    for name, needs in depends.items():
        content = b"\x7fELF\0license=GPL\0depends=" + needs.encode() + b"\0name=" + name.encode() + b"\0"
        (folder / "modules" / f"{name}.ko").write_bytes(content)
    return folder


def unpacked(archive: bytes, folder: Path) -> Path:
    """The archive's files, laid out by busybox."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("needs busybox (Debian: busybox-static)")
    folder.mkdir()
    subprocess.run([busybox, "cpio", "-i", "-d"], input=archive, cwd=folder, check=True, capture_output=True)
    return folder


def test_a_module_comes_after_what_it_depends_on_and_only_once(tmp_path: Path) -> None:
    source = kernel(tmp_path / "kernel", virtio_mmio="virtio,virtio_ring", virtio="virtio_ring", virtio_ring="",
                    virtio_blk="virtio", virtio_net="net_failover", net_failover="", unused="")
    tool = tmp_path / "busybox"
    tool.write_bytes(b"odd")
    found = unpacked(make_initramfs(source, tool, b"#!script\n"), tmp_path / "out")
    order = (found / "modules/order").read_text().split()
    assert order == ["virtio_ring.ko", "virtio.ko", "virtio_mmio.ko", "virtio_blk.ko", "net_failover.ko",
                     "virtio_net.ko"]
    for name in order:
        assert (found / "modules" / name).read_bytes() == (source / "modules" / name).read_bytes()
    assert (found / "init").read_bytes() == b"#!script\n"
    assert (found / "bin/busybox").stat().st_mode & 0o111


def test_a_module_with_a_dash_in_its_name_is_found(tmp_path: Path) -> None:
    source = kernel(tmp_path / "kernel", **{"virtio-mmio": "", "virtio_blk": "", "virtio_net": ""})
    tool = tmp_path / "busybox"
    tool.touch()
    assert b"virtio-mmio.ko\nvirtio_blk.ko" in make_initramfs(source, tool, b"")


def test_a_kernel_without_a_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="no module virtio_blk"):
        make_initramfs(kernel(tmp_path / "kernel", virtio_mmio=""), tmp_path, b"")
