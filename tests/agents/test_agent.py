"""What the supervisor keeps on a device and what it lets go."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench import protocol
from bench.agents import child
from bench.errors import InfrastructureError
from tests.fakes.device import fake_trial, local_session, put
from tests.fakes.processes import wait_gone

ROOT = Path(__file__).parents[2]
ENDLESS = {"min_samples": 100_000, "min_ns": 60_000_000_000, "warmup_min_runs": 2, "warmup_min_ns": 0,
           "warmup_max_ns": 1}


def test_files_that_no_run_asked_for_in_a_month_are_removed_and_others_kept(tmp_path: Path) -> None:
    old, used, new = (put(tmp_path, ".npz", content) for content in (b"old", b"used", b"new"))
    files = tmp_path / "work" / "files"
    month = time.time() - 31 * 86400
    os.utime(files / old, (month, month))
    os.utime(files / used, (month + 86400 * 2, month + 86400 * 2))
    with local_session(tmp_path) as session:
        assert sorted(path.name for path in files.iterdir()) == sorted([used, new])
        assert session.missing({used: used.partition(".")[0]}) == []
    assert (files / used).stat().st_mtime > time.time() - 60


def test_the_peak_of_memory_does_not_count_the_samples_that_are_kept(tmp_path: Path) -> None:
    measure = {"min_samples": 300_000, "min_ns": 0, "warmup_min_runs": 2, "warmup_min_ns": 0, "warmup_max_ns": 1}
    with local_session(tmp_path) as session:
        few = session.trial(fake_trial(tmp_path, {"latency_ms": 0}))
        many = session.trial(fake_trial(tmp_path, {"latency_ms": 0}, trial="t2", measure=measure))
    assert len(many.samples_ns) >= 300_000
    peaks = [report.memory["peak_rss_bytes"] for report in (few, many)]
    assert peaks[0] and peaks[1] and abs(peaks[1] - peaks[0]) < 2 << 20


def test_sampling_time_is_the_samples_time(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        report = session.trial(fake_trial(tmp_path, {"latency_ms": 2}))
    assert sum(report.samples_ns) <= report.phases["samples_ns"] < 1.2 * sum(report.samples_ns)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_an_agent_that_loses_its_terminal_takes_its_worker_with_it(tmp_path: Path, number: signal.Signals) -> None:
    """The daemon of a phone sends SIGHUP to the shell alone, which has become the agent."""
    with local_session(tmp_path) as session:
        agent, worker = session.hello.pid, list[int]()

        def hang_up(phase: str) -> None:
            if phase == "samples":
                worker.append(int(Path(f"/proc/{agent}/task/{agent}/children").read_text().split()[0]))
                os.kill(agent, number)

        with pytest.raises(InfrastructureError, match="the agent ended"):
            session.trial(fake_trial(tmp_path, {"latency_ms": 5}, measure=ENDLESS), hang_up)
    wait_gone(worker[0])
    assert not (tmp_path / "work" / "trials").exists(), "it left in good order"


def test_an_agent_at_long_work_ends_when_its_host_falls_silent(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "endless").symlink_to("/dev/zero")
    impatient = "import sys; from bench import protocol; protocol.SILENCE_LIMIT_S = 1; from bench.agents import agent; "
    process = subprocess.Popen([sys.executable, "-c", impatient + "sys.exit(agent.main())", "--archive", str(ROOT),
                                "--workdir", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=ROOT)
    assert process.stdin is not None
    with process.stdin:
        process.stdin.write(protocol.encode({"type": "have", "files": {"endless": "0"}}))
        process.stdin.flush()
        try:
            assert process.wait(15) == 4
        finally:
            process.kill()


def test_a_worker_that_is_ended_is_gone_and_writes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nsleep 60\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setenv("BENCH_PYTHON", str(tmp_path / "python"))
    worker = child.Child({"deadline_s": 20.0, "trial": "t1", "supervisor": os.getpid()}, str(tmp_path), str(ROOT))
    worker.end()
    assert worker.process.returncode == -signal.SIGKILL
    worker.close()


def test_a_worker_starts_where_users_have_no_names_and_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any) -> None:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr("site.USER_BASE", None)
    worker = child.Child({"deadline_s": 20.0, "trial": "t1", "supervisor": os.getpid()}, str(tmp_path), str(ROOT))
    assert worker.process.wait(20) == 0, worker.log_tail()
    assert b'"type":"phase"' in (worker.read() or [b""])[0]
    worker.close()
