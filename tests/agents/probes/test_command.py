"""Commands of the device: bounded, and with an environment of their own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bench.agents.probes import command
from tests.fakes.processes import wait_gone


def test_both_outputs_are_heard() -> None:
    assert sorted(command.output(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], 5.0).split()) == ["err", "out"]


def test_the_agents_own_libraries_and_python_are_kept_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPATH"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ANDROID_ROOT", "/system")
    said = command.output(["/usr/bin/env"], 5.0)
    assert "ANDROID_ROOT=/system" in said
    assert "LD_" not in said and "PYTHON" not in said


def test_it_does_not_read_the_conversation_with_the_host() -> None:
    read, write = os.pipe()
    before = os.dup(0)
    os.dup2(read, 0)
    try:
        os.write(write, b"a message")
        assert command.output(["/usr/bin/head", "-c", "1"], 5.0) == ""
    finally:
        os.dup2(before, 0)
        for descriptor in (before, read, write):
            os.close(descriptor)


def test_one_that_hangs_is_ended_in_time_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path}/child; wait"
    begin = time.monotonic()
    with pytest.raises(command.Unanswered, match=r"did not end within 0\.3 s"):
        command.output(["/bin/sh", "-c", script], 0.3)
    assert time.monotonic() - begin < 2.0
    wait_gone(int((tmp_path / "child").read_text()))


def test_one_that_ends_but_leaves_its_output_open_does_not_hold_the_agent_up() -> None:
    begin = time.monotonic()
    with pytest.raises(command.Unanswered):
        command.output(["/bin/sh", "-c", "sleep 600 & echo said"], 0.3)
    assert time.monotonic() - begin < 2.0


def test_one_that_never_stops_talking_is_ended() -> None:
    with pytest.raises(command.Unanswered, match="KiB"):
        command.output(["/bin/cat", "/dev/zero"], 60.0)


def test_one_that_is_not_there_is_named() -> None:
    with pytest.raises(command.Unanswered, match="/system/bin/absent does not start: No such file"):
        command.output(["/system/bin/absent"], 1.0)
