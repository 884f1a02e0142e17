"""Whatever stands in a file: a config, or one ConfigError that says where."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config.check import check_files
from bench.config.load import load_devices, load_suite, parse_devices, parse_suite
from bench.config.problems import quoted
from bench.config.yaml import read_yaml
from bench.errors import ConfigError

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/config.md").read_text(), re.DOTALL)
KEYS = sorted(set(re.findall(r"\w+(?=:)", "".join(EXAMPLES))) | {"runtime_options", "options", "delegates", "value"})
JARGON = re.compile(r"Input should|pydantic|valid (string|integer|number|dictionary|tuple)|validation|_type|\bdict\b|"
                    r"another value|None|Traceback|PosixPath", re.ASCII)
SCALARS = (st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
           | st.sampled_from(["fp32", "1s", "onnx", "tflite", "a:b", "fp23", "~", "~x/y", "", "\0", "5%", "1pp"]))
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4)
                     | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=5), max_leaves=20)
PLAIN_TEXT = st.text(st.characters(max_codepoint=0x7e), max_size=20)
PIECES = st.sampled_from(["", " ", "\n", "\t", ":", "- ", "[", "]", "{", "}", "&a ", "*a", "!t ", "'", '"', "|", ">",
                          "? ", "%", "#", "\n---\n", "1", "true", "~", "x: ", "<<: ", "\\", ","])


def check(text: str) -> None:
    """Both kinds of file read `text`, or refuse it in lines of our own words with their numbers."""
    for parse in (lambda: parse_suite(text, Path("f.yaml"), Path()), lambda: parse_devices(text, Path("f.yaml"))):
        try:
            parse()
        except ConfigError as error:
            for line in error.message.split("\n"):
                assert re.match(r"f\.yaml:[1-9]\d*: .", line), line
                words = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
                assert not JARGON.search(words), line


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    check(text)


@given(st.lists(PIECES, max_size=40))
def test_any_pile_of_yaml_signs_is_read_or_refused(pieces: list[str]) -> None:
    check("".join(pieces))


@given(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6))
@settings(max_examples=300)
def test_any_tree_is_read_or_refused(tree: dict[str, Any]) -> None:
    check(json.dumps(tree))


@given(st.sampled_from(EXAMPLES), st.data())
@settings(max_examples=300)
def test_any_damage_to_a_good_file_is_read_or_refused(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(PIECES | st.text(max_size=3)) + text[end:]
    check(text)


@given(st.sampled_from(EXAMPLES), st.data())
@settings(max_examples=300)
def test_any_value_in_place_of_a_good_one_is_read_or_refused(text: str, data: st.DataObject) -> None:
    tree = read_yaml(text).data
    node, key = tree, data.draw(st.sampled_from(sorted(tree)))
    while isinstance(node[key], dict) and node[key] and data.draw(st.booleans()):
        node, key = node[key], data.draw(st.sampled_from(sorted(node[key])))
    node[key] = data.draw(TREES)
    check(json.dumps(tree))


@given(content=st.binary(max_size=200))
@settings(max_examples=50)
def test_any_file_is_read_or_refused(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "f.yaml"
    path.write_bytes(content)
    for load in (load_suite, load_devices):
        try:
            load(path)
        except ConfigError as error:
            assert error.message.startswith(f"{path}:")


@given(st.text(min_size=1, max_size=50))
def test_any_path_of_a_model_is_looked_up_or_refused(path: str) -> None:
    text = "version: 1\nname: s\nmodels: {m: {source: {onnx: " + json.dumps(path) + "}}}"
    try:
        check_files(parse_suite(text, Path("f.yaml"), ROOT))
    except ConfigError as error:
        assert error.message.startswith("f.yaml:")


@given(st.recursive(st.none() | st.booleans() | st.integers(-10**17, 10**17) | PLAIN_TEXT, lambda inner: st.lists(
    inner, max_size=4) | st.dictionaries(PLAIN_TEXT, inner, max_size=4), max_leaves=20))
def test_yaml_reads_what_json_wrote(tree: Any) -> None:
    data = read_yaml(json.dumps(tree)).data
    assert data == tree
    assert json.dumps(data) == json.dumps(tree)


@given(st.text())
def test_quoted_text_is_one_short_line(text: str) -> None:
    assert quoted(text).isprintable()
    assert len(quoted(text)) < 700
