"""Baselines cell by cell: nights on which nothing could be judged hide nothing from those after them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.collect.judgements import from_json
from bench.judge.baselines import choose_green, compare_chosen
from bench.judge.noise import find_floors
from bench.judge.sides import find_sides, last_green
from bench.report.morning import gather
from bench.run.judging import judge_run
from bench.store.store import Store
from tests.fakes.judged import EXPECT, judged, suite
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights

LIMIT = 1.10
OPTIONS: tuple[dict[str, str], ...] = ({"a": "1"}, {"a": "2"}, {"a": "3"})


def with_options(*used: int) -> Any:
    return lambda night: Circumstances(options=OPTIONS[used[night]])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bench.sqlite"


def test_a_night_that_could_not_be_judged_is_not_green_and_hides_nothing_from_the_next(path: Path) -> None:
    """Fast; then another option, nine times as slow; then as the night before."""
    write_nights(path, [NightCell([1.0, 9.0, 9.0])], trials=6, circumstances=with_options(0, 1, 1))
    with Store(path) as store:
        found = judged(store, 3)
    assert [each.state for each in found] == ["green", "not judged", "not judged"]
    assert found[2].baseline == run_id(0) and found[2].on_not_judged == "incomplete"
    assert found[2].outcomes[0].reason.startswith("not comparable: options (a=1, now a=2)")


def test_a_disturbed_night_is_nobodys_baseline_of_time(path: Path) -> None:
    """Disturbed, and slow for it; quiet twice; then slower on its own account."""
    write_nights(path, [NightCell([9.0, 1.0, 1.0, 3.0])], trials=6,
                 circumstances=lambda night: Circumstances(disturbed=night == 0))
    with Store(path) as store:
        found = judged(store, 4)
    assert [each.state for each in found] == ["green", "green", "green", "red"]
    assert [each.baseline for each in found] == [None, None, run_id(1), run_id(2)]


def test_the_baseline_is_the_newest_green_night_that_can_be_compared(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 1.0, 1.0, 1.0, 2.0])], trials=6, circumstances=with_options(0, 0, 1, 0, 0))
    with Store(path) as store:
        found = judged(store, 5)
    assert [each.state for each in found] == ["green", "green", "not judged", "green", "red"]
    assert [each.baseline for each in found] == [None, *(run_id(night) for night in (0, 1, 1, 3))]


def test_a_run_that_is_named_as_baseline_is_accepted_and_green_from_then_on(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 9.0, 9.0, 9.0])], trials=6, circumstances=with_options(0, 1, 1, 1))
    with Store(path) as store:
        judged(store, 2)
        accepted = judge_run(store, run_id(2), suite().config, baseline=run_id(1))
        after = judge_run(store, run_id(3), suite().config)
    assert (accepted.state, after.state, after.baseline) == ("green", "green", run_id(2))


def test_a_night_that_a_lasting_change_keeps_from_being_judged_says_how_to_go_on(path: Path) -> None:
    """As the note says, each of the two ways; nothing is said where all is judged."""
    write_nights(path, [NightCell([1.0, 1.0, 1.0])], trials=6,
                 circumstances=lambda night: Circumstances(facts={"os": f"Debian {12 + (night > 0)}"}))
    with Store(path) as store:
        first, changed = judged(store, 2)
        accepted = judge_run(store, run_id(2), suite().config, baseline=run_id(1))
        despite = judge_run(store, run_id(2), suite(f"{{despite: [os], {EXPECT[1:]}").config)
        previous = judge_run(store, run_id(1), suite(EXPECT.replace("last-green", "previous")).config)
    ways = [note for note in changed.notes if "changed" in note]
    assert len(ways) == 1 and ways[0].startswith("os changed: 1 cell cannot be compared with last-green")
    assert f"`--baseline {run_id(1)}`" in ways[0] and "`despite: [os]`" in ways[0]
    assert [each.state for each in (changed, accepted, despite)] == ["not judged", "green", "green"]
    assert not any("changed" in note for each in (first, accepted, despite) for note in each.notes)
    assert any("--baseline" not in note and "`despite: [os]`" in note for note in previous.notes)


def test_each_cell_has_a_baseline_of_its_own(path: Path) -> None:
    """One cell is slower on the second night, the other on the third: each is held against when it was well."""
    cells = [NightCell([1.0, 2.0, 1.0, 2.0], model="one"), NightCell([1.0, 1.0, 2.0, 2.0], model="two"),
             NightCell([1.0] * 4, model="three")]
    write_nights(path, cells, trials=6)
    with Store(path) as store:
        found = judged(store, 4)
        morning = gather(store, store.find_run(run_id(3)))
    assert [each.state for each in found] == ["green", "red", "red", "red"]
    assert {outcome.cell.split("/")[0]: (outcome.state, outcome.baseline) for outcome in found[3].outcomes} == {
        "one": ("broken", run_id(2)), "two": ("broken", run_id(1)), "three": ("kept", run_id(2))}
    told = morning.comparison
    assert told is not None and {pair.after.model: (told.run_of(pair.after.cell), pair.latency.call)
                                 for pair in told.pairs} == {
        "one": (run_id(2), "worse"), "two": (run_id(1), "worse"), "three": (run_id(2), "cannot tell")}


def test_what_is_inconclusive_is_nobodys_baseline_also_where_the_suite_lets_it_pass(path: Path) -> None:
    """A rise of 6 % a night that nobody can tell: held against the night before, none would ever be found."""
    rise = [1.06**night for night in range(6)]
    expect = f"{{on_inconclusive: pass, {EXPECT[1:]}"
    write_nights(path, [NightCell(rise)], trials=6, trial_sd=0.01)
    with Store(path) as store:
        found = judged(store, 6, expect)
    assert found[-1].state == "red"


@pytest.mark.parametrize("more", ["peak_memory: {against: last-green, at_most: +5%}", "peak_memory: {at_most: 1GiB}"])
def test_what_is_never_known_of_one_metric_hides_nothing_of_another(path: Path, more: str) -> None:
    """The fakes tell of no memory: inconclusive each night, and passed."""
    write_nights(path, [NightCell([1.0, 1.0, 2.0])], trials=6)
    with Store(path) as store:
        found = judged(store, 3, f"{{on_inconclusive: pass, {more}, {EXPECT[1:]}")
    assert [each.state for each in found] == ["green", "green", "red"]
    assert [outcome.baseline for outcome in found[2].outcomes if outcome.expectation == "latency_p50"] == [run_id(1)]


def test_a_limit_that_is_inconclusive_hides_no_regression(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 1.0, 2.0])], trials=6)
    expect = "{on_inconclusive: pass, latency_p50: [{at_most: 1ms}, {against: last-green, at_most: +10%}]}"
    with Store(path) as store:
        found = judged(store, 2, expect)
        after = judge_run(store, run_id(2), suite(expect.replace("1ms", "1s")).config)
    assert [each.state for each in found] == ["green", "green"] and after.state == "red"


def test_a_run_in_which_only_some_could_be_judged_says_so(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 1.0]), NightCell([1.0, 1.0], device="board")], trials=6)
    with Store(path) as store:
        sessions = store.sessions([run_id(1)])
        with store._writing() as connection:  # one device was updated
            from bench.store import checksums, schema

            connection.execute(schema.sessions.update().where(schema.sessions.c.id == sessions[1].id).values(
                facts={**sessions[1].facts, "os": "Debian 13"}))
            checksums.write(connection, schema.sessions)
        found = judged(store, 2)
    assert [each.state for each in found] == ["green", "partly judged"]
    assert "the os of then cannot be had any more" in found[1].outcomes[1].reason


def test_a_night_without_the_cell_leaves_it_its_baseline(path: Path) -> None:
    cells = [NightCell([1.0, math.nan, 2.0], model="one"), NightCell([1.0] * 3, model="two")]
    write_nights(path, cells, trials=6)
    with Store(path) as store:
        found = judged(store, 3)
    assert [(outcome.state, outcome.baseline) for outcome in found[2].outcomes] == [
        ("broken", run_id(0)), ("kept", run_id(1))]


def test_where_nothing_is_expected_each_cells_baseline_is_its_newest_result(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 2.0]), NightCell([1.0, math.nan], model="gone")], trials=6)
    with Store(path) as store:
        store.set_judgement(run_id(0), {"state": "none"})
        run = store.find_run(run_id(1))
        result = gather(store, run).result
        chosen = choose_green(store, run, result, frozenset())
        told = compare_chosen(store, chosen, result, find_floors(store, run), frozenset())
    assert told is not None and [pair.latency.call for pair in told.pairs] == ["worse"]
    assert [cell.model for cell in told.broke] == ["gone"]


SIZE = "{size: {at_most: 5MiB}}"
NONE = "{latency_p90: {at_most: 1h}}"
ELSEWHERE = "{latency_p50: {against: last-green, at_most: +10%, device: other}}"
LIMIT_ONLY = "{latency_p50: {at_most: 1s}}"
PREVIOUS = "{latency_p50: {against: previous, at_most: +10000%}}"


@pytest.mark.parametrize("blind", [SIZE, NONE, ELSEWHERE, LIMIT_ONLY, PREVIOUS])
def test_a_night_that_expected_no_latency_is_no_baseline_of_it(path: Path, blind: str) -> None:
    write_nights(path, [NightCell([1.0, 8.5, 8.5])], trials=6)
    with Store(path) as store:
        found = [judge_run(store, run_id(night), suite(expect).config) for night, expect in
                 enumerate((EXPECT, blind, EXPECT))]
    assert (found[2].state, found[2].outcomes[0].baseline) == ("red", run_id(0))


@pytest.mark.parametrize("state", [None, "none", "green"], ids=["with size", "without expect", "of an older version"])
def test_what_was_measured_before_anything_was_expected_serves_until_something_was(
        path: Path, state: str | None) -> None:
    """The newest of it; also where all judged nights since are red."""
    write_nights(path, [NightCell([1.0, 3.0, 6.0, 6.0, 6.0, 3.0])], trials=6)
    with Store(path) as store:
        for night in range(2):
            if state is None:
                judge_run(store, run_id(night), suite(SIZE).config)
            else:
                store.set_judgement(run_id(night), {"state": state})
        found = [judge_run(store, run_id(2 + night), suite(expect).config) for night, expect in
                 enumerate((EXPECT, SIZE, EXPECT, EXPECT))]
    assert [each.state for each in (found[0], *found[2:])] == ["red", "red", "green"]
    assert [each.outcomes[0].baseline for each in (found[0], *found[2:])] == [run_id(1)] * 3


def test_where_the_first_judged_night_measured_nothing_the_oldest_since_serves(path: Path) -> None:
    write_nights(path, [NightCell([math.nan, 1.0, 8.5, 8.5])], trials=6)
    with Store(path) as store:
        found = [judge_run(store, run_id(night), suite(expect).config) for night, expect in
                 enumerate((EXPECT, SIZE, SIZE, EXPECT))]
    assert (found[3].state, found[3].outcomes[0].baseline) == ("red", run_id(1))


def test_many_nights_without_an_expectation_do_not_hide_the_last_with_one(path: Path) -> None:
    write_nights(path, [NightCell([1.0, *[2.0] * 40])], trials=3, trial_sd=0.001)
    with Store(path) as store:
        found = [judge_run(store, run_id(night), suite(EXPECT if night in (0, 40) else SIZE).config)
                 for night in range(41)]
    assert (found[40].state, found[40].outcomes[0].baseline) == ("red", run_id(0))


def test_a_run_that_expected_nothing_is_last_green_only_where_none_was_held_against_earlier_ones(path: Path) -> None:
    write_nights(path, [NightCell([1.0, 1.0, 8.5, 8.5, 8.5])], trials=6)
    with Store(path) as store:
        for night, expect in enumerate(("{}", EXPECT, LIMIT_ONLY, EXPECT)):
            judge_run(store, run_id(night), suite(expect).config)
        found = [last_green(store, store.find_run(run_id(night))) for night in (1, 2, 3, 4)]
        sides = find_sides(store, run_id(0), "last-green")
    assert [each and each.id for each in found] == [run_id(0), *[run_id(1)] * 3]
    assert sides[1].run.id == run_id(1)


@settings(max_examples=40, deadline=None)
@given(nights=st.lists(st.tuples(st.sampled_from([EXPECT, EXPECT, SIZE, NONE, ELSEWHERE, LIMIT_ONLY, ""]),
                                 st.sampled_from([1.0, 1.0, 2.0, 9.0])), min_size=2, max_size=9))
@example(nights=[(EXPECT, 1.0), (SIZE, 9.0), (EXPECT, 9.0)])
@example(nights=[(SIZE, 1.0), (EXPECT, 9.0), ("", 9.0), (EXPECT, 9.0)])
def test_whatever_is_expected_on_which_night_none_is_green_that_is_slower_than_the_last_judged_green(
        nights: Sequence[tuple[str, float]]) -> None:
    """Expectations and speeds at random: held against the last night judged and green, at first against the newest."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        write_nights(path, [NightCell([speed for _, speed in nights])], trials=6, trial_sd=0.003)
        with Store(path) as store:
            states = [judge_run(store, run_id(night), suite(expect or "{}").config).state
                      for night, (expect, _) in enumerate(nights)]
    allowed: float | None = None
    for night, ((expect, speed), state) in enumerate(zip(nights, states, strict=True)):
        if expect == EXPECT:
            if allowed is None:
                allowed = nights[night - 1][1] if night else speed
            assert state == ("green" if speed <= LIMIT * allowed else "red"), (night, states)
            allowed = speed if state == "green" else allowed


NIGHTS = st.lists(st.integers(0, 2), min_size=2, max_size=9)


@settings(max_examples=20, deadline=None)
@given(used=NIGHTS, slower=st.integers(1, 8), speeds=st.tuples(*[st.sampled_from([1.0, 1.5, 9.0])] * 3))
@example(used=[0, 1, 1], slower=1, speeds=(1.0, 1.0, 1.0))
@example(used=[0, 1, 0, 1, 0], slower=3, speeds=(1.0, 9.0, 1.0))
def test_no_night_is_green_with_a_cell_slower_than_its_limit_and_no_regression_is_hidden(
        used: Sequence[int], slower: int, speeds: tuple[float, float, float]) -> None:
    """Options flip at random, each with a speed of its own; from one night on the model is twice as slow."""
    times = [speeds[option] * (2.0 if night >= slower else 1.0) for night, option in enumerate(used)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        write_nights(path, [NightCell(times)], trials=6, trial_sd=0.003, circumstances=with_options(*used))
        with Store(path) as store:
            states = [each.state for each in judged(store, len(used))]
    for night, (option, state) in enumerate(zip(used, states, strict=True)):
        comparable = option == used[0]
        assert state == ("not judged" if not comparable else "red" if night >= slower else "green"), (night, states)
        green = [times[other] for other in range(night) if states[other] == "green" and used[other] == option]
        assert state != "green" or not green or times[night] <= LIMIT * green[-1]


@settings(max_examples=15, deadline=None)
@given(total=st.integers(1, 6), done=st.integers(0, 6), state=st.sampled_from(["running", "interrupted"]))
def test_a_run_that_was_stopped_at_any_point_has_lost_nothing(total: int, done: int, state: str) -> None:
    """Whatever of the second night was measured: the rest is pending, and the third is held against the first."""
    from unittest.mock import patch

    cells = [NightCell([1.0, 1.0 if place < done else math.nan, 1.0], model=f"m{place}") for place in range(total)]
    seen = [Circumstances(), Circumstances(state="interrupted"), Circumstances()]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        write_nights(path, cells, trials=6, circumstances=lambda night: seen[night])
        with Store(path) as store, patch("bench.store.store.in_progress", lambda _store, _run: state == "running"):
            judge_run(store, run_id(0), suite().config)
            stopped, after = (gather(store, store.find_run(run_id(night))) for night in (1, 2))
            third = judge_run(store, run_id(2), suite().config)
            recorded = from_json(store.find_run(run_id(2)).judgement or {})
    assert stopped.result.run.state == state
    waiting = max(0, total - done)
    assert [cell.status for cell in stopped.result.cells].count("pending") == waiting
    assert not any(cell.status == "failed" for cell in stopped.result.cells)
    told = stopped.comparison
    assert told is not None and (told.broke, told.mended, told.only_before) == ((), (), ())
    assert (len(told.pending), len(told.pairs)) == (waiting, total - waiting)
    assert (third.state, third.baseline) == (recorded.state, recorded.baseline) == ("green", run_id(0))
    told = after.comparison
    assert told is not None and (told.before.run.id, told.broke, told.mended) == (run_id(0), (), ())
    assert all([point.run for point in series.points] == [run_id(0), run_id(2)] for series in after.history.series)
