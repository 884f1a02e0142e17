"""What is told of a run while it goes on."""

from __future__ import annotations

import pytest

from bench.cli.progress import Plain
from bench.run.events import Event


def test_why_a_device_waits_is_a_line_once_for_each_wait(capsys: pytest.CaptureFixture[str]) -> None:
    display = Plain()
    for kind, text in (("waiting", "waiting: 39.2 C"), ("waiting", "waiting: 38.1 C"), ("phase", "warming up"),
                       ("waiting", "waiting: 38.9 C")):
        display.notify(Event(kind, text, "phone", "net@phone"))  # type: ignore[arg-type]
    assert capsys.readouterr().err == "phone: waiting: 39.2 C\nphone: waiting: 38.9 C\n"
