"""Which runs are one history: by where a suite comes from, wherever its folder lies now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.identity import Origin, find_continuation, histories, revision, same_history
from bench.store.records import RunRecord
from tests.fakes.fake_cells import fake_run

TEXT = "version: 1\nname: nightly\nmodels: {net: {source: {onnx: net.onnx}}}\n"
OTHER = TEXT.replace("net", "voice")
REPOSITORY = ("root:" + "1" * 40, "remote:git.lab/team/nets")


def run(number: int, path: str = "/a/suite.yaml", origin: Origin | None = None, text: str = TEXT,
        **changes: Any) -> RunRecord:
    host = {"git": "9" * 40} | ({"suite": {"id": origin.id, "repository": list(origin.repository), "path": origin.path,
                                           "continues": origin.continues}} if origin else {})
    return replace(fake_run(f"20260101-{number:06d}-aaaa", suite="nightly", suite_path=path, suite_text=text, host=host,
                            started=f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}Z"), **changes)


def groups(*runs: RunRecord) -> list[int]:
    """For each run the place of the first run of its history."""
    known = histories(runs)
    ids = [each.id for each in runs]
    return [ids.index(known[each.id]) for each in runs]


def git(path: str = "suites/nightly.yaml", repository: tuple[str, ...] = REPOSITORY, id_: str | None = None,
        continues: str | None = None) -> Origin:
    return Origin(id_, repository, path, continues)


def test_a_checkout_in_a_fresh_folder_each_night_is_one_history() -> None:
    assert groups(*(run(night, f"/ci/{night}/suites/nightly.yaml", git()) for night in range(4))) == [0, 0, 0, 0]


@pytest.mark.parametrize("known", [REPOSITORY[:1], REPOSITORY[1:]], ids=["first commit", "address"])
def test_a_repository_is_known_by_its_first_commit_or_its_address(known: tuple[str, ...]) -> None:
    assert groups(run(0, "/a", git()), run(1, "/b", git(repository=known)), run(2, "/c", git())) == [0, 0, 0]


def test_two_suites_of_one_name_in_two_repositories_or_folders_are_two_histories() -> None:
    runs = [run(0, "/a/s.yaml", git()), run(1, "/a/s.yaml", git(repository=("root:2",))),
            run(2, "/a/t.yaml", git("other/nightly.yaml")), run(3, "/b/s.yaml", Origin(None, (), "/b/s.yaml"))]
    assert groups(*runs, *(replace(each, id=f"{each.id}2", started=f"2026-02-0{n + 1}") for n, each in
                           enumerate(runs))) == [0, 1, 2, 3, 0, 1, 2, 3]


def test_suites_of_one_id_are_one_history_wherever_they_are_and_whatever_they_are_called() -> None:
    runs = [run(0, "/a", git(id_="x")), run(1, "/b", Origin("x", (), "/b")), run(2, "/c", git(id_="y"), suite="z"),
            run(3, "/d", git("d", id_="y"))]
    assert groups(*runs) == [0, 0, 2, 2]


def test_the_id_of_an_earlier_run_goes_on_with_its_history() -> None:
    old = run(0)
    assert groups(old, run(1, "/b/s.yaml", git()), run(2, "/c/s.yaml", Origin(old.id, (), "/c/s.yaml")),
                  run(3, "/d/s.yaml", Origin(old.id, (), "/d/s.yaml"))) == [0, 1, 0, 0]


def test_runs_of_before_origins_were_recorded_keep_their_history_when_their_folder_moved() -> None:
    assert groups(run(0), run(1), run(2, "/b/s.yaml"), run(3, "/b/s.yaml"), run(4, "/c/s.yaml")) == [0] * 5
    assert groups(run(0), run(1, "/b/s.yaml"), run(2), run(3, "/b/s.yaml")) == [0, 1, 0, 1], "both went on being run"
    assert groups(run(0), run(1, "/b/s.yaml", text=OTHER)) == [0, 1], "no model in common"


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=30))
def test_whatever_the_order_each_suite_of_each_repository_is_one_history(nights: list[tuple[int, int]]) -> None:
    """Three repositories with suites of one name, cloned to four folders, run in any order."""
    runs = [run(number, f"/clone{clone}/nightly.yaml", git("nightly.yaml", (f"root:{repository}",)))
            for number, (repository, clone) in enumerate(nights)]
    known = histories(runs)
    for one, (repository, _) in zip(runs, nights, strict=True):
        mine = [other.id for other, (of, _) in zip(runs, nights, strict=True) if of == repository]
        assert known[one.id] == mine[0] and [each.id for each in same_history(runs, one)] == mine


def found(origin: Origin, path: Path, runs: list[RunRecord], *, text: str = TEXT, root: Path | None = None,
          holds: bool = False) -> tuple[str | None, tuple[str, ...]]:
    told = find_continuation(origin, "nightly", text, path, runs, root, lambda _: holds)
    return told.run, told.notes


def test_a_folder_that_was_moved_goes_on_and_one_that_was_copied_does_not(tmp_path: Path) -> None:
    here, there = tmp_path / "new/s.yaml", tmp_path / "old/s.yaml"
    before = run(0, str(there), Origin(None, (), str(there)))
    moved, notes = found(Origin(None, (), str(here)), here, [before])
    assert moved == before.id and "where it is no longer" in notes[0]
    there.parent.mkdir()
    there.write_text(TEXT)
    copied, notes = found(Origin(None, (), str(here)), here, [before])
    assert copied is None and f"write `id: {before.id}`" in notes[0] and str(there) in notes[0]


def test_a_place_that_is_empty_now_is_no_origin_of_other_models(tmp_path: Path) -> None:
    before = run(0, "/gone/s.yaml", Origin(None, (), "/gone/s.yaml"))
    other, notes = found(Origin(None, (), str(tmp_path)), tmp_path, [before], text=OTHER)
    assert other is None and len(notes) == 1


def test_a_suite_that_was_moved_within_its_repository_goes_on(tmp_path: Path) -> None:
    before = run(0, "/ci/1/a.yaml", git("a.yaml"))
    assert found(git("b.yaml"), tmp_path / "b.yaml", [before], root=tmp_path)[0] == before.id
    (tmp_path / "a.yaml").touch()
    assert found(git("b.yaml"), tmp_path / "b.yaml", [before], root=tmp_path)[0] is None


def test_another_repository_in_the_same_folder_is_another_suite(tmp_path: Path) -> None:
    before = run(0, str(tmp_path / "s.yaml"), git("s.yaml", ("root:2",)))
    assert found(git("s.yaml"), tmp_path / "s.yaml", [before], root=tmp_path)[0] is None


@pytest.mark.parametrize("origin", [git(), Origin(None, (), "/a/suite.yaml"), None])
def test_a_file_that_was_run_by_another_name_says_that_a_new_history_begins(origin: Origin | None) -> None:
    runs = [run(0, origin=origin, suite="weekly"), run(1, origin=origin, suite="night"),
            run(2, origin=origin, suite="night")]
    now = origin or Origin(None, (), "/a/suite.yaml")
    goes_on, notes = found(now, Path("/a/suite.yaml"), runs)
    assert goes_on is None and len(notes) == 1
    assert f"was run as night until run {runs[-1].id}" in notes[0] and f"`id: {runs[-1].id}`" in notes[0]
    named = replace(now, id=runs[-1].id)
    assert found(named, Path("/a/suite.yaml"), runs) == (None, ())
    assert groups(*runs, run(3, origin=named)) == [0, 1, 1, 1], "as the note says"
    assert found(now, Path("/a/suite.yaml"), [*runs, run(3, origin=now)]) == (None, ()), "it is said once"


def test_another_file_or_one_of_another_id_is_no_renamed_suite() -> None:
    for origin in (git("other.yaml"), git(repository=("root:2",)), git(id_="x")):
        assert found(git(), Path("/b/suite.yaml"), [run(0, origin=origin, suite="night")]) == (None, ())


def test_runs_of_before_origins_were_recorded_are_found_by_file_or_by_commit(tmp_path: Path) -> None:
    here = run(0, str(tmp_path / "s.yaml"))
    assert found(git("s.yaml"), tmp_path / "s.yaml", [here], root=tmp_path)[0] == here.id
    clone = run(0, str(Path(__file__)))
    origin = git(f"judge/{Path(__file__).name}")
    assert found(origin, tmp_path / "s.yaml", [clone], root=tmp_path, holds=True)[0] == clone.id
    assert found(origin, tmp_path / "s.yaml", [clone], root=tmp_path, holds=False)[0] is None, "that file is there"


def test_a_suite_that_is_known_by_its_place_needs_no_word() -> None:
    assert found(git(), Path("/ci/2/suites/nightly.yaml"), [run(0, "/ci/1/suites/nightly.yaml", git())]) == (None, ())
    assert found(git(), Path("/a"), []) == (None, ())


def test_moves_one_after_another_are_one_history() -> None:
    runs = [run(0, "/a", Origin(None, (), "/a"))]
    for number in range(1, 5):
        runs.append(run(number, f"/{number}", Origin(None, (), f"/{number}", runs[-1].id)))
    assert groups(*runs) == [0] * 5
    new = run(9, "/a", Origin(None, (), "/a"))
    assert groups(*runs, new) == [0] * 5 + [5], "the place was left, and another suite lies there now"


def test_a_commit_with_changes_is_shown_as_such() -> None:
    assert revision({"git": "1a2b3c4d5e6f7a8b"}) == "1a2b3c4d5e6f"
    assert revision({"git": "1a2b3c4d5e6f7a8b", "changes": {"count": 0}}, 8) == "1a2b3c4d"
    assert revision({"git": "1a2b3c4d5e6f7a8b", "changes": {"count": 2}}) == "1a2b3c4d5e6f + changes"
    assert revision({"git": None}) == ""
