"""YAML 1.2 as plain data, together with the line that every value stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_BYTES: Final = 1 << 20
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 32
MAX_LINE: Final = 20_000
MERGE: Final = "<<"

Place = tuple[str | int, ...]
"""The keys and positions that lead to a value: ("exclude", 0, "model")."""

_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,400}|[0-9]{1,400}(\.[0-9]{0,400})?)([eE][-+]?[0-9]{1,3})?")

_WORDS: Final = (
    ("'\\t'", "wanted spaces for indentation, found a tab"),
    ("end of stream", "what begins here is never closed"),
    ("stream end", "the file ends before what is opened here or above is closed"),
    ("mapping values are not allowed", "wanted one `key: value` a line, found another ':'; quote text that holds one"),
    ("expected <block end>", "the indentation is not that of the lines above"),
    ("could not find expected ':'", "wanted `key: value`, found no ':'"),
)
"""What the parser says, and the same for people."""


class YamlError(Exception):
    """The text is not the YAML that is wanted: on which line (from 1), and why."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


@dataclass(frozen=True)
class Document:
    """A file's data: dicts with text keys, lists, str, int, float, bool, None. Infinity and NaN stay text.

    `lines` maps the place of every value to its line, which is its key's for a value in a mapping. `written` holds
    numbers and the like as they stand in the file (0123, True). `repeated` lists each key that occurs again, with the
    line of this occurrence and of the first; the first one's value counts.
    """

    data: Any
    lines: Mapping[Place, int]
    written: Mapping[Place, str]
    repeated: tuple[tuple[Place, int, int], ...] = ()

    def line(self, place: Place) -> int:
        """The line of the value at `place`, or of the innermost one around it that exists."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


@dataclass(frozen=True)
class _Node:
    """A value as parsed: children of a mapping come with their key, those of a list with their position."""

    line: int
    value: Any
    written: str | None = None
    children: tuple[tuple[str | int, _Node], ...] = ()
    repeated: tuple[tuple[str, int, int], ...] = ()


def read_yaml(text: str) -> Document:
    """`text` read as one YAML document. Raises YamlError for what is no YAML, and for more of it than anybody writes:
    tags, several documents, lines of over 20,000 characters, over 32 levels, over 20,000 values (aliases counted as
    often as they are used)."""
    _check_text(text)
    root = _Builder(text).document()
    reading = _Reading()
    data = reading.take(root, (), root.line)
    return Document(data, reading.lines, reading.written, tuple(reading.repeated))


def _check_text(text: str) -> None:
    bad = _UNREADABLE.search(text)
    if bad is not None:
        line = text.count("\n", 0, bad.start()) + 1
        raise YamlError(line, f"wanted text, found the character U+{ord(bad[0]):04X}, which no text has")
    for number, line_text in enumerate(text.split("\n"), start=1):
        if len(line_text) > MAX_LINE:
            raise YamlError(number, f"wanted lines of at most {MAX_LINE:,} characters, found {len(line_text):,}")


class _Builder:
    """Parser events made into nodes; lives for one text."""

    def __init__(self, text: str) -> None:
        self._events = _events(text)
        self._anchors: dict[str, _Node] = {}
        self._count = 0

    def document(self) -> _Node:
        next(self._events)
        if _kind(next(self._events)) == "StreamEnd":
            raise YamlError(1, "the file is empty")
        root = self._node(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if _kind(after) != "StreamEnd":
            raise YamlError(_line(after), "wanted one YAML document, found a second one")
        return root

    def _node(self, event: Any, depth: int) -> _Node:
        self._count += 1
        if self._count > MAX_NODES:
            raise YamlError(_line(event), f"wanted at most {MAX_NODES:,} values, found more")
        if depth > MAX_DEPTH:
            raise YamlError(_line(event), f"wanted at most {MAX_DEPTH} levels of nesting, found more")
        if _kind(event) == "Alias":
            return self._alias(event)
        if event.tag is not None and event.tag != "!":
            raise YamlError(_line(event), f"wanted a plain value, found the tag {_tag(event)}")
        node = {"Scalar": _scalar, "SequenceStart": self._sequence, "MappingStart": self._mapping}[_kind(event)](
            event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> _Node:
        if event.anchor not in self._anchors:
            raise YamlError(_line(event), f"wanted an anchor &{_short(event.anchor)} that ends above this line, "
                                          "found none")
        return self._anchors[event.anchor]

    def _sequence(self, start: Any, depth: int) -> _Node:
        children: list[tuple[str | int, _Node]] = []
        while _kind(event := next(self._events)) != "SequenceEnd":
            children.append((len(children), self._node(event, depth + 1)))
        return _Node(_line(start), [], children=tuple(children))

    def _mapping(self, start: Any, depth: int) -> _Node:
        children: dict[str, _Node] = {}
        merged: list[tuple[int, _Node]] = []
        repeated = []
        while _kind(event := next(self._events)) != "MappingEnd":
            if _kind(event) != "Scalar" or (event.tag is not None and event.tag != "!"):
                raise YamlError(_line(event), "wanted a plain text key, found something else")
            key, line, plain = _text(event), _line(event), event.style is None
            value = self._node(next(self._events), depth + 1)
            if key == MERGE and plain:
                merged.append((line, value))
            elif key in children:
                repeated.append((key, line, children[key].line))
            else:
                children[key] = _Node(line, value.value, value.written, value.children, value.repeated)
        for line, value in merged:
            children = {**self._merged(line, value), **children}
        return _Node(_line(start), {}, children=tuple(children.items()), repeated=tuple(repeated))

    def _merged(self, line: int, value: _Node) -> dict[str, _Node]:
        """What `<<: *anchor` or `<<: [*first, *second]` brings into a mapping; of several the first counts.

        Source: https://yaml.org/type/merge.html.
        """
        sources = [child for _, child in value.children] if isinstance(value.value, list) else [value]
        if not sources or not all(isinstance(each.value, dict) for each in sources):
            raise YamlError(line, "wanted a mapping to merge, or a list of them, as in `<<: *defaults`, found "
                                  "something else")
        self._count += sum(len(each.children) for each in sources)
        if self._count > MAX_NODES:
            raise YamlError(line, f"wanted at most {MAX_NODES:,} values, found more once the merged ones are put in")
        return {str(key): child for each in reversed(sources) for key, child in each.children}


def _scalar(event: Any, depth: int) -> _Node:
    """A scalar by YAML 1.2's core schema; quoted ones and what the schema does not know are text."""
    text = _text(event)
    plain = event.style is None and event.implicit[0]
    value = _resolve(text) if plain else text
    return _Node(_line(event), value, None if isinstance(value, str) else text)


def _text(event: Any) -> str:
    if _SURROGATE.search(event.value):
        raise YamlError(_line(event), "wanted text, found half of a surrogate pair")
    return str(event.value)


def _resolve(text: str) -> str | int | float | bool | None:
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        number = float(text)
        return text if abs(number) == float("inf") else number
    return text


@dataclass
class _Reading:
    """Data and places collected from nodes, each alias as often as it is used; lives for one document."""

    lines: dict[Place, int] = field(default_factory=dict)
    written: dict[Place, str] = field(default_factory=dict)
    repeated: list[tuple[Place, int, int]] = field(default_factory=list)

    def take(self, node: _Node, place: Place, line: int) -> Any:
        if len(self.lines) >= MAX_NODES or len(place) > MAX_DEPTH:
            raise YamlError(line, f"wanted at most {MAX_NODES:,} values in {MAX_DEPTH} levels, "
                                  "found more once the aliases are put in")
        self.lines[place] = node.line
        if node.written is not None:
            self.written[place] = node.written
        self.repeated += [((*place, key), again, first) for key, again, first in node.repeated]
        if isinstance(node.value, dict):
            return {key: self.take(child, (*place, key), line) for key, child in node.children}
        if isinstance(node.value, list):
            return [self.take(child, (*place, key), line) for key, child in node.children]
        return node.value


def _events(text: str) -> Iterator[Any]:
    """The parser's events for `text`, its errors as YamlError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yield from YAML(typ="safe", pure=True, plug_ins=[]).parse(text)
    except MarkedYAMLError as error:
        problem = error.problem or "unreadable"
        ended = "end of stream" in problem or "stream end" in problem
        mark = (ended and error.context_mark) or error.problem_mark or error.context_mark
        raise YamlError(1 if mark is None else mark.line + 1, _in_our_words(problem)) from None
    except (YAMLError, ValueError) as error:
        raise YamlError(1, f"not YAML: {str(error).splitlines()[0]}") from None


def _in_our_words(problem: str) -> str:
    for sign, words in _WORDS:
        if sign in problem:
            return words
    return f"not YAML: {' '.join(problem.split())}"


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _tag(event: Any) -> str:
    return repr(_short(str(event.tag).replace("tag:yaml.org,2002:", "!!")))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
