"""Where a report goes: what is there is replaced whole, or written to as it is."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.report.write import write_report


def test_a_file_is_replaced_whole_and_a_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    for content in ("first \u2713", b"second"):
        write_report(content, path)
        assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    link, target = tmp_path / "latest.html", tmp_path / "shown" / "report.html"
    target.parent.mkdir()
    link.symlink_to(target)
    write_report("x", link)
    assert link.is_symlink() and target.read_text() == "x"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=write_report, args=("through", pipe))
    writer.start()
    assert pipe.read_text() == "through"
    writer.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode) and [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_device_stays_one_and_what_it_refuses_is_told() -> None:
    write_report("gone", Path("/dev/null"))
    with pytest.raises(ConfigError, match="/dev/full: No space left"):
        write_report("x", Path("/dev/full"))
    assert all(stat.S_ISCHR(Path(name).stat().st_mode) for name in ("/dev/null", "/dev/full"))


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(ConfigError, match="taken: Is a directory"):
        write_report("x", tmp_path / "taken")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_another_files_unfinished_report_is_not_touched(tmp_path: Path) -> None:
    other = tmp_path / "report.html.part"
    other.symlink_to(tmp_path / "elsewhere")
    write_report("x", tmp_path / "report.html")
    assert other.is_symlink() and not (tmp_path / "elsewhere").exists()
