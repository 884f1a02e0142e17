"""The board's image: built once, complete or not there at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import InfrastructureError
from bench.testing.board import image as images
from bench.testing.board.image import BoardImage, build_image
from bench.testing.board.root import PACKAGES

pytestmark = pytest.mark.slow


def test_an_image_is_built_once(image: BoardImage) -> None:
    before = image.disk.stat()
    assert build_image(image.folder.parent) == image
    after = image.disk.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_disk_file_holds_no_more_than_was_written(image: BoardImage) -> None:
    assert image.disk.stat().st_size >= 2 << 30
    assert image.disk.stat().st_blocks * 512 < 400 << 20


def test_other_packages_make_another_image_and_a_failure_leaves_nothing(
        image: BoardImage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(root: Path, disk: Path) -> None:
        assert (root / "usr/bin/python3").exists()
        disk.write_bytes(b"half")
        raise InfrastructureError("no more room")

    there = sorted(image.folder.parent.iterdir())
    monkeypatch.setattr(images, "make_disk", fail)
    assert build_image(image.folder.parent) == image
    monkeypatch.setattr(images, "PACKAGES", (*PACKAGES, "netbase"))
    with pytest.raises(InfrastructureError, match="no more room"):
        build_image(image.folder.parent)
    assert sorted(image.folder.parent.iterdir()) == there
