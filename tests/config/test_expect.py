from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.check import check_against_devices, check_despite
from bench.config.expect import BytesLimit, Drop, ExpectConfig, Growth, Regression, TimeLimit
from bench.config.load import LoadedSuite, parse_devices, parse_suite
from bench.config.quantities import parse_change, parse_points, parse_size
from bench.config.schema import json_schema
from bench.config.yaml import read_yaml
from bench.errors import ConfigError
from tests.fakes.schema import violations

SUITE = ("version: 1\nname: s\nmodels: {m: {source: {onnx: m}, dataset: fashion-mnist-1k}, n: {source: {onnx: n}}}\n"
         "precisions: [fp32, int8]\nruntimes: [onnxruntime]\nexpect: ")
RUN = "20261121-031500-7f3a"


def loaded(text: str) -> LoadedSuite:
    return parse_suite(SUITE + text + "\n", Path("s.yaml"), Path())


def expect(text: str) -> ExpectConfig:
    found = loaded(text).config.expect
    assert found is not None
    return found


@pytest.mark.parametrize(("text", "kind", "at_most"), [
    ("latency_p50: {at_most: 20ms}", TimeLimit, 0.02), ("load_time: {at_most: 1s}", TimeLimit, 1.0),
    ("latency_p90: {against: last-green, at_most: +5%}", Regression, 0.05),
    ("latency_p90: {against: last-green, at_most: 5 %}", Regression, 0.05),
    ("peak_memory: {at_most: 100MiB}", BytesLimit, 100 * 2**20),
    ("peak_memory: {against: previous, at_most: +5%}", Regression, 0.05),
    ("size: {at_most: 5MB}", BytesLimit, 5e6), (f"size: {{against: {RUN}, at_most: +0%}}", Growth, 0.0),
    ("accuracy_drop: {against: fp32, at_most: 1.0pp}", Drop, 0.01)])
def test_each_is_a_limit_or_held_against_a_run(text: str, kind: type, at_most: float) -> None:
    [(metric, entry)] = expect(f"{{{text}}}").entries()
    assert type(entry) is kind and metric == text.split(":")[0]
    assert entry.at_most == pytest.approx(at_most)  # type: ignore[attr-defined]


def test_each_may_be_a_list_and_the_order_is_that_of_metrics_then_of_the_file() -> None:
    found = expect("{size: {at_most: 1MiB}, latency_p50: [{at_most: 2s, model: m}, {at_most: 1s, because: why}]}")
    assert [(metric, entry.model, entry.because) for metric, entry in found.entries()] == [
        ("latency_p50", "m", None), ("latency_p50", None, "why"), ("size", None, None)]


def test_the_baselines_are_the_runs_that_are_named_last_green_first() -> None:
    found = expect(f"{{size: [{{against: {RUN}, at_most: +1%}}, {{against: last-green, at_most: +1%}}], "
                   "accuracy_drop: {against: fp32, at_most: 1pp}}")
    assert found.baselines() == ("last-green", RUN)


def test_nothing_is_green_in_silence_by_default() -> None:
    assert (expect("{}").on_inconclusive, expect("{}").retry_trials, expect("{}").despite) == ("fail", 10, ())


@pytest.mark.parametrize(("text", "message"), [
    ("{energy: {at_most: 3J}}", "energy: energy is not measured by this version"),
    ("{latency_p50: {against: last, at_most: +5%}}", "latency_p50.against: unknown baseline 'last', did you mean "
                                                    "'last-green'? (known: last-green, previous, the id of a run)"),
    ("{size: {against: 7, at_most: +5%}}", "size.against: wanted last-green, previous or the id of a run, found the "
                                           "number 7"),
    ("{latency_p50: {at_most: +5%}}", "latency_p50.at_most: wanted a duration such as 500ms, 1s or 5m, found '+5%'"),
    ("{latency_p50: {against: previous, at_most: +0%}}", "latency_p50.at_most: wanted more than 0, found 0"),
    ("{peak_memory: [{at_most: 1MiB}, {at_most: 100}]}", "peak_memory[1].at_most: wanted a size such as 512KiB or "
                                                         "100MiB, found the number 100, no unit: write 100MiB"),
    ("{size: {at_mots: 1MiB}}", "size: the key 'at_most' is missing"),
    ("{latency_p50: {}}", "latency_p50: the key 'at_most' is missing"),
    ("{latency_p50: []}", "latency_p50: wanted at least 1 entry, found none"),
    ("{latency_p50: 20ms}", "latency_p50: wanted a mapping (`key: value`), found '20ms'"),
    ("{on_inconclusive: ignore}", "on_inconclusive: unknown name 'ignore' (known: pass, fail, retry)"),
    ("{retry_trials: 0}", "retry_trials: wanted at least 1, found the number 0"),
    ("{size: {at_most: 1MiB, model: mm}}", "size.model: this suite has no model 'mm', did you mean 'm'? (known: m, n)"),
    ("{size: {at_most: 1MiB, precision: int9}}", "size.precision: this suite has no precision 'int9', did you mean "
                                                 "'int8'? (known: fp32, int8)"),
    ("{size: [{at_most: 1MiB, runtime: tflite}]}", "size[0].runtime: this suite has no runtime 'tflite' "
                                                   "(known: onnxruntime)"),
    ("{accuracy_drop: {against: fp32, at_most: 1pp, model: n}}", "accuracy_drop.model: the model 'n' has no dataset: "
                                                                 "its accuracy is not measured")])
def test_what_is_wrong_is_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    assert f"s.yaml:6: expect.{message}" in caught.value.message.splitlines()


def test_a_misspelt_key_is_told_once_with_all_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        loaded("{latency_p50: {agianst: previous, at_most: 5ms}}")
    assert caught.value.message == ("s.yaml:6: expect.latency_p50.agianst: unknown key, did you mean 'against'? "
                                    "(known: because, model, device, runtime, precision, at_most, against)")


def test_devices_and_circumstances_are_checked_where_they_are_known() -> None:
    suite = loaded("{despite: [os, oz], size: [{at_most: 1MiB}, {at_most: 1MiB, device: bord}]}")
    with pytest.raises(ConfigError, match=r"expect.size\[1\].device: no device 'bord' .*did you mean 'board'"):
        check_against_devices(suite, parse_devices("version: 1\ndevices: {board: {local: {}}}", Path("d.yaml")))
    with pytest.raises(ConfigError, match=r"expect.despite\[1\]: unknown name 'oz', did you mean 'os'"):
        check_despite(suite, ("os", "runtime"))


@pytest.mark.parametrize(("text", "fits"), [
    ("{latency_p50: [{at_most: 20ms}], size: {against: last-green, at_most: +2%}}", True),
    ("{latency_p50: {at_most: +5%}}", False), ("{latency_p50: {against: last, at_most: +5%}}", False),
    ("{energy: {at_most: 3J}}", False), ("{peak_memory: []}", False)])
def test_the_schema_tells_editors_the_same(text: str, fits: bool) -> None:
    assert (violations(read_yaml(SUITE + text).data, json_schema("suite")) == []) is fits


@pytest.mark.parametrize(("text", "count"), [("1B", 1), ("512KiB", 2**19), ("1.5 MiB", 1.5 * 2**20), ("2GB", 2e9)])
def test_sizes_are_bytes(text: str, count: float) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("parse", [parse_size, parse_points, parse_change])
@given(value=st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.none()))
def test_anything_else_is_refused_in_words(parse: Any, value: object) -> None:
    try:
        assert parse(value) >= 0
    except ValueError as error:
        assert "wanted a" in str(error) or "wanted percentage points" in str(error)
