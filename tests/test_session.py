"""The conversation with the real agent over real pipes; the runtime is fake, so that it can die on command."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import protocol
from bench.errors import DeviceError, InfrastructureError, ModelError
from bench.messages.trial import TrialError
from bench.session import Session
from tests.fakes.device import fake_trial, local_session


def test_a_trial_gives_samples_outputs_memory_and_conditions(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        report = session.trial(fake_trial(tmp_path, {"latency_ms": 1}))
    assert len(report.samples_ns) >= 5
    assert min(report.samples_ns) >= 1_000_000
    assert {"import_ns", "load_ns", "first_ns", "samples_ns", "verify_ns"} <= set(report.phases)
    assert report.memory["peak_rss_bytes"] is not None and report.memory["peak_rss_bytes"] > 1_000_000
    assert [seen["when"] for seen in report.conditions] == ["before", "after"]
    assert report.outputs["count"] == 2
    assert report.versions["runtime"] == "fake 1"


def test_an_accuracy_trial_runs_every_sample_and_times_none(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        report = session.trial(fake_trial(tmp_path, {"latency_ms": 0}, kind="accuracy"))
    assert report.samples_ns == ()
    assert report.outputs["count"] == 2


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Session]]:
    """A session that outlives the deaths of its workers, and its folder."""
    folder = tmp_path_factory.mktemp("lasting")
    with local_session(folder) as session:
        yield folder, session


@pytest.mark.parametrize(("death", "words", "error"), [
    ("segfault", "SIGSEGV", DeviceError),
    ("abort", "SIGABRT", DeviceError),
    ("kill", "SIGKILL", DeviceError),
    ("exit", "no result", InfrastructureError),
    ("raise", "op FancyConv is not supported", ModelError),
])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_death_of_the_worker_is_a_result_with_its_cause(
        lasting: tuple[Path, Session], death: str, words: str, error: type[Exception], after: int) -> None:
    folder, session = lasting
    with pytest.raises(TrialError, match=words) as caught:
        session.trial(fake_trial(folder, {"die": death, "after": after}))
    assert isinstance(caught.value.error, error)
    report = session.trial(fake_trial(folder, {}, trial="t2"))
    session.forget("t2")
    assert report.samples_ns, "the next trial goes on as if nothing had happened"


def test_a_worker_that_hangs_is_ended_at_its_deadline(tmp_path: Path) -> None:
    with local_session(tmp_path) as session, pytest.raises(TrialError, match="no result within 1 s") as caught:
        session.trial(fake_trial(tmp_path, {"die": "hang", "after": 2}, deadline_s=1.0))
    assert isinstance(caught.value.error, DeviceError)


def test_a_worker_that_runs_out_of_memory_is_the_devices_fault_and_the_next_trial_goes_on(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        resource.prlimit(session.hello.pid, resource.RLIMIT_AS, (1 << 30, 1 << 30))  # its workers inherit it
        with pytest.raises(TrialError, match="out of memory") as caught:
            session.trial(fake_trial(tmp_path, {"die": "memory", "after": 2}))
        assert isinstance(caught.value.error, DeviceError)
        assert session.trial(fake_trial(tmp_path, {}, trial="t2")).samples_ns


def test_what_a_native_library_prints_to_descriptor_one_is_a_log_and_no_message(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        report = session.trial(fake_trial(tmp_path, {"die": "garbage", "after": 3}))
    assert report.samples_ns
    assert "garbage" in report.log


def test_a_frozen_worker_is_killed_at_the_deadline(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        def freeze(phase: str) -> None:
            if phase == "samples":
                os.kill(_worker_of(session.hello.pid), signal.SIGSTOP)

        with pytest.raises(TrialError, match="no result within"):
            session.trial(fake_trial(tmp_path, {"latency_ms": 5}, deadline_s=1.2, measure=_long()), freeze)


def test_a_frozen_agent_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with local_session(tmp_path) as session:
        monkeypatch.setattr(protocol, "SILENCE_LIMIT_S", 0.5)
        os.kill(session.hello.pid, signal.SIGSTOP)
        try:
            with pytest.raises(InfrastructureError, match="silent"):
                session.trial(fake_trial(tmp_path, {}))
        finally:
            os.kill(session.hello.pid, signal.SIGCONT)


def test_a_killed_agent_takes_its_worker_with_it_and_is_named(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        worker: list[int] = []

        def kill(phase: str) -> None:
            if phase == "samples":
                worker.append(_worker_of(session.hello.pid))
                os.kill(session.hello.pid, signal.SIGKILL)

        with pytest.raises(InfrastructureError, match="the agent ended"):
            session.trial(fake_trial(tmp_path, {"latency_ms": 5}, measure=_long()), kill)
    _wait_until_gone(worker[0])


def test_the_end_of_the_host_ends_agent_and_worker(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        agent = session.hello.pid
        worker: list[int] = []

        def leave(phase: str) -> None:
            if phase == "samples":
                worker.append(_worker_of(agent))
                session.close()

        with pytest.raises(InfrastructureError):
            session.trial(fake_trial(tmp_path, {"latency_ms": 5}, measure=_long()), leave)
    _wait_until_gone(agent)
    _wait_until_gone(worker[0])
    assert list((tmp_path / "work" / "trials").glob("*")) == [] or not (tmp_path / "work" / "trials").exists()


def test_a_second_controller_is_told_who_holds_the_device(tmp_path: Path) -> None:
    with local_session(tmp_path), pytest.raises(DeviceError, match=rf"in use by .*process {os.getpid()}.* since"), \
            local_session(tmp_path):
        pass
    with local_session(tmp_path) as session:
        assert session.hello.pid


def test_files_are_asked_for_by_content(tmp_path: Path) -> None:
    trial = fake_trial(tmp_path, {})
    name = trial["artifact"]
    digest = name.partition(".")[0]
    with local_session(tmp_path) as session:
        assert session.missing({name: digest, "absent.npz": "0" * 64}) == ["absent.npz"]
        (tmp_path / "work" / "files" / name).write_bytes(b"flipped")
        assert session.missing({name: digest}) == [name]


def test_the_worker_has_a_throw_away_home(tmp_path: Path) -> None:
    with local_session(tmp_path) as session:
        report = session.trial(fake_trial(tmp_path, {}))
        home = Path(report.outputs["file"]).parent / "home"
        assert home.exists()
        session.forget("t1")
        session.missing({})
        assert not home.exists()


def _worker_of(agent: int) -> int:
    return int(Path(f"/proc/{agent}/task/{agent}/children").read_text().split()[0])


def _long() -> dict[str, Any]:
    return {"min_samples": 100_000, "min_ns": 60_000_000_000, "warmup_min_runs": 2, "warmup_min_ns": 0,
            "warmup_max_ns": 1}


def _wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
        assert time.monotonic() < end, f"process {pid} still runs"
        time.sleep(0.02)
