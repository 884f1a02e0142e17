"""The store: what it acknowledges is there after a kill, and what it cannot do it says."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, InfrastructureError
from bench.store import schema
from bench.store.connect import HEAD
from bench.store.packing import pack, unpack
from bench.store.records import CellRecord, Digest, RunRecord, SessionRecord, TrialRecord
from bench.store.store import INCOMPLETE, Store
from benchmarks.stored import seal

RUN = RunRecord("20260101-000000-abcd", "vision", "version: 1", "s.yaml", "version: 1", "d.yaml",
                "2026-01-01T00:00:00Z", None, "interrupted", {"quick": False}, {"bench": "0"}, ["a note"])
CELL = CellRecord(RUN.id, "m/onnx/fp32/onnxruntime-cpu/t1@d", 0, "d", "m", "onnx", "fp32", "onnxruntime", "cpu", 1, 1,
                  "planned")
SESSION = SessionRecord(0, RUN.id, "d", "2026-01-01T00:00:01Z", "boot", "agent", {"os": "x"}, {"onnxruntime": "1"})


def trial(number: int, **changes: object) -> TrialRecord:
    record = TrialRecord(RUN.id, CELL.cell, 1, "latency", number, 1, "2026-01-01T00:00:02Z", 1.5, "ok", "a" * 64,
                         "b" * 64, {}, {}, [], {"load_ns": 5}, {}, pack([1, 2, 3]), 3, median_ns=2.0)
    return replace(record, **changes)  # type: ignore[arg-type]


def test_what_is_stored_is_read_back_equal(tmp_path: Path) -> None:
    with Store(tmp_path / "reports" / "b.sqlite", create=True) as store:
        store.add_run(RUN, [CELL])
        assert store.add_session(SESSION) == 1
        store.add_pushed(1, 7)
        store.add_trial(trial(1))
        store.replace_cell(replace(CELL, status="skipped", reason="no"))
        store.set_state(RUN.id, "finished", "2026-01-01T00:01:00Z")
    with Store(tmp_path / "reports" / "b.sqlite") as store:
        loaded = store.load(store.find_run(None))
    assert loaded.run == replace(RUN, state="finished", finished="2026-01-01T00:01:00Z")
    assert loaded.cells == (replace(CELL, status="skipped", reason="no"),)
    assert loaded.sessions == (replace(SESSION, id=1, pushed_bytes=7),)
    assert loaded.trials == (trial(1),)


def test_trials_of_some_cells_are_read_without_what_they_printed(tmp_path: Path) -> None:
    other = replace(CELL, cell="other", position=1)
    with Store(tmp_path / "b.sqlite", create=True) as store:
        store.add_run(RUN, [CELL, other, replace(CELL, cell="bare", position=2)])
        session = store.add_session(SESSION)
        mine = [trial(number, session=session, log="loud", conditions=[{"load_1m": number}]) for number in (1, 2, 3)]
        for each in (mine[0], replace(mine[1], cell="other"), mine[2]):
            store.add_trial(each)
        assert store.trials_of(RUN.id, [CELL.cell]) == (replace(mine[0], log=None), replace(mine[2], log=None))
        assert store.trial_ids(RUN.id) == {CELL.cell: [1, 3], "other": [2]}
        assert list(store.conditions([1, 3])) == [[{"load_1m": 1}], [{"load_1m": 3}]]
        assert list(store.conditions([])) == [] and store.trial_ids("no such run") == {}
        assert [cell.cell for cell in store.cells(RUN.id)] == [CELL.cell, "other", "bare"]


def test_very_many_conditions_are_read_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.store.store.AT_ONCE", 4)
    with Store(tmp_path / "b.sqlite", create=True) as store:
        store.add_run(RUN, [CELL])
        store.add_session(SESSION)
        for number in range(1, 11):
            store.add_trial(trial(number, conditions=[{"load_1m": number}]))
        assert list(store.conditions(range(1, 11))) == [[{"load_1m": number}] for number in range(1, 11)]


def test_a_digest_takes_the_place_of_an_earlier_one_and_is_void_when_its_run_changes(tmp_path: Path) -> None:
    one, two = (Digest(RUN.id, CELL.cell, rules, 3, rules.encode()) for rules in ("old", "new"))
    other = replace(two, run="other", cell="other")
    changes: list[Callable[[Store], object]] = [lambda store: store.replace_cell(CELL),
                                                lambda store: store.add_session(SESSION)]
    with Store(tmp_path / "b.sqlite", create=True) as store:
        store.add_run(RUN, [CELL])
        for change in changes:
            store.save_digests([one])
            store.save_digests([two, other])
            assert (store.digests(RUN.id, "old"), store.digests(RUN.id, "new")) == ((), (two,))
            change(store)
            assert store.digests(RUN.id, "new") == () and store.digests("other", "new") == (other,)


def test_samples_keep_every_nanosecond() -> None:
    samples = [0, 1, 2**62, 12345678901234]
    assert unpack(pack(samples)).tolist() == samples
    assert unpack(pack(samples)).dtype == np.int64


def test_a_run_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    with Store(tmp_path / "b.sqlite", create=True) as store:
        store.add_run(RUN, [])
        store.add_run(replace(RUN, id="20260102-000000-aaaa", started="2026-01-02T00:00:00Z", state="finished"), [])
        assert store.find_run(None).id == "20260102-000000-aaaa"
        assert store.find_run("20260101").id == RUN.id
        assert store.find_run(None, INCOMPLETE).id == RUN.id
        with pytest.raises(ConfigError, match="is ambiguous"):
            store.find_run("2026")
        with pytest.raises(ConfigError, match=r"'20260103' was not found, did you mean '2026010"):
            store.find_run("20260103")


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no store at .*\n.*bench run"):
        Store(tmp_path / "b.sqlite")


def test_a_file_that_is_no_store_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    path.write_bytes(b"not a database at all, but a long enough file to be read as one" * 20)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"cannot be used as a store: it is no SQLite database"):
        Store(path, create=True)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"the folder .*file/reports for the store cannot be made"):
        Store(tmp_path / "file" / "reports" / "b.sqlite", create=True)


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    with Store(path, create=True) as store:
        store.add_run(RUN, [])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=f"written by a newer bench .schema 9999, this one knows {HEAD}"):
        Store(path, create=True)


def test_a_write_that_fails_names_the_store_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    with Store(path, create=True) as store:
        store.add_run(RUN, [CELL])
        store.add_session(SESSION)
        store.add_trial(trial(1))
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TRIGGER full BEFORE INSERT ON trials BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        with pytest.raises(InfrastructureError, match=r"b\.sqlite could not be written: disk full"):
            store.add_trial(trial(2))
        assert [row.number for row in store.load(store.find_run(None)).trials] == [1]


def test_the_migrated_tables_are_those_of_the_schema(tmp_path: Path) -> None:
    import sqlalchemy as sa

    from bench.store.schema import metadata

    with Store(tmp_path / "migrated.sqlite", create=True) as store:
        store.add_run(RUN, [])
        migrated = _shape(sa.inspect(store._engine))
    engine = sa.create_engine(f"sqlite:///{tmp_path}/direct.sqlite")
    metadata.create_all(engine)
    assert migrated == _shape(sa.inspect(engine))


def _shape(inspector: object) -> dict[str, object]:
    tables = [name for name in inspector.get_table_names() if name != "alembic_version"]  # type: ignore[attr-defined]
    return {name: [(column["name"], str(column["type"]), column["nullable"])
                   for column in inspector.get_columns(name)] for name in tables}  # type: ignore[attr-defined]


NEW = {"0001": ("purpose", "judgement", "median_ns", "findings"), "0002": ("findings",), "0003": ()}
"""What a schema had not yet."""


def _older_version(path: Path, revision: str = "0001") -> None:
    """A store as an older version left it, with one trial."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    from bench.store import connect

    config = Config()
    config.set_main_option("script_location", str(Path(connect.__file__).parent / "migrations"))
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for table, record in ((schema.runs, RUN), (schema.cells, CELL), (schema.trials, trial(1, session=None))):
            new = (*NEW[revision], *(("number",) if table is schema.runs else ()))
            values = {name: value for name, value in asdict(record).items() if name not in new}
            connection.execute(table.insert().values(values))
    engine.dispose()


@pytest.mark.parametrize("revision", NEW)
def test_a_store_of_an_older_version_opens_and_takes_what_there_is_to_know_now(tmp_path: Path, revision: str) -> None:
    path, found = tmp_path / "b.sqlite", {"inputs_changed": True, "cycle": 1, "by_sample_ns": [[1, 2], [3, 4]]}
    _older_version(path, revision)
    with Store(path) as store:
        store.add_trial(trial(2, session=None, findings=found))
    with Store(path) as store:
        trials = store.load(store.find_run(None)).trials
    assert trials == (trial(1, session=None), trial(2, session=None, findings=found))


def test_a_migration_that_is_cut_short_leaves_the_store_as_it_was(tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    import alembic.op

    def cut(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "b.sqlite"
    _older_version(path)
    with monkeypatch.context() as patched:
        patched.setattr(alembic.op, "create_table", cut)
        with pytest.raises(KeyboardInterrupt):
            Store(path)
    with Store(path) as store:
        assert store.runs() == (RUN,)
        assert [median.median_ns for median in store.medians()] == [2.0]


def test_times_of_wrong_outputs_are_no_medians_of_the_model(tmp_path: Path) -> None:
    with Store(tmp_path / "b.sqlite", create=True) as store:
        store.add_run(RUN, [CELL])
        store.add_session(SESSION)
        for number, outputs in enumerate(({"ok": True}, {"ok": False, "max_abs": float("nan")}, None), start=1):
            store.add_trial(trial(number, outputs=outputs, median_ns=None))
        assert [median.number for median in store.medians()] == [1, 3]


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.store.test_store import CELL, RUN, SESSION, trial
from bench.store.store import Store
with Store(Path(sys.argv[1]), create=True) as store:
    store.add_run(RUN, [CELL]); store.add_session(SESSION)
    number = 0
    while True:
        number += 1
        store.add_trial(trial(number))
        print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 5, 23])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, after: int) -> None:
    root = Path(__file__).parents[2]
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "b.sqlite"), str(root)],
                              stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(after)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    with Store(tmp_path / "b.sqlite") as store:
        stored = [row.number for row in store.load(store.find_run(None)).trials]
    assert stored[:len(acknowledged)] == acknowledged
    assert len(stored) <= len(acknowledged) + 1


def test_a_run_is_running_while_a_process_works_on_it_and_interrupted_when_none_does(tmp_path: Path) -> None:
    from bench.store.going import going, in_progress

    with Store(tmp_path / "s", create=True) as store:
        store.add_run(RUN, [CELL])
        assert store.find_run(None).state == "interrupted"
        with going(store.path, RUN.id):
            assert store.find_run(None).state == store.runs()[0].state == "running"
            assert store.find_run(None, INCOMPLETE).id == RUN.id
            with pytest.raises(ConfigError, match="still going on"), going(store.path, RUN.id):
                pass
        assert not in_progress(store.path, RUN.id) and store.find_run(None).state == "interrupted"
        (tmp_path / f".s.{RUN.id}.lock").touch()
        assert store.find_run(None).state == "interrupted", "what a killed process left behind is no lock"


def test_the_newest_run_that_ended_is_before_one_that_did_not(tmp_path: Path) -> None:
    with Store(tmp_path / "s", create=True) as store:
        with pytest.raises(ConfigError, match="holds no run"):
            store.newest_ended()
        store.add_run(RUN, [])
        assert store.newest_ended().id == RUN.id, "there is no other"
        store.add_run(replace(RUN, id="20250101-000000-bbbb", started="2025-01-01T00:00:00Z", state="incomplete"), [])
        assert store.newest_ended().id == "20250101-000000-bbbb"


def test_a_cells_conditions_are_those_of_its_first_trial_that_ended_well(tmp_path: Path) -> None:
    with Store(tmp_path / "s", create=True) as store:
        store.add_run(RUN, [replace(CELL, artifact={"data": "d", "sha256": "a" * 64})])
        session = store.add_session(SESSION)
        for number, (state, governor) in enumerate((("failed", "a"), ("ok", "performance"), ("ok", "b")), 1):
            store.add_trial(replace(trial(number), session=session, state=state,  # type: ignore[arg-type]
                                    settings={"options": {"x": str(number)}},
                                    conditions=[{"governor": governor, "battery": {"charging": True}}]))
        (found,) = store.cell_conditions([RUN.id])
        assert (found.run, found.cell, found.governor, found.charging) == (RUN.id, CELL.cell, "performance", 1)
        assert '"2"' in found.settings and '"d"' in found.inputs
        assert store.cell_conditions([RUN.id], "elsewhere") == store.cell_conditions(["none"]) == ()


def test_text_that_no_file_can_hold_is_mended_where_it_is_stored_and_where_it_was(tmp_path: Path) -> None:
    path, half = tmp_path / "b.sqlite", "token \ud83d"
    with Store(path, create=True) as store:
        store.add_run(replace(RUN, notes=[half]), [replace(CELL, reason=half, log=half, artifact={half: [half, 1]})])
        store.add_session(SESSION)
        store.add_trial(trial(1, reason=half, findings={"repeats": {"reason": half}}))
        store.add_trial(trial(2))
    with sqlite3.connect(path) as earlier:  # versions before wrote halves of pairs as JSON escapes
        text = '{"repeats": {"reason": "token \\ud83d"}}'
        earlier.execute("UPDATE trials SET findings = ? WHERE number = 2", (text,))
    seal(path)
    with Store(path) as store:
        found = store.load(store.find_run(RUN.id))
    mended = "token \\ud83d"
    assert found.run.notes == [mended] and found.cells[0].artifact == {mended: [mended, 1]}
    assert (found.cells[0].reason, found.cells[0].log) == (mended, mended)
    assert [each.findings for each in found.trials] == [{"repeats": {"reason": mended}}] * 2


def test_a_new_store_and_what_lies_beside_it_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    with Store(path, create=True) as store:
        store.add_run(RUN, [CELL])
        modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    assert set(modes) >= {"b.sqlite", "b.sqlite-wal"} and set(modes.values()) == {0o600}


@pytest.mark.parametrize("create", [True, False])
def test_no_store_is_kept_in_memory(create: bool) -> None:
    with pytest.raises(ConfigError, match="is no file"):
        Store(Path(":memory:"), create=create)
