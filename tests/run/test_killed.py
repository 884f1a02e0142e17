"""Processes that the system kills: once is no verdict, whichever of them it was."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fakes.runs import Place


def _python(place: Place, last: str) -> Path:
    """A Python that is killed at its start, the first time or each time."""
    path = place.folder / "python"
    path.write_text(f'#!/bin/sh\n{last} || {{ touch "{place.folder}/killed"; kill -9 $$; }}\n'
                    f'exec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


def _device(place: Place, python: Path) -> None:
    place.devices(f"this-machine: {{local: {{}}, workdir: {place.workdir}, python: {python}}}")


def test_an_agent_that_is_killed_before_its_first_word_is_started_again(place: Place) -> None:
    _device(place, _python(place, f'[ -e "{place.folder}/killed" ]'))
    assert place.run().run.state == "finished"
    assert (place.folder / "killed").exists() and place.result().cells[0].status == "ok"


def test_an_agent_that_is_killed_each_time_is_the_labs_failure_and_breaks_no_expectation(place: Place) -> None:
    place.suite(expect="{latency_p50: {at_most: 10s}}")
    _device(place, _python(place, "false"))
    done = place.bench("run")
    assert done.returncode == 3, done.stderr
    (cell,) = place.result().cells
    assert cell.fault == "infrastructure" and cell.lab_failed
    assert cell.reason is not None and "the agent was killed by signal 9 before its first word" in cell.reason
