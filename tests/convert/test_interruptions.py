"""What is left when the converter's host process or its disk fails: nothing half-written, nothing running."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bench.convert.cache import open_cache
from bench.convert.recipe import Recipe
from bench.convert.types import Artifact
from tests.fakes import recipes as dying
from tests.fakes.onnx_files import job_for, write_net
from tests.fakes.processes import wait_gone
from tests.fakes.workbench import Bench

UseRecipes = Callable[[Sequence[Recipe]], None]
REPOSITORY = Path(__file__).parents[2]

HOST = """
import sys
from pathlib import Path
from bench.convert import recipes
from bench.convert.cache import open_cache
from bench.convert.process import Limits
from bench.convert.variants import Request, convert
from tests.fakes import recipes as dying
from tests.fakes.onnx_files import job_for

recipes.ALL = dying.one("says_where_and_hangs")
convert([Request(job_for(Path(sys.argv[2])), "onnx", "int8")], open_cache(Path(sys.argv[1])), Limits(), 1, print)
"""


def _told_pid(pipe: Path, host: subprocess.Popen[bytes]) -> int:
    """The process id that the recipe writes to the pipe. Raises AssertionError when the host ends before that."""
    reader, ending = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), os.pidfd_open(host.pid)
    try:
        assert select.select([reader, ending], [], [], 60)[0] == [reader], "the host ended, or nothing came"
        return int(os.read(reader, 100))
    finally:
        os.close(reader)
        os.close(ending)


def test_kill_9_of_the_host_ends_the_child_and_leaves_no_half_entry(workbench: Bench, tmp_path: Path,
                                                                    use_recipes: UseRecipes) -> None:
    net = write_net(tmp_path / "net.onnx")
    os.mkfifo(tmp_path / "reached")
    host = subprocess.Popen([sys.executable, "-c", HOST, str(workbench.cache.root), str(net)], cwd=REPOSITORY)
    child = _told_pid(tmp_path / "reached", host)
    host.send_signal(signal.SIGKILL)
    host.wait()
    wait_gone(child)
    assert list(workbench.cache.work.iterdir())
    open_cache(workbench.cache.root)
    assert not list(workbench.cache.work.iterdir())
    use_recipes(dying.one("prints_garbage", precision="int8-dynamic"))
    assert isinstance(workbench.artifact(job_for(net), "int8-dynamic"), Artifact)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.getuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)],
                                                  check=False, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("a small file system needs the right to mount one (root)")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_and_nothing_half_written_is_left(small_disk: Path, tmp_path: Path,
                                                              use_recipes: UseRecipes) -> None:
    workbench = Bench(open_cache(small_disk / "cache"))
    net = write_net(tmp_path / "net.onnx")
    use_recipes(dying.one("fills_the_disk"))
    workbench.artifact(job_for(net), "fp32")
    kept = set(workbench.cache.entries.iterdir())
    refusal = workbench.refusal(job_for(net), "int8")
    assert refusal.reason.startswith(f"no space left on the disk of {workbench.cache.root}")
    assert refusal.fault == "infrastructure"
    assert set(workbench.cache.entries.iterdir()) == kept
    assert not list(workbench.cache.work.iterdir())


def test_a_disk_that_is_full_before_anything_starts_is_told(small_disk: Path, tmp_path: Path) -> None:
    workbench = Bench(open_cache(small_disk / "cache"))
    with pytest.raises(OSError, match="No space left"), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)
    refusal = workbench.refusal(job_for(write_net(tmp_path / "net.onnx")), "fp32")
    assert "no space left on the disk of" in refusal.reason
    assert refusal.fault == "infrastructure"
    assert not list(workbench.cache.entries.iterdir()) and not list(workbench.cache.work.iterdir())
