"""Whether others took the processor from a trial: by effect, never by noise, and nothing where it is not told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contention import LEAST_S, OTHERS, STOLEN, WAITED, Use, of_trial, read, reason, use_between, with_look_after
from bench.throttling import signs

SECOND = 1_000_000_000
SLOWED = [10_000_000 + 7919 * place % 100_000 for place in range(60)] + [13_000_000 + 7919 * place % 100_000
                                                                        for place in range(60)]


def told(**changes: Any) -> dict[str, Any]:
    """What a quiet machine's worker tells of a second of samples by one thread on two cores."""
    return {"user": SECOND, "system": 0, "wall": SECOND, "waited": 1_000_000, "involuntary": 3, "cores": 2,
            "others": SECOND // 50, "stolen": 0} | changes


def why(threads: int = 1, **changes: Any) -> str:
    return reason(read(told(**changes)), threads)


def test_a_quiet_machine_is_not_disturbed() -> None:
    assert why() == "" and of_trial(told(), {"threads": 1}) == ""


@pytest.mark.parametrize(("changes", "words"), [
    ({"waited": 83 * SECOND // 100, "others": 184 * SECOND // 100},
     "other processes used 1.8 of 2 cores, it waited 83 % of the time for a core"),
    ({"others": SECOND}, "other processes used 1.0 of 2 cores"),
    ({"stolen": SECOND // 5}, "other processes used 0.0 of 2 cores, the machine's host took 0.20 of them"),
    ({"waited": SECOND // 2, "others": None, "cores": None}, "it waited 50 % of the time for a core"),
    ({"waited": None, "user": SECOND // 5, "involuntary": 46, "others": 18 * SECOND // 10},
     "other processes used 1.8 of 2 cores, it waited 80 % of the time for a core")])
def test_what_others_took_is_said(changes: dict[str, Any], words: str) -> None:
    assert why(**changes) == words


def test_a_process_that_waits_of_its_own_accord_is_not_disturbed() -> None:
    assert why(waited=None, user=SECOND // 5, involuntary=2) == "", "a delegate computes elsewhere meanwhile"
    assert why(waited=None, user=SECOND // 5, involuntary=50, threads=2) == "", "its pool may wait for itself"


def test_others_may_use_the_cores_that_many_more_threads_leave() -> None:
    assert why(cores=8, others=3 * SECOND) == "" != why(cores=8, others=3 * SECOND, threads=4)
    assert why(cores=4, others=SECOND // 10, threads=4) == "" != why(cores=4, others=SECOND // 3, threads=4)


@pytest.mark.parametrize(("busy", "words"), [(SECOND // 2, "other processes used 2.0 of 2 cores"), (1000, "")])
@pytest.mark.parametrize("changes", [{"wall": 3_000_000}, {"wall": SECOND // 8, "waited": None}])
def test_a_trial_too_short_to_tell_is_known_by_a_look_right_after_it(
        changes: dict[str, Any], busy: int, words: str) -> None:
    looked = with_look_after(told(**changes), Use(busy, SECOND // 4, 2))
    assert of_trial(told(**changes), {"threads": 1}) is None and of_trial(looked, {"threads": 1}) == words


def test_a_look_after_a_trial_that_tells_by_itself_changes_nothing() -> None:
    assert of_trial(with_look_after(told(), Use(SECOND, SECOND, 2)), {"threads": 1}) == ""


@pytest.mark.parametrize("after", [
    None, 5, {}, {"wall": 0, "busy": 1, "cores": 1}, {"wall": 9, "busy": "x", "cores": 2},
    {"wall": 9, "busy": 1, "cores": None}])
def test_a_look_that_is_not_understood_tells_nothing(after: object) -> None:
    assert of_trial(told(wall=5) | {"after": after}, {}) is None


@pytest.mark.parametrize("changes", [
    None, {}, {"wall": None}, {"wall": "1"}, {"wall": True}, {"wall": -5}, {"wall": int(LEAST_S * 1e9) - 1},
    {"waited": None, "others": None, "stolen": None}, {"waited": "x", "others": 1.5, "stolen": -1}])
def test_what_is_not_told_is_not_known(changes: dict[str, Any] | None) -> None:
    stored = None if changes is None else {"user": 5, "system": 1} if changes == {} else told(**changes)
    assert read(stored) is None and of_trial(stored, {}) is None and reason(read(stored), 1) == ""


@given(st.integers(LEAST_NS := int(LEAST_S * 1e9), 10**12), st.integers(1, 64), st.integers(1, 64),
       st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_only_a_share_that_matters_disturbs(wall: int, cores: int, threads: int, waited: float, others: float,
                                            stolen: float) -> None:
    quiet = {"waited": int(wall * waited * WAITED * 0.99), "others": int(wall * others * 0.24),
             "stolen": int(wall * stolen * STOLEN * 0.99)}
    assert why(threads, wall=wall, cores=cores, **quiet) == ""
    assert why(threads, wall=wall, cores=cores, **quiet | {"waited": int(wall * WAITED) + 1})
    if wall >= 2 * LEAST_NS:
        most = int(wall * max(OTHERS * (cores - threads), 0.25)) + 1
        assert why(threads, wall=wall, cores=cores, **quiet | {"others": most})


@given(st.dictionaries(st.sampled_from(list(told())), st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=3), st.booleans(), st.lists(st.integers(), max_size=2))),
    st.one_of(st.none(), st.integers(), st.text(max_size=2)))
def test_whatever_a_device_tells_is_read(stored: dict[str, Any], threads: object) -> None:
    of_trial(stored, {"threads": threads})


def test_samples_that_slow_while_others_take_the_processor_are_disturbed_and_not_throttled() -> None:
    alone, beside = signs([], SLOWED), signs([], SLOWED, shared=read(told(waited=SECOND // 2)))
    assert alone.slowed and alone.throttled == (alone.slowed,) and not alone.contention
    assert beside.throttled == () and alone.slowed in beside.disturbed and beside.contention in beside.disturbed
    quiet = signs([], SLOWED, shared=read(told()))
    assert quiet.throttled == (alone.slowed,) and quiet.disturbed == ()


def look(at_s: float, busy_s: float, cores: int = 2) -> dict[str, Any]:
    return {"processor": {"monotonic_ns": int(at_s * 1e9), "busy_ns": int(busy_s * 1e9), "cores": cores}}


def test_two_looks_tell_what_is_used_between_them() -> None:
    use = use_between(look(1, 5), look(1.5, 5.95))
    assert use is not None and use.disturbs(1) == "other processes use 1.9 of 2 cores"
    idle = use_between(look(1, 5), look(1.5, 5.01))
    assert idle is not None and idle.disturbs(1) == idle.disturbs(2) == ""


@pytest.mark.parametrize("after", [{}, {"processor": None}, {"processor": {}}, look(1.1, 6), look(0.5, 6),
                                   look(2, 6, cores=4)])
def test_looks_that_do_not_tell_are_nothing_known(after: dict[str, Any]) -> None:
    assert use_between(look(1, 5), after) is None
