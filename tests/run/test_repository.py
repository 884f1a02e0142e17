"""What git says of a suite: real repositories, clones, and edits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.config.load import LoadedSuite, load_suite
from bench.run.describe import host
from bench.run.repository import find_changes, find_repository

SUITE = "version: 1\nname: s\nmodels: {net: {source: {onnx: net.onnx}}, t: {source: {torch: 'nets:make'}}}\n"
Git = Callable[..., str]


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a suite in a folder of it."""
    folder = tmp_path / "repository"
    (folder / "suites").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "suites/s.yaml").write_text(SUITE)
    (folder / "suites/net.onnx").write_bytes(b"net")
    (folder / "readme").write_text("a")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    return folder


def suite(repository: Path) -> LoadedSuite:
    return load_suite(repository / "suites/s.yaml")


def changes(repository: Path) -> list[str]:
    found = find_repository(repository)
    assert found is not None
    told = find_changes(suite(repository), found)
    assert told is not None and told["count"] == len(told["files"])
    return sorted(told["files"])


def test_a_clone_anywhere_is_the_same_repository_also_a_shallow_one(repository: Path, tmp_path: Path) -> None:
    (repository / "readme").write_text("b")
    git(repository, "commit", "-qam", "two")
    for name in ("one", "two"):
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", name)
    git(tmp_path, "clone", "-q", str(repository), "whole")
    first, *clones = (find_repository(tmp_path / name) for name in ("repository", "whole", "one", "two"))
    assert first is not None and all(clones)
    whole, one, two = (set(clone.names) for clone in clones if clone)
    assert set(first.names) & whole and whole & one and one & two
    assert not any(name.startswith("root:") for name in one), "the oldest commit of a shallow clone is not the first"
    assert first.holds(first.commit or "") and not first.holds("0" * 40)


@pytest.mark.parametrize("address", [
    "git@Git.lab:team/nets.git", "ssh://git@git.lab:2222/team/nets", "https://me:secret@git.lab/team/nets.git/"])
def test_an_address_is_the_same_by_any_protocol_and_tells_no_password(repository: Path, address: str) -> None:
    git(repository, "remote", "add", "origin", address)
    found = find_repository(repository)
    assert found is not None and found.names[-1] == "remote:git.lab/team/nets"


def test_outside_of_git_and_before_the_first_commit_there_is_no_repository(tmp_path: Path) -> None:
    assert find_repository(tmp_path) is None
    git(tmp_path, "init", "-q")
    found = find_repository(tmp_path)
    assert found is not None and (found.names, found.commit) == ((), None)


def test_changed_files_count_and_new_ones_that_the_suite_uses(repository: Path) -> None:
    assert changes(repository) == []
    (repository / "notes").write_text("not used")
    assert changes(repository) == []
    (repository / "readme").write_text("b")
    (repository / "suites/nets.py").write_text("def make(): ...")
    git(repository, "rm", "-q", "--cached", "suites/net.onnx")
    assert changes(repository) == ["readme", "suites/net.onnx", "suites/nets.py"]


def test_a_renamed_file_is_one_change_and_an_ignored_one_none(repository: Path) -> None:
    git(repository, "mv", "readme", "read me\tfirst")
    assert changes(repository) == ["read me\tfirst"]
    git(repository, "commit", "-qm", "two")
    (repository / ".gitignore").write_text("*.py\n")
    git(repository, "add", ".gitignore")
    git(repository, "commit", "-qm", "three")
    (repository / "suites/nets.py").write_text("def make(): ...")
    assert changes(repository) == []


def test_a_run_records_where_its_suite_comes_from(repository: Path, tmp_path: Path) -> None:
    told, notes = host(suite(repository), ())
    assert told["git"] == git(repository, "rev-parse", "HEAD") and told["changes"] == {"count": 0, "files": []}
    assert told["suite"]["path"] == "suites/s.yaml" and told["suite"]["repository"] and notes == ()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "s.yaml").write_text(SUITE)
    told, _ = host(load_suite(outside / "s.yaml"), ())
    assert told["suite"] == {"id": None, "repository": [], "path": str(outside / "s.yaml"), "continues": None}
    assert told["git"] is None and "changes" not in told
