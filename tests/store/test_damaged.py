"""Stores with damaged rows: what is lost is named, and nothing else is, and no number changes."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from bench.collect.digests import read_run
from bench.errors import InfrastructureError
from bench.judge.history import read_history
from bench.store.check import check, ways_on
from bench.store.damage import warning
from bench.store.opening import StoreDamaged
from bench.store.store import Store
from tests.fakes.nights import NightCell, run_id, write_nights

CELLS = [NightCell([1.0, 1.1, 1.2]), NightCell([2.0, 2.1, 2.2], model="other")]
NET, OTHER = (cell.name for cell in CELLS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "b.sqlite"
    write_nights(path, CELLS)
    return path


def change(path: Path, statement: str, *values: object) -> None:
    """Change rows as a disk does: the checksums stay."""
    with sqlite3.connect(path) as connection:
        changed = connection.execute(statement, values).rowcount
    connection.close()
    assert changed


def cells_of(path: Path, night: int) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """The p50 of a night's cells, and its notes."""
    with Store(path) as store:
        result = read_run(store, store.find_run(run_id(night)))
    return {cell.cell: cell.latency_ms.p50 for cell in result.cells}, result.run.notes


@pytest.mark.parametrize(("column", "value"), [
    ("median_ns", "median_ns * 2"), ("conditions", "'[{'"), ("settings", "'{\"optixns\": {}}'"), ("state", "'failed'"),
    ("samples", "x'00'"), ("log", "CAST(x'ff' AS TEXT)"), ("number", "'x'"), ("checksum", "NULL")])
def test_a_cell_that_lost_a_trial_is_left_out_and_named_and_all_else_is_as_before(path: Path, column: str,
                                                                               value: str) -> None:
    before = cells_of(path, 2)[0]
    change(path, "DELETE FROM digests")
    change(path, f"UPDATE trials SET {column} = {value} WHERE run = ? AND cell = ? AND number = 2", run_id(1), NET)
    lost, notes = cells_of(path, 1)
    assert set(lost) == {OTHER} and f"1 cell of this run cannot be read any more: {NET}" in notes[-1]
    assert cells_of(path, 2) == (before, ()) and set(cells_of(path, 0)[0]) == {NET, OTHER}
    with Store(path) as store:
        points = {series.cell: [point.run for point in series.points] for series in read_history(store).series}
        told = warning(path, store.damage)
    if column in ("median_ns", "state", "number"):
        assert points == {NET: [run_id(0), run_id(2)], OTHER: [run_id(night) for night in range(3)]}
        assert f"run {run_id(1)}: 1 trial cannot be read ({NET})" in told
    found = check(path)
    assert [(each.table, each.run, each.cell, each.rows) for each in found.damage] == [("trials", run_id(1), NET, 1)]


def test_a_result_that_was_computed_before_is_still_told(path: Path) -> None:
    before = cells_of(path, 1)
    change(path, "UPDATE trials SET samples = x'00' WHERE run = ?", run_id(1))
    assert cells_of(path, 1) == before


@pytest.mark.parametrize(("table", "column"), [("cells", "model"), ("sessions", "facts")])
def test_a_damaged_cell_or_session_takes_the_cells_with_it_that_need_it(path: Path, table: str, column: str) -> None:
    change(path, f"UPDATE {table} SET {column} = '\"x' WHERE run = ?", run_id(1))
    found, notes = cells_of(path, 1)
    assert found == {} and "2 cells of this run cannot be read any more" in notes[-1]
    assert set(cells_of(path, 2)[0]) == {NET, OTHER}
    assert {(each.table, each.run) for each in check(path).damage} == {(table, run_id(1))}


def test_a_damaged_run_is_named_and_the_others_are_there(path: Path) -> None:
    change(path, "UPDATE runs SET state = 'finishex' WHERE id = ?", run_id(1))
    with Store(path) as store:
        assert [run.id for run in store.runs()] == [run_id(2), run_id(0)]
        with pytest.raises(StoreDamaged, match=f"run {run_id(1)} cannot be read"):
            store.find_run(run_id(1))
        assert f"run {run_id(1)} cannot be read" in warning(path, store.damage)


def test_a_damaged_digest_is_no_damage_to_a_report_and_is_made_anew(path: Path) -> None:
    before = cells_of(path, 1)
    for content in (b"", zlib.compress(b"{"), zlib.compress(b'{"cell": 1, "x": 2}')):
        change(path, "UPDATE digests SET content = ?", content)
        assert cells_of(path, 1) == before
    change(path, "UPDATE digests SET content = x'78'")
    found = check(path)
    assert found.only_derived and (run_id(1), NET) in found.digests and ways_on(path, found)[0].startswith("nothing")
    assert cells_of(path, 1) == before and check(path).is_sound


def test_what_reads_a_damaged_store_leaves_its_file_as_it_is(path: Path) -> None:
    for night in range(3):
        cells_of(path, night)
    change(path, "UPDATE cells SET status = 'x' WHERE run = ?", run_id(1))
    before = path.read_bytes()
    for night in range(3):
        cells_of(path, night)
    check(path)
    assert path.read_bytes() == before


def test_measuring_goes_on_in_a_store_with_damaged_rows_and_finds_what_it_wrote(path: Path) -> None:
    change(path, "UPDATE runs SET suite = 'x' WHERE id = ?", run_id(0))
    with Store(path, create=True) as store:
        cells, run = store.cells(run_id(2)), store.find_run(run_id(2))
        assert [each.id for each in store.runs()] == [run_id(2), run_id(1)]
        store.add_run(replace(run, id="new"), [replace(cell, run="new") for cell in cells])
        assert [each.id for each in store.runs()] == ["new", run_id(2), run_id(1)]
        assert len(store.cells("new")) == 2
        with pytest.raises(InfrastructureError, match="the row to be changed is damaged"):
            store.set_state(run_id(0), "finished", None)


def test_an_index_that_lies_is_found_and_rows_are_read_without_it(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'trials_of_cell'").fetchone()
    connection.close()
    content = path.read_bytes()
    place = content.index(f"{run_id(1)}{NET}".encode(), (page - 1) * 4096)
    assert place < page * 4096
    path.write_bytes(content[:place] + b"X" + content[place + 1:])
    found = check(path)
    assert found.problems and not found.damage and found.only_indexes
    assert "REINDEX" in ways_on(path, found)[0]
    assert set(cells_of(path, 2)[0]) == {NET, OTHER}
