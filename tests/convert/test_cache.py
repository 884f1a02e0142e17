from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bench.convert.cache import Cache, Entry, commit, key_of, look_up, open_cache, prune, work_folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return open_cache(tmp_path / "cache")


def _put(cache: Cache, key: str, content: bytes = b"content") -> Entry:
    with work_folder(cache) as folder:
        made = folder / "entry"
        made.mkdir()
        (made / "model.onnx").write_bytes(content)
        (made / "log.txt").write_text("what was printed")
        return commit(cache, key, made, {"who": "a test"}, made / "model.onnx")


def test_an_entry_comes_back_as_it_was_put(cache: Cache) -> None:
    put = _put(cache, "k")
    found = look_up(cache, "k")
    assert found == put and found.file is not None
    assert found.file.read_bytes() == b"content" and found.facts == {"who": "a test"}
    assert found.log.read_text() == "what was printed"


def test_nothing_of_the_work_is_left(cache: Cache) -> None:
    _put(cache, "k")
    assert not list(cache.work.iterdir())


def test_a_damaged_entry_is_removed_and_can_be_made_anew(cache: Cache) -> None:
    entry = _put(cache, "k")
    assert entry.file is not None
    entry.file.write_bytes(b"other bytes")
    assert look_up(cache, "k") is None
    assert not (cache.entries / "k").exists()
    assert _put(cache, "k").sha256 == entry.sha256


@pytest.mark.parametrize("damage", ["", "{", '{"facts": 1}', "[]"])
def test_an_entry_whose_description_is_damaged_is_removed(cache: Cache, damage: str) -> None:
    _put(cache, "k")
    (cache.entries / "k" / "entry.json").write_text(damage)
    assert look_up(cache, "k") is None


def test_of_two_that_make_the_same_entry_both_get_the_first_one(cache: Cache) -> None:
    barrier = threading.Barrier(4)
    found: list[Entry] = []

    def put(content: bytes) -> None:
        barrier.wait()
        found.append(_put(cache, "k", content))

    threads = [threading.Thread(target=put, args=(bytes([number]) * 1000,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({entry.sha256 for entry in found}) == 1 and len(found) == 4
    assert not list(cache.work.iterdir())


def test_the_work_of_a_dead_process_is_removed_and_of_a_living_one_kept(cache: Cache) -> None:
    code = ("import sys, os; from pathlib import Path; from bench.convert.cache import open_cache, work_folder\n"
            "with work_folder(open_cache(Path(sys.argv[1]))) as f: (f / 'half').touch(); os.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, "-c", code, str(cache.root)], check=False, cwd=Path(__file__).parents[2])
    assert len(list(cache.work.iterdir())) == 1
    with work_folder(cache) as mine:
        open_cache(cache.root)
        assert list(cache.work.iterdir()) == [mine]


def test_prune_removes_what_was_not_used_for_long(cache: Cache) -> None:
    _put(cache, "old")
    _put(cache, "new")
    os.utime(cache.entries / "old", (0, 0))
    count, freed = prune(cache, older_than_days=1)
    assert count == 1 and freed > 0
    assert look_up(cache, "new") and not look_up(cache, "old")


def test_prune_to_a_size_removes_the_longest_unused_first(cache: Cache) -> None:
    for number, key in enumerate("abc"):
        _put(cache, key, b"x" * 10_000)
        os.utime(cache.entries / key, (number, number))
    count, _ = prune(cache, max_bytes=15_000)
    assert count == 2 and [folder.name for folder in cache.entries.iterdir()] == ["c"]


def test_prune_of_everything_leaves_nothing(cache: Cache) -> None:
    _put(cache, "a")
    assert prune(cache, everything=True)[0] == 1
    assert prune(cache, everything=True) == (0, 0)


def test_using_an_entry_marks_it_as_used(cache: Cache) -> None:
    _put(cache, "a")
    os.utime(cache.entries / "a", (0, 0))
    look_up(cache, "a")
    assert prune(cache, older_than_days=1) == (0, 0)


def test_a_key_depends_on_the_content_and_not_on_the_order() -> None:
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "elsewhere"))
    assert open_cache().root == tmp_path / "elsewhere"


KILLED_AT_STEP = """
import os, pathlib, signal, sys
from bench.convert.cache import commit, open_cache, work_folder

left = int(sys.argv[2])

def count_down(real):
    def step(*arguments, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return real(*arguments, **options)
    return step

os.fsync = count_down(os.fsync)
pathlib.Path.rename = count_down(pathlib.Path.rename)
pathlib.Path.write_text = count_down(pathlib.Path.write_text)
cache = open_cache(pathlib.Path(sys.argv[1]))
with work_folder(cache) as folder:
    made = folder / "entry"
    made.mkdir()
    (made / "model.onnx").write_bytes(b"content")
    commit(cache, "k", made, {}, made / "model.onnx")
"""


@pytest.mark.parametrize("step", range(8))
def test_killed_at_any_step_there_is_no_entry_or_a_whole_one(cache: Cache, step: int) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED_AT_STEP, str(cache.root), str(step)], check=False,
                           cwd=Path(__file__).parents[2])
    open_cache(cache.root)
    assert not list(cache.work.iterdir())
    entry = look_up(cache, "k")
    assert [folder.name for folder in cache.entries.iterdir()] == (["k"] if entry else [])
    # Steps: the description, four syncs (three files, their folder), the rename, the sync of the entries' folder.
    assert (entry is not None) == (step >= 6) and (ended.returncode == 0) == (step >= 7)
