"""What a run says of how it was measured."""

from __future__ import annotations

from pathlib import Path

from bench.config.load import parse_suite
from bench.run.describe import notes


def test_durations_are_shown_as_the_suite_writes_them() -> None:
    text = ("version: 1\nname: s\nmodels: {net: {source: {onnx: net.onnx}}}\n"
            "measure: {trials: 5, min_samples: 10, min_time: 50ms}\n")
    said = notes(parse_suite(text, Path("s.yaml"), Path()).config, quick=False)
    assert "measured by 5 trials of at least 10 samples and 50ms each;" in said[0]
