"""Files to and from the phone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bench.testing.adbd.conversation import FEATURES
from bench.testing.adbd.wire import VERSION_WITH_CHECKSUMS
from tests.testing.adbd.lab import Lab, lab

SIZES = [0, 1, 65535, 65536, 65537, 15 * 65536, 15 * 65536 + 1, 20_000_000]


@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_file_comes_back_as_it_was_pushed(place: Lab, tmp_path: Path, size_bytes: int) -> None:
    (tmp_path / "sent").write_bytes(os.urandom(size_bytes))
    _there_and_back(place, tmp_path)


@pytest.mark.parametrize("without", [["sendrecv_v2"], ["stat_v2", "ls_v2", "sendrecv_v2"]])
def test_the_older_forms_do_the_same(tmp_path: Path, adb: Path, without: list[str]) -> None:
    with lab(tmp_path, adb, features=[feature for feature in FEATURES if feature not in without]) as old:
        (tmp_path / "sent").write_bytes(os.urandom(300_000))
        _there_and_back(old, tmp_path)


def test_a_phone_that_sums_payloads_does_the_same(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb, version=VERSION_WITH_CHECKSUMS) as old:
        (tmp_path / "sent").write_bytes(os.urandom(300_000))
        _there_and_back(old, tmp_path)


def _there_and_back(place: Lab, tmp_path: Path) -> None:
    remote = place.folder / "some" / "folder" / "file"
    pushed = place.run("push", str(tmp_path / "sent"), str(remote))
    assert pushed.returncode == 0, pushed
    assert remote.read_bytes() == (tmp_path / "sent").read_bytes()
    pulled = place.run("pull", str(remote), str(tmp_path / "back"))
    assert pulled.returncode == 0, pulled
    assert (tmp_path / "back").read_bytes() == (tmp_path / "sent").read_bytes()


def test_mode_and_time_go_along_and_the_owners_rights_are_given_to_all(place: Lab, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o700)
    os.utime(tmp_path / "tool", (1_000_000_000, 1_000_000_000))
    place.run("push", str(tmp_path / "tool"), str(place.folder / "new" / "tool"))
    found = (place.folder / "new" / "tool").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (0o777, 1_000_000_000)
    assert stat.S_IMODE((place.folder / "new").stat().st_mode) == 0o775


def test_a_folder_is_pushed_and_pulled_with_its_links(place: Lab, tmp_path: Path) -> None:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "file").write_text("content")
    (tmp_path / "tree" / "link").symlink_to("deep/file")
    assert place.run("push", str(tmp_path / "tree"), str(place.folder)).returncode == 0
    assert (place.folder / "tree" / "link").readlink() == Path("deep/file")
    assert place.run("pull", str(place.folder / "tree"), str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back" / "link").read_text() == "content"


def test_a_listing_names_what_is_there(place: Lab) -> None:
    (place.folder / "file ü").write_bytes(bytes(300))
    (place.folder / "folder").mkdir()
    lines = place.run("ls", str(place.folder)).stdout.decode().splitlines()
    assert sorted(line.split(" ", 3)[3] for line in lines) == [".", "..", "file ü", "folder"]
    (line,) = [line for line in lines if line.endswith("file ü")]
    assert line.split()[:2] == ["000081a4", "0000012c"]


def test_a_file_that_is_not_there_is_said_to_be_missing(place: Lab, tmp_path: Path) -> None:
    done = place.run("pull", str(place.folder / "none"), str(tmp_path / "back"))
    assert done.returncode == 1
    assert b"No such file or directory" in done.stdout + done.stderr or b"does not exist" in done.stdout + done.stderr
    assert not (tmp_path / "back").exists()


def test_nothing_outside_the_folder_can_be_reached(place: Lab, tmp_path: Path) -> None:
    (tmp_path / "sent").write_text("x")
    for remote in (tmp_path / "outside", place.folder / ".." / "outside"):
        done = place.run("push", str(tmp_path / "sent"), str(remote))
        assert done.returncode == 1
        assert b"Permission denied" in done.stdout + done.stderr
    assert not (tmp_path / "outside").exists()
    assert place.run("pull", str(tmp_path / "sent"), str(tmp_path / "back")).returncode == 1


def test_a_push_replaces_a_file_that_is_in_use_by_a_new_one(place: Lab, tmp_path: Path) -> None:
    target = place.folder / "file"
    target.write_text("old content, longer than the new")
    (tmp_path / "sent").write_text("new")
    with target.open() as old:
        assert place.run("push", str(tmp_path / "sent"), str(target)).returncode == 0
        assert old.read() == "old content, longer than the new"
    assert target.read_text() == "new"
