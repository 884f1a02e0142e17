from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from bench.report.terminal import table
from bench.results import Outputs, RunResult
from tests.fakes.results import hostile, ok_cell, typical


def _printed(result: RunResult, width: int = 100) -> str:
    out = StringIO()
    Console(file=out, width=width, force_terminal=False).print(table(result))
    return out.getvalue()


def test_the_comparison_fits_into_100_columns_uncut() -> None:
    text = _printed(typical())
    assert max(map(len, text.splitlines())) <= 100
    assert "…" not in text
    for word in ("executorch/xnnpack", "tflite/xnnpack ×2", "int8-dynamic", "2.11", "≈ 0.98×", "differs",
                 "not checked"):
        assert word in text


def test_what_was_not_measured_says_why() -> None:
    text = _printed(typical())
    assert "failed (device) torch/cpu int8: worker crashed with signal 11 (SIGSEGV) while loading" in text
    assert "23 of 28 cells measured · 2 failed (device 2) · 3 skipped" in text


def test_poor_and_wrong_outputs_have_their_number_and_their_reason() -> None:
    poor = replace(ok_cell(), outputs=Outputs("poor", sqnr_db=12.9, reason="poor outputs: SQNR 12.9 dB against fp32"))
    text = _printed(replace(typical(), cells=(poor,)))
    assert "poor 12.9dB" in text
    assert f"poor {poor.runtime}/{poor.delegate} {poor.precision}: poor outputs: SQNR 12.9 dB against fp32" in text
    lost = replace(ok_cell(), outputs=Outputs("differs", sqnr_db=51.1, reason="lost: output 0, index 4 to 5"))
    assert "differs" in _printed(replace(typical(), cells=(lost,))) and "index 4 to 5" in _printed(
        replace(typical(), cells=(lost,)))


def test_an_emulated_device_is_marked() -> None:
    assert "mobilenet on board-qemu (emulated" in _printed(typical())


def test_hostile_names_print_as_they_are_written() -> None:
    text = _printed(hostile(), width=400)
    assert "\x1b" not in text and "\x00" not in text and "\\x1b[31mred" in text and "[x](javascript:alert(1))" in text
