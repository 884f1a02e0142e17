from __future__ import annotations

import time

import pytest

from bench.config.yaml import MAX_BYTES, YamlError, read_yaml

LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10))


def test_scalars_follow_the_core_schema_of_yaml_1_2() -> None:
    text = ("a: 0123\nb: no\nc: 12:30\nd: ~\ne:\nf: 'x'\ng: 0x1f\nh: 1e3\ni: True\nj: .inf\nk: 1_000\n"
            "l: 2024-01-01\nm: 0o17\n")
    assert read_yaml(text).data == {
        "a": 123, "b": "no", "c": "12:30", "d": None, "e": None, "f": "x", "g": 31, "h": 1000.0, "i": True,
        "j": ".inf", "k": "1_000", "l": "2024-01-01", "m": 15}


def test_keys_are_text_as_written() -> None:
    assert read_yaml("007: a\ntrue: b\n'': c").data == {"007": "a", "true": "b", "": "c"}


def test_every_value_knows_its_line_and_how_numbers_were_written() -> None:
    document = read_yaml("# a comment\na:\n  b: 0123\n  c:\n    - x\n    - {d: 1.50}\n")
    assert document.line(("a",)) == 2
    assert document.line(("a", "b")) == 3
    assert document.line(("a", "c", 0)) == 5
    assert document.line(("a", "c", 1, "d")) == 6
    assert document.written[("a", "b")] == "0123"
    assert document.written[("a", "c", 1, "d")] == "1.50"


def test_the_line_of_what_does_not_exist_is_that_of_what_is_around_it() -> None:
    assert read_yaml("x: 1\na:\n  b: 1\n").line(("a", "z", 3)) == 2


def test_aliases_stand_for_the_value_they_name() -> None:
    document = read_yaml("a: &one {x: 1}\nb: *one\n")
    assert document.data == {"a": {"x": 1}, "b": {"x": 1}}
    assert document.line(("b",)) == 2


@pytest.mark.parametrize(("text", "data"), [
    ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"x": 1, "y": 3}),
    ("a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}", {"x": 1, "y": 3}),
    ("a: &a {x: 1}\nc: &c {x: 2, z: 5}\nb: {<<: [*a, *c]}", {"x": 1, "z": 5}),
    ("a: &a {x: 1}\nb: {<<: *a, <<: {x: 7, w: 0}}", {"x": 1, "w": 0}),
    ("b: {'<<': 1}", {"<<": 1})])
def test_merged_keys_come_in_where_a_mapping_has_none_of_its_own(text: str, data: object) -> None:
    assert read_yaml(text).data["b"] == data


def test_a_merged_value_has_the_line_on_which_it_is_written() -> None:
    assert read_yaml("a: &a\n  x: 1\nb:\n  <<: *a\n").line(("b", "x")) == 2


def test_repeated_keys_are_listed_with_both_lines() -> None:
    document = read_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert document.data == {"a": 1, "b": {"c": 1}}
    assert document.repeated == ((("a",), 3, 1), (("b", "c"), 2, 2))


@pytest.mark.parametrize(("text", "line", "why"), [
    ("", 1, "the file is empty"),
    ("# only this\n", 1, "the file is empty"),
    ("a: 1\n---\nb: 2\n", 2, "wanted one YAML document, found a second one"),
    ("a:\n\tb: 1\n", 2, "wanted spaces for indentation, found a tab"),
    ("a: b: c\n", 1, "wanted one `key: value` a line, found another ':'; quote text that holds one"),
    ("a: 1\nb: [1,\n", 3, "the file ends before what is opened here or above is closed"),
    ("a: 1\nb: 'x\nc: d\n", 2, "what begins here is never closed"),
    ("a:\n  b: 1\n c: 2\n", 3, "the indentation is not that of the lines above"),
    ("a: 1\nb\nc: 1\n", 3, "wanted `key: value`, found no ':'"),
    ("a: @b", 1, "not YAML: found character '@' that cannot start any token"),
    ("a: !!python/object 1", 1, "wanted a plain value, found the tag '!!python/object'"),
    ("a: 1\nb: *x", 2, "wanted an anchor &x that ends above this line, found none"),
    ("a: &x [*x]", 1, "wanted an anchor &x that ends above this line, found none"),
    ("a: 1\nb: {<<: 1}", 2,
     "wanted a mapping to merge, or a list of them, as in `<<: *defaults`, found something else"),
    ("a: &a {" + ", ".join(f"k{i}: 0" for i in range(1000)) + "}\nb: {<<: [" + "*a, " * 1000 + "]}", 2,
     "wanted at most 20,000 values, found more once the merged ones are put in"),
    ("? [1]\n: 2", 1, "wanted a plain text key, found something else"),
    ("a: 1\nb: x\x00y", 2, "wanted text, found the character U+0000, which no text has"),
    ('a: "\\ud800"', 1, "wanted text, found half of a surrogate pair"),
    ("a: 1\nb: " + "x" * 20_000, 2, "wanted lines of at most 20,000 characters, found 20,003"),
    ("[" * 40, 1, "wanted at most 32 levels of nesting, found more"),
    ("- a\n" * 20_001, 20_000, "wanted at most 20,000 values, found more"),
    (LAUGHS, 1, "wanted at most 20,000 values in 32 levels, found more once the aliases are put in"),
])
def test_what_is_refused_says_where_and_why(text: str, line: int, why: str) -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml(text)
    assert (caught.value.line, caught.value.text) == (line, why)


@pytest.mark.parametrize("text", [
    "a:\n" + " x\n" * (MAX_BYTES // 3), 'a: "' + "x\n" * (MAX_BYTES // 2) + '"', "'" + "\n" * MAX_BYTES,
    "- " * 9000 + "\n" + "? " * 9000, ("[" * 31 + "\n") * 30_000, ("{a: " * 31 + "\n") * 8000, "!" * 19_000,
    "%YAML 1." + "1" * 19_000, LAUGHS, "# x\n" * (MAX_BYTES // 4), '"' + "\\x41" * 4900 + '"',
    "[" + "a: 1,\n" * (MAX_BYTES // 6), "[" + "&a a,\n" * (MAX_BYTES // 6), "k: |\n" + " x\n" * (MAX_BYTES // 3),
], ids=range(14))
def test_a_file_made_to_be_slow_is_done_with_in_seconds(text: str) -> None:
    start = time.process_time()
    try:
        read_yaml(text)
    except YamlError as error:
        assert error.line >= 1
    assert time.process_time() - start < 10
