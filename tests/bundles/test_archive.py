"""Archives: the same whatever the files' times and owners, another when a byte or a mode differs."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from bench.bundles.archive import digest_of, disk_bytes, members_of, pack


def _tree(folder: Path, text: str = "abc") -> Path:
    long = folder / ("d" * 90) / ("e" * 90)
    long.mkdir(parents=True)
    (long / "ünï").write_text(text)
    (folder / "b").write_text("x" * 5000)
    (folder / "a").symlink_to("b")
    return folder


def test_the_same_files_give_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    one, other = _tree(tmp_path / "one"), _tree(tmp_path / "other")
    os.utime(other / "b", (1, 1))
    (other / "b").chmod(0o600)
    for folder in (one, other):
        pack(folder, members_of(folder), folder.with_suffix(".tar.gz"))
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "other.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "one.tar.gz") as tar:
        assert {(info.mtime, info.uid, info.gid, info.uname) for info in tar} == {(0, 0, 0, "")}
        tar.extractall(tmp_path / "back", filter="data")
    assert members_of(tmp_path / "back") == members_of(one)


def test_the_digest_is_that_of_content_mode_and_link(tmp_path: Path) -> None:
    folder = _tree(tmp_path / "one")
    digests = [digest_of(members_of(folder))]
    (folder / "b").chmod(0o755)
    digests.append(digest_of(members_of(folder)))
    (folder / "b").write_text("y" * 5000)
    digests.append(digest_of(members_of(folder)))
    (folder / "a").unlink()
    (folder / "a").symlink_to("d")
    digests.append(digest_of(members_of(folder)))
    assert len(set(digests)) == 4
    assert disk_bytes(members_of(folder)) == 8192 + 4096
