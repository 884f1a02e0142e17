"""What is no store, what may not be written, and what lies where names are long or clocks run back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.judge.sides import find_sides
from bench.store.going import going, in_progress
from bench.store.opening import LONGEST_NAME
from bench.store.store import Store
from benchmarks.stored import seal
from tests.fakes.nights import NightCell, run_id, write_nights
from tests.store.test_store import RUN

ROOT = Path(__file__).parents[2]


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (id TEXT)")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.close()


def bare(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()


@pytest.mark.parametrize(("make", "said"), [
    (lambda path: path.mkdir(), "it is a folder"),
    (lambda path: path.touch(), "is empty: nothing was ever stored in it"),
    (lambda path: path.write_text("a,b\n" * 99), "it is no SQLite database, it begins with b'a,b"),
    (os.mkfifo, "a device or a pipe"),
    (foreign, "is a database of another program: it has the tables alembic_version, runs"),
    (bare, "is a database without tables"),
])
def test_what_is_no_store_is_one_error_and_stays_as_it_is(tmp_path: Path, make: Callable[[Path], object],
                                                          said: str) -> None:
    path = tmp_path / "s.sqlite"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ConfigError, match=said):
        Store(path)
    if path.is_file():
        assert path.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == [path.name]


def test_nothing_is_written_into_the_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    foreign(path)
    with pytest.raises(ConfigError, match="of another program"):
        Store(path, create=True)
    assert sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master").fetchone() == (2,)


def test_a_new_store_is_made_with_its_first_record(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "s.sqlite"
    with Store(path, create=True) as store:
        assert store.runs() == () and not path.exists()
        store.add_run(RUN, [])
        assert [run.id for run in store.runs()] == [RUN.id]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_store_with_the_longest_name_is_used_and_locked_and_a_longer_one_refused(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 120 + "s" * (LONGEST_NAME - 240))
    with Store(path, create=True) as store:
        store.add_run(RUN, [])
        with going(path, RUN.id):
            assert in_progress(path, RUN.id) and store.find_run(None).state == "running"
        assert not in_progress(path, RUN.id)
    for create in (True, False):
        with pytest.raises(ConfigError, match="has 255 bytes, at most 247"):
            Store(tmp_path / ("s" * 255), create=create)


def test_a_clock_that_was_set_back_makes_no_older_run_the_last(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    write_nights(path, [NightCell([1.0, 1.0, 2.0])])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET started = '1970-01-01T00:00:09Z' WHERE id = ?", (run_id(2),))
    connection.close()
    seal(path)
    with Store(path) as store:
        assert [run.id for run in store.runs()] == [run_id(2), run_id(1), run_id(0)]
        before, after = find_sides(store, "previous", "last")
        assert (before.run.id, after.run.id) == (run_id(1), run_id(2))
    with Store(path, create=True) as store:
        store.add_run(replace(RUN, started="1969-01-01T00:00:00Z"), [])
        assert store.runs()[0].id == RUN.id


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of its own, which is made writable again."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("needs setpriv (Debian: util-linux), for modes do not bind root")
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def bound_by_modes(*command: str) -> subprocess.CompletedProcess[str]:
    """A command of Python by a user whom the modes of files bind."""
    caps = "-dac_override,-dac_read_search"
    drop = ["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}"] if os.geteuid() == 0 else []
    return subprocess.run([*drop, sys.executable, *command], capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize("older", [False, True])
def test_a_store_that_cannot_be_written_is_read_and_left_as_it_is(shared: Path, older: bool) -> None:
    path = shared / "s.sqlite"
    write_nights(path, [NightCell([1.0, 1.0])])
    if older:
        as_before_checksums(path)
    path.chmod(0o444)
    shared.chmod(0o555)
    before = path.read_bytes()
    for words in (("report", "--format", "json"), ("history",), ("store", "check"), ("compare", "previous", "last")):
        done = bound_by_modes("-m", "bench", *words, "--store", str(path))
        assert (done.returncode, done.stderr) == (0, ""), words
    done = bound_by_modes("-m", "bench", "report", "--store", str(path))
    assert done.returncode in (2, 3) and done.stderr.startswith("error: "), "the page would lie beside it"
    assert path.read_bytes() == before and [each.name for each in shared.iterdir()] == [path.name]


OPEN = """
import sys
from pathlib import Path
from bench.store.store import Store
try:
    Store(Path(sys.argv[1]), create=True)
except Exception as error:
    print(type(error).__name__, error)
"""


def test_what_would_write_says_why_it_cannot(shared: Path) -> None:
    path = shared / "s.sqlite"
    write_nights(path, [NightCell([1.0, 1.0])])
    for file, folder, said in ((0o444, 0o755, "the file is read-only"), (0o644, 0o555, "its folder is read-only"),
                               (0o000, 0o755, "cannot be read by this user")):
        path.chmod(file)
        shared.chmod(folder)
        done = bound_by_modes("-c", OPEN, str(path))
        assert done.stdout.startswith("ConfigError") and said in done.stdout, done


def as_before_checksums(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
        for table, column in (("runs", "checksum"), ("cells", "checksum"), ("sessions", "checksum"),
                              ("trials", "checksum"), ("trials", "median_checksum"), ("runs", "number")):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.close()
