from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.config.base import Strict
from bench.config.devices import DevicesConfig
from bench.config.load import parse_devices, parse_suite
from bench.config.schema import json_schema
from bench.config.suite import SuiteConfig
from bench.config.yaml import read_yaml
from bench.errors import ConfigError
from tests.fakes.schema import violations

TEXT = (Path(__file__).parents[2] / "docs/config.md").read_text()
EXAMPLES = re.findall(r"```yaml\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)


def test_the_reference_has_examples_of_both_files() -> None:
    assert [name for name, _ in EXAMPLES] == ["devices.yaml", "suites/vision.yaml", "suites/smallest.yaml",
                                             "suites/judged.yaml"]


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_the_examples_of_the_reference_load_and_fit_the_schema(name: str, text: str) -> None:
    data = read_yaml(text).data
    if name == "devices.yaml":
        assert len(parse_devices(text, Path(name)).devices) == len(data["devices"])
        assert violations(data, json_schema("devices")) == []
    else:
        assert parse_suite(text, Path(name), Path("suites")).config.name == Path(name).stem
        assert violations(data, json_schema("suite")) == []


def test_the_errors_shown_in_the_reference_are_the_real_ones() -> None:
    text = ("version: 1\nname: vision\nmodels:\n  mobilenet:\n    # a comment\n    source:\n      onx: m.onnx\n"
            "      onnx: m.onnx\n\nmeasure:\n  min_time: 1\n")
    with pytest.raises(ConfigError) as caught:
        parse_suite(text, Path("suites/vision.yaml"), Path())
    assert f"```\n{caught.value.message}\n```" in TEXT


def _keys(model: type[Strict]) -> set[str]:
    schema = model.model_json_schema()
    return {key for part in [schema, *schema["$defs"].values()] for key in part.get("properties", {})}


@pytest.mark.parametrize("model", [DevicesConfig, SuiteConfig])
def test_every_key_is_explained_in_the_reference(model: type[Strict]) -> None:
    spans = re.findall(r"`([^`\n]+)`", TEXT)
    explained = {word for span in spans for word in re.split(r"[. ]", span)}
    assert _keys(model) - explained == set()
