"""Results that are kept: equal to what is computed, made anew when anything that they rest on changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.collect import digests
from bench.collect.cells import cell_result, collect
from bench.collect.devices import summary
from bench.collect.digests import read_run, rules
from bench.results import RunResult
from bench.store.records import RunRecord, SessionRecord, StoredRun
from bench.store.store import Store
from benchmarks.stored import RUN, store_many
from tests.fakes.stored_phone import stored_phone

CELLS, TRIALS = 12, 3


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A finished run of 12 cells on 5 devices."""
    store_many(tmp_path / "b.sqlite", cells=CELLS, trials=TRIALS, samples=20)
    with Store(tmp_path / "b.sqlite") as opened:
        yield opened


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of cells and devices that are computed, and not read back, from here on."""
    seen: list[str] = []
    monkeypatch.setattr(digests, "cell_result", _noting(cell_result, lambda cell, *_: seen.append(cell.cell)))
    monkeypatch.setattr(digests, "summary", _noting(summary, lambda opened, *_: seen.append(f"@{opened[0].device}")))
    return seen


def _noting(real: Callable[..., object], note: Callable[..., None]) -> Callable[..., object]:
    def call(*arguments: object) -> object:
        note(*arguments)
        return real(*arguments)

    return call


def run_of(store: Store) -> RunRecord:
    return store.find_run(None)


def plainly(store: Store) -> RunResult:
    return collect(store.load(run_of(store)))


def save(store: Store, stored: StoredRun) -> None:
    """The run as it was recorded."""
    store.add_run(stored.run, stored.cells)
    for session in stored.sessions:
        store.add_session(session)
    for trial in stored.trials:
        store.add_trial(trial)


def test_what_is_read_back_is_what_was_computed(store: Store, computed: list[str]) -> None:
    first = read_run(store, run_of(store))
    assert len(computed) == CELLS + 5
    assert first == read_run(store, run_of(store)) == plainly(store)
    assert len(computed) == CELLS + 5, "the second time nothing is computed"


def test_a_run_with_failures_heat_and_unknown_values_comes_back_equal(tmp_path: Path) -> None:
    stored = stored_phone()
    cells = tuple(replace(cell, status="skipped", reason="no \x1b[31m recipe", fault="model", artifact=None)
                  if cell.precision == "fp16" else cell for cell in stored.cells)
    trials = tuple(replace(trial, state="failed", reason="killed", fault="device") if trial.cell.startswith("fp32")
                   and trial.number == 5 else trial for trial in stored.trials)
    with Store(tmp_path / "b.sqlite", create=True) as store:
        save(store, replace(stored, cells=cells, trials=trials))
        results = [plainly(store), read_run(store, run_of(store)), read_run(store, run_of(store))]
    assert results[0] == results[1] == results[2]
    assert [cell.status for cell in results[0].cells] == ["failed", "skipped", "ok"] and results[0].cells[2].throttled


def test_only_what_has_new_trials_is_computed_again(store: Store, computed: list[str]) -> None:
    run = run_of(store)
    read_run(store, run)
    computed.clear()
    last = store.load(run).trials[-1]
    store.add_trial(replace(last, number=TRIALS + 1))
    again = read_run(store, run)
    assert sorted(computed) == sorted([last.cell, f"@{last.cell.partition('@')[2]}"])
    assert again == plainly(store)


def test_a_cell_that_was_left_out_after_all_is_told_so(store: Store) -> None:
    run = run_of(store)
    read_run(store, run)
    cell = store.cells(run.id)[0]
    store.replace_cell(replace(cell, status="skipped", reason="tflite is gone", fault="device"))
    assert read_run(store, run).cells[0].reason == "tflite is gone"


def test_a_new_session_makes_every_digest_void(store: Store) -> None:
    run = run_of(store)
    read_run(store, run)
    session = store.sessions([run.id])[0]
    store.add_session(replace(session, facts=session.facts | {"emulated": True}))
    assert read_run(store, run) == plainly(store) and read_run(store, run).cells[0].emulated


def test_other_rules_compute_everything_anew_and_their_digests_replace_the_earlier(
        store: Store, computed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read_run(store, run_of(store))
    monkeypatch.setattr(digests, "rules", lambda: "other rules")
    computed.clear()
    read_run(store, run_of(store))
    assert len(computed) == CELLS + 5
    assert {digest.rules for digest in store.digests(RUN, "other rules")} == {"other rules"}
    monkeypatch.undo()
    assert store.digests(RUN, rules()) == ()


def test_the_rules_are_those_of_every_source_that_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = rules.__wrapped__()
    assert usual == rules.__wrapped__() and len(usual) == 16
    sources = list(digests._sources())
    for place in range(len(sources)):
        changed = [*sources[:place], sources[place] + b"#", *sources[place + 1:]]
        monkeypatch.setattr(digests, "_sources", lambda changed=changed: iter(changed))
        assert rules.__wrapped__() != usual
    assert any(b"def throttled" in text for text in sources) and any(b"def cell_centre" in text for text in sources)


@pytest.mark.parametrize("state", ["running", "interrupted"])
def test_of_a_run_that_is_going_on_nothing_is_kept(store: Store, computed: list[str], state: str) -> None:
    store.set_state(RUN, state, None)
    assert read_run(store, run_of(store)) == plainly(store)
    assert store.digests(RUN, rules()) == ()
    computed.clear()
    read_run(store, run_of(store))
    assert len(computed) == CELLS + 5


def test_a_store_that_cannot_be_written_hinders_nothing(store: Store, computed: list[str]) -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON digests BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    connection.close()
    assert read_run(store, run_of(store)) == plainly(store)
    assert store.digests(RUN, rules()) == () and len(computed) == CELLS + 5


def test_a_run_without_cells_or_sessions_is_read(tmp_path: Path) -> None:
    with Store(tmp_path / "b.sqlite", create=True) as store:
        store.add_run(replace(stored_phone().run, id="empty"), [])
        assert read_run(store, run_of(store)) == plainly(store)
        store.add_session(SessionRecord(0, "empty", "board", "", None, "f", {}, {}))
        assert [device.name for device in read_run(store, run_of(store)).devices] == ["board"]


@pytest.mark.slow
def test_many_cells_come_back_equal_from_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "TRIALS_AT_ONCE", 50)
    run = store_many(tmp_path / "b.sqlite", cells=40, trials=10, samples=30)
    with Store(tmp_path / "b.sqlite") as store:
        first = read_run(store, run)
        assert len(first.cells) == 40 and {cell.trials for cell in first.cells} == {10}
        assert first == read_run(store, run) == plainly(store)
