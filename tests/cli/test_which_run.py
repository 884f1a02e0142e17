"""Which run is meant: the newest that ended, of this suite and no other of its name, of a commit as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.store.going import going
from bench.store.store import Store
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights
from tests.fakes.runs import Place

CELLS = [NightCell([1.0, 1.0, float("nan")], model="one"), NightCell([1.0, 1.0, 1.0], model="two")]


@pytest.fixture
def stopped(place: Place) -> Place:
    """Two nights, and a third that was stopped after one of its two cells."""
    place.store.parent.mkdir()
    write_nights(place.store, CELLS, trials=6,
                 circumstances=lambda night: Circumstances(state="interrupted" if night == 2 else "finished"))
    return place


def test_a_report_is_of_the_newest_run_that_ended_and_says_what_is_newer(stopped: Place) -> None:
    done = stopped.bench("report", "--format", "json")
    assert json.loads(done.stdout)["run"]["id"] == run_id(1)
    assert f"run {run_id(2)} of vision, which is newer, was interrupted; bench run --resume" in done.stderr
    with going(stopped.store, run_id(2)):
        done = stopped.bench("report", "--format", "json")
    assert json.loads(done.stdout)["run"]["id"] == run_id(1) and "is in progress" in done.stderr


def test_a_run_in_progress_shows_as_such_where_it_is_named(stopped: Place) -> None:
    with going(stopped.store, run_id(2)):
        found = json.loads(stopped.bench("report", run_id(2), "--format", "json").stdout)
        comment = stopped.bench("report", run_id(2), "--format", "comment").stdout
        junit = stopped.bench("report", run_id(2), "--format", "junit").stdout
        markdown = stopped.bench("report", run_id(2), "--format", "md").stdout
    assert found["run"]["state"] == "running"
    assert [(cell["status"], cell["fault"]) for cell in found["cells"]] == [("pending", None), ("ok", None)]
    assert found["comparison"]["broke"] == [] and len(found["comparison"]["pending"]) == 1
    assert comment.startswith("### vision: in progress: 1 of 2 cells measured\n") and "failed" not in comment
    assert 'skipped message="not measured yet: the run is in progress"' in junit and "<failure" not in junit
    assert "1 of 2 cells measured · 1 not measured yet" in markdown


def test_last_and_previous_are_runs_that_ended(stopped: Place) -> None:
    argv = ["--store", "reports/bench.sqlite", "--format", "json"]
    done = stopped.bench("compare", "previous", "last", *argv)
    sides = json.loads(done.stdout)
    assert (sides["before"]["run"]["id"], sides["after"]["run"]["id"]) == (run_id(0), run_id(1))
    assert "which is newer, was interrupted" in done.stderr
    named = json.loads(stopped.bench("compare", "previous", run_id(2), *argv).stdout)
    assert (named["before"]["run"]["id"], named["broke"], named["only_before"]) == (run_id(1), [], [])
    with Store(stopped.store) as store:
        assert store.newest_ended().id == run_id(1) and store.find_run(None).id == run_id(2)


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def run_in(place: Place, folder: Path) -> dict[str, Any]:
    """A run of the suite in a folder into the place's store, as JSON."""
    argv = [sys.executable, "-m", "bench", "run", "suite.yaml", "--devices", str(place.folder / "devices.yaml"),
            "--store", str(place.store), "--json"]
    done = subprocess.run(argv, cwd=folder, env=place.environment(), text=True, capture_output=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    told = found["run"]["host"]["suite"].get("notes", [])
    assert all(note in found["run"]["notes"] and note in done.stderr for note in told)
    return found


def test_suites_are_told_apart_by_where_they_come_from_and_found_again_where_they_moved(place: Place,
                                                                                       tmp_path: Path) -> None:
    """A folder; a copy of it; the first moved; a repository, edited, and its clone."""
    first, copy, moved, clone = (tmp_path / name for name in ("first", "copy", "moved", "clone"))
    first.mkdir()
    for name in ("suite.yaml", "net.onnx"):
        shutil.copy(place.folder / name, first / name)
    one = run_in(place, first)
    shutil.copytree(first, copy)
    two = run_in(place, copy)
    assert two["comparison"] is None
    assert any(f"write `id: {one['run']['id']}`" in note for note in two["run"]["host"]["suite"]["notes"])
    first.rename(moved)
    three = run_in(place, moved)
    assert three["comparison"]["before"]["run"]["id"] == one["run"]["id"]
    assert any("where it is no longer" in note for note in three["run"]["notes"])
    git(moved, "init", "-q")
    git(moved, "add", ".")
    git(moved, "commit", "-qm", "one")
    (moved / "suite.yaml").write_text((moved / "suite.yaml").read_text() + "# edited\n")
    four = run_in(place, moved)
    assert four["comparison"]["before"]["run"]["id"] == three["run"]["id"]
    assert four["run"]["host"]["changes"] == {"count": 1, "files": ["suite.yaml"]}
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{moved}", "clone")
    five = run_in(place, clone)
    assert five["run"]["host"]["changes"]["count"] == 0
    commit = git(clone, "rev-parse", "HEAD")[:10]
    done = place.bench("compare", f"run:{four['run']['id']}", f"git:{commit}", "--store", str(place.store),
                       "--despite", "contention")
    assert f"git {commit}" in done.stdout and f"{git(clone, 'rev-parse', 'HEAD')[:12]} + changes" in done.stdout


def test_a_commit_is_never_a_run_of_an_edited_working_tree(place: Place) -> None:
    place.store.parent.mkdir()
    changes = [{"count": 1, "files": ["net.py"]}, None, {"count": 0, "files": []}, {"count": 2, "files": ["a", "b"]}]
    write_nights(place.store, [NightCell([1.0] * 4)], trials=6, circumstances=lambda night: Circumstances(
        git="1111aaaa" * 5 if night < 2 else "2222bbbb" * 5, host={"changes": changes[night]}))
    argv = ["--store", "reports/bench.sqlite"]
    done = place.bench("compare", "git:1111aaaa", "last", *argv)
    assert done.returncode == 2 and "no run of commit 1111aaaa as it is" in done.stderr
    assert f"run:{run_id(1)}" in done.stderr
    done = place.bench("compare", "git:2222bbbb", "last", *argv, "--format", "json")
    assert json.loads(done.stdout)["before"]["run"]["id"] == run_id(2)
