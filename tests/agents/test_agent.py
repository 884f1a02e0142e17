"""What the supervisor keeps on a device and what it lets go."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.fakes.device import fake_trial, local_session, put


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
