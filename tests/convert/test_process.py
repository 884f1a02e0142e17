from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from bench.convert import process, task
from bench.convert.process import ChildOutcome, Limits, group_rss_bytes, run_child
from bench.convert.wire import Failure
from tests.fakes.processes import wait_gone


def _run(code: str, folder: Path, timeout_s: float = 60.0, memory_mib: int = 2048,
         stop: threading.Event | None = None) -> ChildOutcome:
    return run_child([sys.executable, "-c", code], timeout_s=timeout_s, memory_mib=memory_mib, log=folder / "log.txt",
                     cwd=folder, stop=stop)


def test_a_good_child_has_no_reason_and_its_prints_are_in_the_log(tmp_path: Path) -> None:
    outcome = _run("import os; os.write(1, b'native\\n'); print('python')", tmp_path)
    assert (outcome.ending, outcome.reason) == ("exited", "")
    assert (tmp_path / "log.txt").read_text() == "native\npython\n"


def test_a_status_is_told(tmp_path: Path) -> None:
    assert _run("raise SystemExit(3)", tmp_path).reason == "ended with status 3"


def test_a_crash_names_its_signal(tmp_path: Path) -> None:
    outcome = _run("import ctypes; ctypes.string_at(0)", tmp_path)
    assert (outcome.ending, outcome.reason) == ("crashed", "crashed: signal 11 (SIGSEGV)")


def test_a_hanging_child_and_its_own_children_are_killed(tmp_path: Path) -> None:
    code = "import os, time; print(os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '600'), flush=True); time.sleep(600)"
    outcome = _run(code, tmp_path, timeout_s=1.0)
    assert (outcome.ending, outcome.reason) == ("timeout", "no result within 1 s")
    wait_gone(int((tmp_path / "log.txt").read_text()))


def test_a_child_that_eats_memory_is_killed_and_told_how_much(tmp_path: Path) -> None:
    code = "import time\nx = []\nwhile True: x.append(bytearray(b'x') * (8 << 20)); time.sleep(0.01)"
    outcome = _run(code, tmp_path, memory_mib=100)
    assert outcome.ending == "memory"
    assert outcome.reason.startswith("killed: used ") and outcome.reason.endswith("limit 100 MiB")
    assert outcome.peak_rss_mib > 100


def test_a_set_stop_ends_the_child(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert _run("import time; time.sleep(600)", tmp_path, stop=stop).ending == "stopped"


def test_an_exception_in_the_parent_leaves_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def interrupted(group: int) -> int:
        seen.append(group)
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "group_rss_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _run("import time; time.sleep(600)", tmp_path)
    assert _is_gone(seen[0])


def test_home_is_thrown_away_and_bench_can_be_imported(tmp_path: Path) -> None:
    _run("import os, bench; print(os.environ['HOME'], os.environ['TMPDIR'])", tmp_path)
    assert (tmp_path / "log.txt").read_text().split() == [str(tmp_path / "home"), str(tmp_path / "tmp")]


def test_the_memory_of_this_group_is_more_than_a_mebibyte() -> None:
    assert group_rss_bytes(os.getpgrp()) > 1 << 20


def _is_gone(pid: int) -> bool:
    """No such process, or one that only waits to be collected by init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(("kills", "made"), [(1, True), (2, False)])
def test_a_child_that_the_system_kills_once_is_started_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, made: bool) -> None:
    code = ("import json, os, signal; left = open('left'); count = int(left.read()); left.close()\n"
            "open('left', 'w').write(str(count - 1))\n"
            "json.dump({'phase': 'converting'}, open('result.json', 'w'))\n"
            "if count: os.kill(os.getpid(), signal.SIGKILL)\n"
            "json.dump({'ok': {}}, open('result.json', 'w'))")
    (tmp_path / "left").write_text(str(kills))
    monkeypatch.setattr(task, "python_argv", lambda *_: [sys.executable, "-c", code])
    answer = task.perform({}, tmp_path, tmp_path / "log.txt", Limits(20, 4096))
    if made:
        assert answer == {}
    else:
        assert isinstance(answer, Failure) and answer.fault == "model"
        assert answer.reason == "crashed: signal 9 (SIGKILL) while converting"
