"""Ctrl-C, and a controller that is killed at any moment: what was measured is kept, nothing is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.store.records import StoredRun
from tests.fakes.processes import wait_gone
from tests.fakes.runs import Place

LONG = "{trials: 3, min_samples: 5, min_time: 60s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}}"
STEADY = ("{trials: 3, min_samples: 5, min_time: 0.3s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}, "
          "remeasure: 0%}")


def wait_for_line(process: subprocess.Popen[str], words: str, count: int = 1) -> list[str]:
    """Read the process's progress until a line with these words came `count` times; gives back what was read."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        count -= words in line
        if count == 0:
            return lines
    raise AssertionError(f"{words!r} never came: {''.join(lines)}")


def wait_for_worker(place: Place) -> tuple[int, int]:
    """The ids of the agent that holds the device and of its worker, once a trial is under way."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            agent = int(json.loads((place.workdir / "lock").read_text())["pid"])
            children = Path(f"/proc/{agent}/task/{agent}/children").read_text().split()
        except (OSError, ValueError):
            children = []
        if children:
            return agent, int(children[0])
        os.sched_yield()
    raise AssertionError("no trial began")


def complete(stored: StoredRun, trials: int) -> None:
    """Check that every cell has each of its trials once, and nothing more than that."""
    assert stored.run.state == "finished"
    done = Counter((trial.cell, trial.kind, trial.number) for trial in stored.trials if trial.state == "ok")
    cells = [cell.cell for cell in stored.cells if cell.status == "planned"]
    assert done == {(cell, "latency", number): 1 for cell in cells for number in range(1, trials + 1)}


def test_ctrl_c_finishes_the_trial_under_way_and_keeps_it(place: Place) -> None:
    place.suite(measure=STEADY)
    process = place.start("run")
    before = wait_for_line(process, "[1/3]")
    wait_for_worker(place)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "stopping after the trial under way; Ctrl-C again stops now" in err
    assert "[2/3]" in err and "[3/3]" not in err and "Traceback" not in "".join(before) + err
    assert "net" in out and "report: " in out
    stored = place.stored()
    assert stored.run.state == "interrupted"
    assert [(trial.number, trial.state) for trial in stored.trials] == [(1, "ok"), (2, "ok")]
    (cell,) = place.result().cells
    assert cell.status == "ok" and "2 of 3 trials: the run was interrupted" in cell.warnings
    resumed = place.bench("run", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    complete(place.stored(), 3)
    assert place.stored().run.id == stored.run.id


def test_ctrl_c_twice_stops_now_and_leaves_nothing_running(place: Place) -> None:
    place.suite(measure=LONG)
    process = place.start("run")
    agent, worker = wait_for_worker(place)
    os.killpg(process.pid, signal.SIGINT)
    wait_for_line(process, "stopping after the trial under way")
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - begin < 8
    wait_gone(agent)
    wait_gone(worker)
    assert "Traceback" not in err
    assert place.stored().trials == () and place.stored().run.state == "interrupted"


def test_ctrl_c_while_converting_stops_at_once(place: Place, tmp_path: Path) -> None:
    place.cache_root = tmp_path / "own"
    place.suite(precisions="[fp32, int8, int8-dynamic]")
    process = place.start("run")
    wait_for_line(process, "converting")
    children = [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    os.killpg(process.pid, signal.SIGINT)
    begin = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - begin < 5 and "Traceback" not in err
    for child in children:
        wait_gone(child)
    assert list((tmp_path / "own" / "work").iterdir()) == []
    assert place.stored().run.state == "interrupted"
    assert place.bench("run", "--resume").returncode == 0
    complete(place.stored(), 2)


@pytest.mark.slow
@pytest.mark.parametrize(("words", "count"), [
    ("fp32 reference", 1), ("converting", 1), ("converted", 1), ("pushing", 1),
    ("[1/4]", 1), ("[2/4]", 1), ("[3/4]", 1)])
def test_a_controller_that_is_killed_leaves_nothing_running_and_its_run_is_resumed(
        place: Place, tmp_path: Path, words: str, count: int) -> None:
    if "/" not in words:
        place.cache_root = tmp_path / "own"  # so that there is something to convert
    place.suite(precisions="[fp32, int8-dynamic]", measure=STEADY.replace("trials: 3", "trials: 2"))
    process = place.start("run")
    wait_for_line(process, words, count)
    mine = descendants(process.pid)
    process.kill()
    process.communicate(timeout=10)
    for pid in mine:
        wait_gone(pid)
    before = place.stored()
    assert before.run.state == "interrupted"
    resumed = place.bench("run", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    after = place.stored()
    complete(after, 2)
    assert after.run.id == before.run.id
    assert after.trials[:len(before.trials)] == before.trials, "what was saved is neither changed nor measured again"
    assert list((place.cache_root / "work").iterdir()) == []


def descendants(pid: int) -> list[int]:
    """The processes below `pid`, by all of its threads."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
        found += [*children, *(below for child in children for below in descendants(child))]
    return found


def test_resume_refuses_to_mix_trials_of_two_files_and_changes_nothing(place: Place) -> None:
    place.suite(measure=STEADY)
    process = place.start("run")
    wait_for_line(process, "[1/3]")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    before = place.stored()
    place.net(seed=77)
    done = place.bench("run", "--resume")
    assert done.returncode == 2
    assert "was measured with another file" in done.stderr and "start a new run" in done.stderr
    assert (place.stored().cells, place.stored().run) == (before.cells, before.run)
    (place.folder / "net.onnx").write_bytes((place.folder / "net.onnx").read_bytes()[:1000])
    done = place.bench("run", "--resume")
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    after = place.stored()
    assert (after.run, after.cells, after.trials) == (before.run, before.cells, before.trials)
