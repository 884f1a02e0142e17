"""Rows that an earlier version stored are read with care: what is no measurement is named, the rest stands."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bench.collect.digests import read_run
from bench.judge.noise import alike
from bench.store.store import Store
from benchmarks.stored import seal
from tests.store.test_store import CELL, RUN, SESSION, trial


def stored_with(path: Path, column: str, value: Any, table: str = "trials") -> None:
    """A store of two trials, of which the first row of a table holds that JSON."""
    with Store(path, create=True) as store:
        store.add_run(RUN, [CELL])
        session = store.add_session(SESSION)
        for number in (1, 2):
            store.add_trial(trial(number, session=session))
    with sqlite3.connect(path) as earlier:
        earlier.execute(f"UPDATE {table} SET {column} = ? WHERE id = 1", (json.dumps(value),))
    earlier.close()
    seal(path)


@pytest.mark.parametrize(("column", "value", "word"), [
    ("settings", [1], "its settings are a list of 1"),
    ("phases", {"load_ns": "x"}, "of then.phases.load_ns"), ("phases", [], "of then.phases"),
    ("phases", {"samples_ns": float("inf")}, "of then.phases.samples_ns"),
    ("memory", {"peak_rss_bytes": -1}, "of then.memory.peak_rss_bytes"),
    ("warm_up", {"runs": 1}, "of then.warm_up.ns"), ("findings", {"cycle": 0}, "of then.findings.cycle"),
    ("findings", {"cycle": 7}, "cycle is 7"), ("findings", {"by_sample_ns": [["x"]]}, "of then.findings.by_sample_ns")])
def test_a_row_that_is_no_measurement_is_a_failed_trial_that_says_so(tmp_path: Path, column: str, value: Any,
                                                                     word: str) -> None:
    stored_with(tmp_path / "s", column, value)
    with Store(tmp_path / "s") as store:
        first, second = store.load(store.find_run(None)).trials
    assert (first.state, first.fault, first.samples) == ("failed", "infrastructure", None)
    assert first.reason and "row 1 of its trials" in first.reason and word in first.reason
    assert second == trial(2)


@pytest.mark.parametrize(("column", "value"), [
    ("versions", 5), ("versions", float("inf")), ("versions", {"runtime": ["x"]}), ("cpu_ns", {"wall": "x"}),
    ("conditions", 7),
    ("conditions", [{"governor": 5, "load_1m": float("inf"), "battery": "full"}, 5]),
    ("settings", {"cores_used": [0, "x"]})])
def test_a_description_that_is_none_is_unknown(tmp_path: Path, column: str, value: Any) -> None:
    stored_with(tmp_path / "s", column, value)
    with Store(tmp_path / "s") as store:
        first, _ = store.load(store.find_run(None)).trials
        assert first.state == "ok" and first.samples == trial(1).samples
        assert json.dumps(first.conditions, allow_nan=False)
        assert [hash(alike(seen)) for seen in store.cell_conditions([RUN.id])], "learnt from as before"
        assert len(read_run(store, store.find_run(None)).cells) == 1


@pytest.mark.parametrize(("column", "value"), [
    ("facts", 7), ("facts", {"memory_bytes": "x", "android": 5, "os": ["x"], "emulated": "yes"}),
    ("runtimes", {"tflite": 5}), ("runtimes", [1])])
def test_a_device_that_was_not_understood_is_not_known(tmp_path: Path, column: str, value: Any) -> None:
    stored_with(tmp_path / "s", column, value, "sessions")
    with Store(tmp_path / "s") as store:
        (session,) = store.sessions([RUN.id])
        assert set(session.facts.values()) <= {None, *SESSION.facts.values()}
        assert "tflite" not in session.runtimes
        assert read_run(store, store.find_run(None)).devices[0].emulated is False
