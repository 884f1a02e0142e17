"""A phone from the command line."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.testing.adbd.raw_host import RawHost


def test_it_says_how_to_connect_and_stays_until_it_is_interrupted(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "bench.testing", str(tmp_path / "phone")],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    port = int(process.stdout.readline().rpartition(":")[2])
    host = RawHost(port)
    assert host.connect()[0] == b"CNXN"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    host.close()


def test_a_wrong_word_is_answered_with_the_usage() -> None:
    done = subprocess.run([sys.executable, "-m", "bench.testing", "--speed"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2
    assert "usage: python -m bench.testing" in done.stderr
