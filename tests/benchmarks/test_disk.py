"""A sample of the sweep over inputs and outputs that fail."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from benchmarks.disk import make_bed, wrong_ends

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


def test_a_disk_that_fails_once_is_never_a_verdict_and_the_next_run_works(tmp_path: Path) -> None:
    bed = make_bed(tmp_path)
    total = bed.operations("host")
    assert total > 100
    places = range(total // 5, total, total // 3)
    assert wrong_ends(bed, "host", errno.EIO, places, cold=False) == []
    assert wrong_ends(bed, "agent", errno.ENOSPC, range(40, 41), cold=True) == []
    after = bed.run("host", errno.EIO, 0)
    assert after.returncode == 0, after.stderr
