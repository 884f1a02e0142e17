"""Models that go by another name: offered as renamed where they have the same file, one where the suite says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.config.load import parse_suite
from bench.errors import ConfigError
from bench.judge.compare import compare_results
from bench.judge.history import read_history
from bench.judge.types import Comparison, Side
from bench.results import RunResult
from bench.run.judging import judge_run
from bench.store.store import Store
from tests.fakes.compared import AFTER, BEFORE, quiet, timed
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights
from tests.fakes.results import run_info

NET, NEW = {"source": "ab" * 32}, {"source": "cd" * 32}


def compared(before: list[Any], after: list[Any], was: Any = None, *, backwards: bool = False) -> Comparison:
    infos = [run_info(id=name, settings={"was": was} if was and name == AFTER else {}) for name in (BEFORE, AFTER)]
    sides = [(Side("run", info.id, info), RunResult(info, tuple(cells)))
             for info, cells in zip(infos, (before, after), strict=True)]
    (one, first), (other, second) = sides[::-1] if backwards else sides
    return compare_results(one, other, (first, second), quiet(before + after))


def test_a_new_model_with_the_file_of_one_that_is_gone_is_offered_as_renamed() -> None:
    told = compared([timed("old", **NET), timed("same", **NEW)], [timed("new", **NET), timed("same", **NEW)])
    assert told.remarks == (
        f"model new of run {AFTER} has the same file as old of run {BEFORE}: renamed? `was: old` under models.new in "
        "the suite compares them as one",)
    assert len(told.only_before) == len(told.only_after) == 1


@pytest.mark.parametrize("after", [[timed("new", **NEW)], [timed("new", **NET), timed("newer", **NET)],
                                   [timed("old", **NET), timed("new", **NET)]],
                         ids=["another file", "two have it", "the old one is there"])
def test_where_it_is_not_plain_nothing_is_offered(after: list[Any]) -> None:
    assert compared([timed("old", **NET)], after).remarks == ()


@pytest.mark.parametrize("was", [["old"], ["older", "old"]])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_model_that_the_suite_says_was_another_is_compared_with_it(was: list[str], backwards: bool) -> None:
    told = compared([timed("old", **NET)], [timed("new", **NET, ratio=2.0)], {"new": was}, backwards=backwards)
    assert [pair.latency.call for pair in told.pairs] == ["better" if backwards else "worse"]
    assert told.remarks == (f"model new was named old in run {BEFORE}",)
    assert (told.only_before, told.only_after) == ((), ())


def test_a_name_that_both_runs_have_is_nobodys_old_one() -> None:
    told = compared([timed("old"), timed("new")], [timed("old"), timed("new")], {"new": ["old"]})
    assert len(told.pairs) == 2 and told.remarks == ()


def nights(path: Path, **settings: Any) -> Store:
    """Six nights of a model, then three of it under another name, twice as slow on the last."""
    old, new = [1.0] * 6 + [float("nan")] * 3, [float("nan")] * 6 + [1.0, 1.0, 2.0]
    write_nights(path, [NightCell(old, model="old"), NightCell(new, model="new")], trials=6,
                 circumstances=lambda night: Circumstances(
                     settings=settings if night >= 6 else {}, models=["new" if night >= 6 else "old"]))
    return Store(path)


def test_history_offers_a_renamed_model_and_shows_it_as_one_where_the_suite_says_so(tmp_path: Path) -> None:
    with nights(tmp_path / "a") as store:
        found = read_history(store)
    assert len(found.series) == 2 and f"same file as old had until run {run_id(5)}: renamed?" in found.remarks[0]
    with nights(tmp_path / "b", was={"new": ["old"]}) as store:
        for model in (None, "new"):
            (series,) = read_history(store, model=model).series
            assert (series.model, len(series.points), series.state) == ("new", 9, "new")
        assert read_history(store).remarks == ()


def test_a_renamed_model_hides_no_regression_where_the_suite_says_so_and_is_named_where_not(tmp_path: Path) -> None:
    text = ("version: 1\nname: vision\nmodels: {new: {source: {onnx: n.onnx}}}\n"
            "expect: {latency_p50: {against: last-green, at_most: +10%}}\n")
    suite = parse_suite(text, Path("s.yaml"), Path()).config
    with nights(tmp_path / "b", was={"new": ["old"]}) as store:
        store.set_judgement(run_id(5), {"state": "green"})
        found = judge_run(store, run_id(8), suite)
    assert (found.state, found.baseline) == ("red", run_id(5))


def test_a_renamed_only_model_is_offered_though_no_cell_has_a_baseline(tmp_path: Path) -> None:
    text = ("version: 1\nname: vision\nmodels: {new: {source: {onnx: n.onnx}}}\n"
            "expect: {latency_p50: {against: last-green, at_most: +10%}}\n")
    with nights(tmp_path / "a") as store:
        store.set_judgement(run_id(5), {"state": "green"})
        found = judge_run(store, run_id(6), parse_suite(text, Path("s.yaml"), Path()).config)
    assert "has the same file as old" in found.notes[0] and "`was: old`" in found.notes[0]


def test_a_model_is_not_what_another_of_the_suite_is() -> None:
    text = "version: 1\nname: s\nmodels: {a: {source: {onnx: a}}, b: {source: {onnx: b}, was: a}}\n"
    with pytest.raises(ConfigError, match="'a' is a model of this suite"):
        parse_suite(text, Path("s.yaml"), Path())
    twice = text.replace("was: a", "was: [c, d]").replace("{onnx: a}", "{onnx: a}, was: d")
    with pytest.raises(ConfigError, match="'d' is what 'a' was, too"):
        parse_suite(twice, Path("s.yaml"), Path())
    assert parse_suite(text.replace("was: a", "was: c"), Path("s.yaml"), Path()).config.models["b"].old_names == ("c",)


def test_cells_keep_their_own_ids_when_they_are_compared_under_a_new_name() -> None:
    before = replace(timed("old", **NET), cell="old/id")
    told = compared([before], [timed("new", **NET)], {"new": ["old"]})
    assert told.pairs[0].before.cell == "old/id" and told.pairs[0].before.model == "new"
