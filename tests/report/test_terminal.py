from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from bench.report.terminal import table
from bench.results import Latency, Outputs, RunResult, Steadiness
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
    poor = replace(ok_cell(), outputs=Outputs("poor", sqnr_db=12.9, short="12.9 dB",
                                               reason="poor outputs: SQNR 12.9 dB against fp32"))
    text = _printed(replace(typical(), cells=(poor,)))
    assert "poor 12.9dB" in text
    assert f"poor {poor.runtime}/{poor.delegate} {poor.precision}: poor outputs: SQNR 12.9 dB against fp32" in text
    lost = replace(ok_cell(), outputs=Outputs("differs", sqnr_db=51.1, reason="lost: output 0, index 4 to 5"))
    assert "differs" in _printed(replace(typical(), cells=(lost,))) and "index 4 to 5" in _printed(
        replace(typical(), cells=(lost,)))


def test_numbers_too_long_for_their_column_lose_digits_and_are_never_cut_off() -> None:
    tiny = replace(ok_cell(), latency_ms=Latency(0.00948, 0.00827, 0.01083))
    text = _printed(replace(typical(), cells=(tiny,)))
    assert "0.0095" in text and "0.0083–0.011" in text and "…" not in text


def test_what_a_model_does_beside_computing_is_a_note_once_for_alike_rows() -> None:
    steps = "time depends on the input: 0.17 to 17.7 ms"
    cells = tuple(replace(ok_cell(precision=precision), behaviour=(steps,)) for precision in ("fp32", "int8"))
    text = " ".join(_printed(replace(typical(), cells=cells)).split())
    assert text.count(steps) == 1 and "note onnxruntime/cpu fp32, onnxruntime/cpu int8: time depends" in text


def test_many_disturbed_rows_are_told_in_two_lines() -> None:
    seen = Steadiness("processor", 5, 5, "others used 1.9 of 2 cores")
    cells = tuple(replace(ok_cell(precision=precision), steadiness=(seen,)) for precision in ("fp32", "fp16", "int8"))
    text = _printed(replace(typical(), cells=cells), width=200)
    assert text.count("others used 1.9 of 2 cores in 5 of 5 trials: measure again") == 1
    assert "2 more of these cells, likewise" in text


def test_an_emulated_device_is_marked() -> None:
    assert "mobilenet on board-qemu (emulated" in _printed(typical())


def test_hostile_names_print_as_they_are_written() -> None:
    text = _printed(hostile(), width=400)
    assert "\x1b" not in text and "\x00" not in text and "\\x1b[31mred" in text and "[x](javascript:alert(1))" in text
