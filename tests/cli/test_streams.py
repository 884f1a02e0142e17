"""A full disk under standard output or error, closed ones, and readers that go: no verdict comes of them."""

from __future__ import annotations

import subprocess

import pytest

from tests.fakes.runs import Place


def told(place: Place, words: str) -> tuple[int, str]:
    """The exit code of a shell's line, BENCH standing for the command, and all that it printed."""
    line = words.replace("BENCH", " ".join(place.argv("")[:3]))
    done = subprocess.run(["bash", "-c", line], cwd=place.folder, env=place.environment(), capture_output=True,
                          text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_progress_and_errors_that_cannot_be_written_are_dropped(where: str, place: Place) -> None:
    place.net()
    place.devices()
    place.suite(expect="{latency_p50: {at_most: 1h}}")
    code, printed = told(place, f"BENCH run suite.yaml --store reports/bench.sqlite {where}")
    assert code == 0 and "1 expectation kept" in printed
    assert told(place, f"BENCH run nope.yaml {where}") == (2, "")


def test_results_that_cannot_be_written_are_the_hosts_trouble_and_the_run_is_kept(place: Place) -> None:
    place.net()
    place.devices()
    place.suite(expect="{latency_p50: {at_most: 1h}}")
    code, printed = told(place, "BENCH run suite.yaml --store reports/bench.sqlite >/dev/full")
    assert code == 3 and "standard output cannot be written: No space left on device" in printed
    assert place.stored().run.state == "finished"
    assert told(place, "BENCH schema suite >/dev/full 2>/dev/full")[0] == 3


def test_a_reader_that_goes_is_no_error(place: Place) -> None:
    code, printed = told(place, "BENCH schema results | head -c 1; exit ${PIPESTATUS[0]}")
    assert (code, printed) == (0, "{")
