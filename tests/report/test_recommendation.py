"""Recommendations as text, Markdown and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from bench.judge.candidates import Wishes
from bench.judge.recommend import recommend
from bench.report.recommendation import asked, to_json, to_markdown, to_text
from bench.results import RunResult
from tests.fakes.results import HOSTILE, ok_cell, run_info, typical

WISHES = Wishes(max_latency_ms=20, max_drop=0.01)


def shown(result: RunResult, wishes: Wishes = WISHES, model: str = "mobilenet") -> tuple[str, str, str]:
    found = recommend(result, model, wishes)
    return tuple(render(found, result.run, wishes) for render in (to_text, to_markdown, to_json))  # type: ignore[return-value]


def test_the_choice_comes_first_with_its_numbers_and_then_what_the_others_lose() -> None:
    text, _, _ = shown(typical())
    lines = text.splitlines()
    assert lines[0] == "vision, run 20261121-031500-7f3a: least latency with p50 at most 20 ms, drop at most 1 pp"
    assert lines[2] == "mobilenet on this-machine: int8 tflite/xnnpack"
    assert lines[3].startswith("  p50 ") and "MiB peak, 3.70 MiB, top1 87.7 % on 1000 inputs (drop 0.7 ±" in lines[3]
    assert "% latency, +" in text and "worse by latency: " in text and "* " in text


def test_refused_cells_of_one_reason_share_a_line_and_an_emulated_device_says_why() -> None:
    text, _, _ = shown(typical())
    assert "mobilenet on board-qemu: no recommendation\n  an emulated device: its timings are not the device's" in text
    (line,) = [line for line in text.splitlines() if line.startswith("  refused: ") and "an emulated device" in line]
    assert sorted(line.removeprefix("  refused: ").split(":")[0].split(", ")) == [
        "fp32 onnxruntime/cpu", "fp32 tflite/xnnpack", "int8 onnxruntime/cpu", "int8 tflite/xnnpack"]
    assert "int8-dynamic tflite/xnnpack: its outputs differ from the fp32 reference" in text


def test_markdown_has_a_table_for_each_device() -> None:
    _, markdown, _ = shown(typical())
    assert markdown.count("| cell | p50 ms | peak MiB |") == 2
    assert "### mobilenet on this-machine: int8 tflite/xnnpack" in markdown


def test_json_tells_every_candidate_by_its_id() -> None:
    found = json.loads(shown(typical())[2])
    machine, board = found["devices"]
    ids = [item["cell"] for item in machine["candidates"]]
    assert machine["choice"] == ids[0] and machine["candidates"][0]["standing"] == "chosen"
    assert len(set(ids)) == len(ids) == 16
    assert (board["choice"], board["emulated"]) == (None, True)
    assert found["wishes"] == {"max_latency_ms": 20, "max_drop": 0.01, "max_memory_mib": None, "max_size_mib": None,
                               "objective": "latency"}


def test_what_was_asked_is_said_in_words() -> None:
    assert asked(Wishes()) == "least latency"
    assert asked(Wishes(max_memory_mib=100, max_size_mib=5, objective="size")) == (
        "least size with peak memory at most 100 MiB, size at most 5 MiB")


def test_hostile_names_are_inert() -> None:
    for name in HOSTILE:
        cells = [replace(ok_cell(), model=name, device=name, delegate=name, precision=name, cell=name),
                 replace(ok_cell(), model=name, device=name, status="failed", reason=name)]
        result = RunResult(run_info(suite=name), tuple(cells))
        text, markdown, plain = shown(result, model=name)
        assert not set(text + markdown + plain) & set("\x1b\x00\u202e\ud800")
        assert "<img" not in markdown and "<script" not in markdown and "@everyone" not in markdown
