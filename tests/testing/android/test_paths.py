"""Paths on the phone, resolved as the phone would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.testing.android.paths import User, inside

ALL = User(os.getuid(), frozenset(os.getgroups()))
OTHER = User(65000, frozenset({65000}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "data/local/tmp").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    return folder


@pytest.mark.parametrize("remote", ["/data/local/tmp", "data/local/tmp", "//data/./local//tmp/", "/data/x/../local/tmp",
                                    "/../../data/local/tmp", "/data/local/tmp/../../../../data/local/tmp"])
def test_every_spelling_leads_to_the_same_place(root: Path, remote: str) -> None:
    assert inside(root, remote, ALL) == root / "data/local/tmp"


@pytest.mark.parametrize("target", ["/secret", "../../../../secret", "../../../../../../../../secret"])
def test_a_link_stays_inside(root: Path, target: str) -> None:
    (root / "data/local/tmp/link").symlink_to(target)
    assert inside(root, "/data/local/tmp/link", ALL) == root / "secret"


def test_links_are_followed_wherever_they_stand(root: Path) -> None:
    (root / "sdcard").symlink_to("/storage/self")
    (root / "storage/0").mkdir(parents=True)
    (root / "storage/self").symlink_to("0")
    assert inside(root, "/sdcard/new/file", ALL) == root / "storage/0/new/file"
    assert inside(root, "/sdcard", ALL) == root / "storage/0"
    assert inside(root, "/sdcard", ALL, follow=False) == root / "sdcard"
    assert inside(root, "/sdcard/..", ALL, follow=False) == root / "storage"


def test_links_in_circles_end(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("/a")
    with pytest.raises(OSError, match="Too many levels"):
        inside(root, "/a/x", ALL)


def test_what_no_process_there_could_open_is_refused(root: Path) -> None:
    (root / "data/file").write_text("x")
    with pytest.raises(NotADirectoryError):
        inside(root, "/data/file/x", ALL)
    with pytest.raises(OSError, match="Invalid argument"):
        inside(root, "/data/\0", ALL)
    (root / "data").chmod(0o711)
    assert inside(root, "/data/file", OTHER) == root / "data/file"
    with pytest.raises(PermissionError):
        inside(root, "/data/new/file", OTHER)
    (root / "data").chmod(0o700)
    with pytest.raises(PermissionError):
        inside(root, "/data/file", OTHER)


def test_a_group_and_its_lack_of_rights_go_before_those_of_others(root: Path) -> None:
    (root / "data").chmod(0o707)
    member = User(65000, frozenset({(root / "data").stat().st_gid}))
    with pytest.raises(PermissionError):
        inside(root, "/data/local", member)
    assert inside(root, "/data/local", OTHER) == root / "data/local"
