"""Further trials of a run that has ended, by turns with the file that an earlier run measured."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from bench.convert.cache import Cache, commit, key_of, look_up, work_folder
from bench.errors import ConfigError
from bench.run.events import Event
from bench.run.more import Ask, measure_more
from bench.run.stop import Stop
from bench.store.going import going
from bench.store.records import CellRecord, StoredRun, TrialRecord
from bench.store.store import Store
from tests.fakes.runs import MEASURE, Place


@dataclass(frozen=True)
class Nights:
    """Two runs of one suite, the second of other weights."""

    place: Place
    before: StoredRun
    after: StoredRun

    @property
    def baseline(self) -> CellRecord:
        return self.before.cells[0]

    @property
    def cell(self) -> str:
        return self.after.cells[0].cell

    def measure(self, baseline: CellRecord | None, trials: int = 1, stop: Stop | None = None) -> tuple[
            Sequence[TrialRecord], list[str]]:
        """The trials that came with measuring again, and what was noted."""
        events: list[Event] = []
        with Store(self.place.store) as store:
            run = store.find_run(self.after.run.id)
            had = len(store.load(run).trials)
            measure_more(self.place.request(), run.id, [Ask(self.cell, trials, baseline)], self.place.prepared(), store,
                         self.place.cache, stop or Stop(), events.append)
            assert store.find_run(run.id).state == "finished"
            notes = [event.text for event in events if event.device and event.kind == "note"]
            return store.load(run).trials[had:], notes


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("nights")
    place = Place(folder, folder / "cache")
    place.suite(measure=MEASURE.replace("trials: 2", "trials: 1"))
    place.devices()
    runs = []
    for seed in (1, 2):
        place.net(seed=seed)
        runs.append(place.run())
    return Nights(place, *runs)


def _kinds(trials: Sequence[TrialRecord]) -> list[tuple[str, str]]:
    return [(trial.kind, trial.state) for trial in trials]


def test_both_files_are_measured_by_turns_and_told_apart(nights: Nights) -> None:
    trials, notes = nights.measure(nights.baseline, 2)
    assert _kinds(trials) == [("latency", "ok"), ("baseline", "ok"), ("baseline", "ok"), ("latency", "ok")]
    own, others = [trials[0], trials[3]], trials[1:3]
    shas = [(cells.cells[0].artifact or {})["sha256"] for cells in (nights.before, nights.after)]
    assert [trial.artifact for trial in (*others, *own)] == [shas[0]] * 2 + [shas[1]] * 2 and shas[0] != shas[1]
    assert {trial.cell for trial in trials} == {nights.cell}
    assert own[1].number == own[0].number + 1 and own[0].number > nights.after.trials[-1].number
    assert [trial.settings.get("retry") for trial in trials] == [True, None, None, True]
    assert {trial.settings["retry_of"] for trial in trials} == {nights.before.run.id}
    assert all(trial.sample_count >= 3 for trial in trials)
    assert [(trial.outputs or {})["ok"] for trial in trials] == [True, False, False, True]
    assert any("the baseline's outputs are wrong now: SQNR" in note for note in notes), "they are of other weights"


def test_a_baseline_whose_file_left_the_cache_is_told_and_the_cell_measured_alone(nights: Nights) -> None:
    gone = replace(nights.baseline, artifact={**(nights.baseline.artifact or {}), "key": "0" * 64})
    trials, notes = nights.measure(gone)
    assert _kinds(trials) == [("latency", "ok")]
    assert (trials[0].settings["retry"], trials[0].settings.get("retry_of")) == (True, None)
    assert notes == [f"{nights.cell}: measured again without its baseline of run {nights.before.run.id}: its file is "
                     "no longer in the cache"]


@pytest.mark.parametrize("baseline", ["none", "the same file"])
def test_without_anything_to_hold_it_against_the_cell_is_measured_alone(nights: Nights, baseline: str) -> None:
    trials, notes = nights.measure(None if baseline == "none" else nights.after.cells[0])
    assert _kinds(trials) == [("latency", "ok")] and notes == []


def test_the_same_file_with_the_options_of_then_is_a_baseline(nights: Nights) -> None:
    options = "runtime_options: {onnxruntime: {options: {graph_optimization_level: disable}}}\n"
    text = nights.after.run.suite_text + options
    earlier = replace(nights.after.run, id="20200101-000000-0000", started="2020-01-01T00:00:00Z", suite_text=text)
    with Store(nights.place.store) as store:
        if earlier.id not in {run.id for run in store.runs()}:
            store.add_run(earlier, [])
    trials, _ = nights.measure(replace(nights.after.cells[0], run=earlier.id))
    assert _kinds(trials) == [("latency", "ok"), ("baseline", "ok")]
    assert [trial.settings["options"] for trial in trials] == [{}, {"graph_optimization_level": "disable"}]


def test_after_a_stop_nothing_is_measured_and_the_run_stands_as_it_was(nights: Nights) -> None:
    stop = Stop()
    stop.request()
    trials, _ = nights.measure(nights.baseline, 2, stop)
    assert trials == ()


def test_a_run_that_another_process_works_on_is_refused(nights: Nights) -> None:
    with going(nights.place.store, nights.after.run.id), pytest.raises(ConfigError, match="still going on"):
        nights.measure(None)


@pytest.mark.parametrize(("change", "reason"), [
    ("shape", "its file takes other inputs"),
    ("outputs", "its file has 2 outputs, the cell's 1"),
    ("version", "its entry in the cache was written by another version of bench"),
])
def test_a_file_that_cannot_stand_beside_the_cells_is_no_baseline(nights: Nights, change: str, reason: str) -> None:
    artifact = nights.baseline.artifact or {}
    key = _altered(nights.place.cache, artifact["key"], change)
    trials, notes = nights.measure(replace(nights.baseline, artifact={**artifact, "key": key}))
    assert _kinds(trials) == [("latency", "ok")]
    assert notes[0].endswith(f": {reason}")


def _altered(cache: Cache, key: str, change: str) -> str:
    """The key of a copy of an entry, changed."""
    entry, copied = look_up(cache, key), key_of([key, change])
    assert entry is not None and entry.file is not None
    facts = copy.deepcopy(entry.facts)
    if change == "shape":
        facts["passed"]["inputs"][0]["shape"] = [2, 3, 12, 12]
    elif change == "outputs":
        facts["passed"]["outputs"] *= 2
    else:
        del facts["passed"]
    with work_folder(cache) as folder:
        made = folder / "entry"
        made.mkdir()
        shutil.copyfile(entry.file, made / entry.file.name)
        commit(cache, copied, made, facts, made / entry.file.name)
    return copied
