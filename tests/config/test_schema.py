from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bench import words
from bench.config import suite
from bench.config.load import load_devices, parse_suite
from bench.config.schema import Which, json_schema
from bench.config.yaml import read_yaml
from bench.report.json import to_json
from bench.report.morning import Morning
from bench.results import RunResult
from tests.fakes.results import hostile, typical
from tests.fakes.schema import violations

ROOT = Path(__file__).parents[2]
SUITE = "version: 1\nname: s\nmodels: {m: {source: {onnx: m}}}\n"


@pytest.mark.parametrize("which", get_args(Which))
def test_every_schema_says_what_it_is(which: Which) -> None:
    schema = json_schema(which)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == f"bench: {which}"
    assert schema["description"]
    assert schema["type"] == "object"


def test_the_committed_devices_file_loads_and_fits_its_schema() -> None:
    assert list(load_devices(ROOT / "devices.yaml").devices) == ["this-machine"]
    assert violations(read_yaml((ROOT / "devices.yaml").read_text()).data, json_schema("devices")) == []


def test_the_commented_examples_of_the_devices_file_load(tmp_path: Path) -> None:
    text = (ROOT / "devices.yaml").read_text()
    (tmp_path / "devices.yaml").write_text(re.sub(r"(?m)^( *)# (?=[ a-z0-9-]+:)", r"\1", text))
    config = load_devices(tmp_path / "devices.yaml")
    assert {name: device.transport for name, device in config.devices.items()} == {
        "this-machine": "local", "orin-nano": "ssh", "pixel-8": "adb"}
    assert config.defaults.cooldown is not None


@pytest.mark.parametrize("more", [
    "nmae: x", "precisions: [int9]", "precisions: []", "threads: [0]", "measure: {min_time: 1}",
    "devices: {labels: {a: 1}}", "runtime_options: {tflight: {}}", "exclude: [{model: m}]"])
def test_what_the_loader_refuses_the_schema_refuses(more: str) -> None:
    assert violations(read_yaml(SUITE + more).data, json_schema("suite"))


def test_a_source_of_two_kinds_breaks_the_schema() -> None:
    document = read_yaml(SUITE.replace("onnx: m", "onnx: m, tflite: n"))
    assert violations(document.data, json_schema("suite"))


def test_defaults_in_the_schema_are_written_as_users_write_them() -> None:
    measure = json_schema("suite")["$defs"]["MeasureConfig"]["properties"]
    assert measure["timeout"]["default"] == "5m"
    assert measure["trials"]["default"] == parse_suite(SUITE, Path("s.yaml"), Path()).config.measure.trials


@pytest.mark.parametrize("result", [typical(), hostile()], ids=["typical", "hostile"])
def test_results_as_written_fit_their_schema_and_hold_every_key_of_it(result: RunResult) -> None:
    schema, written = json_schema("results"), to_json(Morning(result))
    assert violations(written, schema) == []
    assert list(written) == list(schema["properties"])
    cells = written["cells"]
    assert isinstance(cells, list) and cells
    assert all(set(cell) == set(schema["$defs"]["CellResult"]["properties"]) for cell in cells)


def test_the_words_of_the_models_are_those_of_the_field() -> None:
    assert get_args(suite.Format) == words.FORMATS
    assert get_args(suite.Precision) == words.PRECISIONS
    assert get_args(suite.Runtime) == words.RUNTIMES
    assert set(get_args(suite.Runtime)) == set(words.DELEGATES_OF_RUNTIME)
