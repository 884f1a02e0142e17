from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.agents import lock


def test_one_controller_at_a_time_and_the_other_learns_who_it_is(tmp_path: Path) -> None:
    held = lock.take(str(tmp_path), "ann@desk")
    with pytest.raises(lock.Busy) as caught:
        lock.take(str(tmp_path), "bob@desk")
    assert caught.value.holder["owner"] == "ann@desk" and caught.value.holder["pid"] == os.getpid()
    os.close(held)
    os.close(lock.take(str(tmp_path), "bob@desk"))


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        lock.take(str(tmp_path), "ann@desk")
    assert victim.read_text() == "mine"
