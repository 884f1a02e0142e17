"""Who used the processor: this process, the others on its cores, and the host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest

from bench.agents.probes import cpu
from tests.fakes.neighbours import neighbours

STAT = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 1 5 100 7 2 3 4 0 0\ncpu3 20 0 5 100 7 0 0 1 0 0\nintr 5\n"
TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@pytest.fixture
def core() -> Iterator[int]:
    """This process on one core of its own choice."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield min(before)
    os.sched_setaffinity(0, before)


def _work(seconds: float) -> None:
    end = perf_counter() + seconds
    while perf_counter() < end:
        sum(range(1000))


def test_use_of_all_cores_and_of_some_is_summed(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    assert cpu.whole(stat=str(stat)) == cpu.Whole(2, 46 * TICK, 5 * TICK)
    assert cpu.whole([3, 5], str(stat)) == cpu.Whole(1, 25 * TICK, TICK)


@pytest.mark.parametrize("text", ["", "cpu 1 2", "cpu0 x 2 3 4\n", "cpu0 1 2\n", "nothing\n"])
def test_what_the_kernel_does_not_tell_is_none(tmp_path: Path, text: str) -> None:
    stat = tmp_path / "stat"
    stat.write_text(text)
    assert cpu.whole(stat=str(stat)) is None and cpu.whole(stat=str(tmp_path / "none")) is None


def test_a_kernel_without_steal_tells_of_the_rest(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu0 10 1 5 100\n")
    assert cpu.whole(stat=str(stat)) == cpu.Whole(1, 16 * TICK, None)


def test_a_neighbour_on_the_same_core_is_seen_in_what_was_waited_and_in_what_others_used(core: int) -> None:
    with neighbours(core, 2):
        before = cpu.usage()
        _work(0.4)
        found = cpu.since(before)
    wall = found["wall"]
    assert wall is not None and wall >= 4e8 and found["cores"] == 1
    own = (found["user"] or 0) + (found["system"] or 0)
    assert own < 0.75 * wall and (found["others"] or 0) > 0.2 * wall
    assert found["waited"] is None or found["waited"] > 0.25 * wall
    assert (found["involuntary"] or 0) > 0
