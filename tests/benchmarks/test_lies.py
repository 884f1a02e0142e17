"""A device that says any JSON in the place of any word: a sample of what `python -m benchmarks lies` goes through."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.liar import FLOOD, ODD_FILES, OUTPUTS, changed, words_of
from benchmarks.lies import STORED, Lie, Workplace, drawn, small_net

WORTH_IT = [("hello", ("facts", "memory_bytes"), '"x"'), ("hello", ("runtimes",), "[null]"),
            ("conditions", ("load_1m",), "1e999"), ("conditions", ("battery",), '"\\ud83d"'),
            ("result", ("phases", "load_ns"), '"x"'), ("result", ("memory", "peak_rss_bytes"), "true"),
            ("result", ("cores",), '"x"'), ("result", ("versions",), "[]"),
            ("result", ("findings", "cycle"), "1" + "0" * 400), ("samples", ("ns", 0), "-1"), ("done", ("crc",), "[]")]
"""Messages, words and what ended runs or all their reports at one time."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("lies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        patch.setattr("bench.run.quiet.use_now", lambda *_: None)  # a quarter of a second a run
        yield Workplace(folder, small_net(folder / "model.onnx"))


def test_the_truth_is_survived(work: Workplace) -> None:
    assert work.tell(None) == []


@pytest.mark.parametrize(("message", "path", "raw"), WORTH_IT, ids=lambda value: str(value)[:20])
def test_a_lie_spoils_nothing_but_its_own_cells(work: Workplace, message: str, path: tuple[str | int, ...],
                                                raw: str) -> None:
    assert work.tell(Lie(message, path, raw)) == []


@pytest.mark.parametrize(("table", "path", "raw"), [
    ("trials", ("phases", "load_ns"), '"x"'), ("trials", ("conditions",), "1e999"), ("trials", ("findings",), "[]"),
    ("trials", ("settings", "cores_used"), "[null]"), ("sessions", ("facts", "memory_bytes"), '"x"')])
def test_a_store_that_holds_a_lie_reports_the_rest(work: Workplace, table: str, path: tuple[str, ...],
                                                   raw: str) -> None:
    assert work.tell(Lie(table, path, raw)) == []


def test_every_word_is_lied_about_and_chance_picks_no_survivor(work: Workplace) -> None:
    lies = work.lies()
    messages = "hello conditions phase samples log result done files failed"
    assert {lie.message for lie in lies} == {*messages.split(), OUTPUTS, FLOOD, *STORED}
    assert len(lies) > 2000
    assert [wrong for lie in drawn(lies, 3, seed=3) for wrong in work.tell(lie)] == []


@pytest.mark.parametrize(("lie", "kind"), [*((OUTPUTS, kind) for kind in ODD_FILES), (FLOOD, "samples"),
                                           (FLOOD, "phase")])
def test_what_has_no_end_is_given_up_in_time(work: Workplace, lie: str, kind: str) -> None:
    begin = time.monotonic()
    assert work.tell(Lie(lie, (), kind)) == []
    assert time.monotonic() - begin < 30, "the trial's own deadline is 40 s"
    report = json.loads((work.folder / "out.json").read_text())
    (reason,) = [cell["reason"] for cell in report["cells"] if cell["device"] == "lying"]
    assert re.search("no regular file|at most [0-9]+ were expected|does not stop talking|samples", reason)


def test_what_is_not_survived_is_seen(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(said: Any) -> dict[str, Any]:
        return {"load": said["load_1m"] + 1}

    monkeypatch.setattr("bench.messages.trial.conditions_of", broken)
    wrong = work.tell(Lie("conditions", ("load_1m",), '"x"'))
    assert any("exit code 70" in text and "TypeError" in text for text in wrong)


def test_a_word_is_changed_in_its_place_alone(tmp_path: Path) -> None:
    said = {"type": "x", "a": {"b": [1, {"c": 2}]}}
    assert list(words_of(said)) == [("type",), ("a",), ("a", "b"), ("a", "b", 0)]
    assert json.loads(changed(said, ["a", "b", 0], '"new"')) == {"type": "x", "a": {"b": ["new", {"c": 2}]}}
    assert json.loads(changed(said, ["a", "b"], None)) == {"type": "x", "a": {}}
    assert json.loads(changed(said, ["no", "such"], "1")) == said
