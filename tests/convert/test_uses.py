"""A cache is pruned around what commands that still run have touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.convert.cache import Cache, open_cache, prune
from bench.convert.uses import FOLDER, used_since, using

HOLD = ("import sys; from pathlib import Path; from bench.convert.cache import open_cache; "
        "from bench.convert.uses import using\nwith using(open_cache(Path(sys.argv[1]))): print('on', flush=True); "
        "sys.stdin.read()")


def touched(cache: Cache, name: str, when: float | None = None) -> Path:
    """An entry of the cache that was used then, or now."""
    folder = cache.entries / name
    folder.mkdir()
    if when is not None:
        os.utime(folder, (when, when))
    return folder


def test_what_a_running_command_uses_is_kept_and_the_rest_goes(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    old = touched(cache, "old", 1e9)
    with using(cache):
        fresh = touched(cache, "fresh")
        assert prune(cache, everything=True, used_since=used_since(cache))[0] == 1
    assert fresh.is_dir() and not old.exists()
    assert used_since(cache) is None and not list((tmp_path / FOLDER).iterdir())


def test_of_several_the_one_that_began_first_counts_and_a_killed_one_does_not(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"on\n"
        began = used_since(cache)
        with using(cache):
            assert used_since(cache) == began is not None
        other.kill()
        other.wait()
        assert len(list((tmp_path / FOLDER).iterdir())) == 1 and used_since(cache) is None
    assert not list((tmp_path / FOLDER).iterdir())
