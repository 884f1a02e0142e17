"""What the models refuse, in the words of people who write the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from bench.config.base import LINE_PATTERN, NAME_PATTERN, WORD_PATTERN
from bench.config.devices import WORKDIR_PATTERN
from bench.config.problems import MAX_LISTED, Problem, found, quoted, suggest
from bench.config.quantities import format_duration
from bench.config.suite import FACTORY_PATTERN
from bench.config.yaml import Document, Place

_WANTED_BY_TYPE: Final = {
    "bool_type": "true or false",
    "dict_type": "a mapping (`key: value`)",
    "finite_number": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "model_type": "a mapping (`key: value`)",
    "string_type": "text",
    "tuple_type": "a list such as [a, b]",
}
_WANTED_BY_PATTERN: Final = {
    NAME_PATTERN: "a name of at most 64 lower-case letters, digits, '.', '_' and '-', a letter or digit first",
    LINE_PATTERN: "one line of text",
    WORD_PATTERN: "text without spaces that does not start with '-'",
    FACTORY_PATTERN: "module:function, such as mymodels.vision:mobilenet",
    WORKDIR_PATTERN: "a folder on the device that starts with / or ~/",
}
_LATER: Final = {("expect", "energy"): "energy is not measured by this version"}
"""Keys that are wished for and not there yet."""
_KEY: Final = "[key]"


def problems_of(error: ValidationError, document: Document, model: type[BaseModel]) -> Iterator[Problem]:
    """The problems in a ValidationError of `model` on `document`, in the file's order; a few more than are listed."""
    details = [(_place(detail["loc"], document.data), detail)
               for detail in error.errors(include_url=False, include_input=False)]
    real = [(place, detail) for place, detail in details if not _is_echo(place, detail, document.data)]
    real.sort(key=lambda pair: document.line(pair[0]))
    for place, detail in real[:MAX_LISTED * 4]:
        yield _problem(place, detail, document, model)


def _is_echo(place: Place, detail: Any, data: Any) -> bool:
    """Whether a list is called too short only because its wrong entries, problems of their own, do not count."""
    if detail["type"] != "too_short":
        return False
    value = _value_at(data, place)
    return isinstance(value, list | dict) and len(value) >= detail["ctx"]["min_length"]


def _place(location: tuple[str | int, ...], data: Any) -> Place:
    """pydantic's location without the names of union members, which are no part of the file."""
    place: list[str | int] = []
    for index, step in enumerate(location):
        is_last = index == len(location) - 1
        if _child(data, step) is not None or (isinstance(data, dict) and step in data):
            place.append(step)
            data = _child(data, step)
        elif is_last and step != _KEY and not str(step).startswith("("):
            place.append(step)
    return tuple(place)


def _child(data: Any, step: str | int) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _problem(place: Place, detail: Any, document: Document, model: type[BaseModel]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return Problem(place[:-1], f"the key {place[-1]!r} is missing")
    if kind == "extra_forbidden":
        if place in _LATER:
            return Problem(place, _LATER[place])
        known = _fields_at(model, place[:-1])
        return Problem(place, f"unknown key{suggest(str(place[-1]), known)}")
    if kind == "value_error":
        return Problem(place, str(context["error"]))
    value = str(place[-1]) if detail["loc"][-1] == _KEY else _value_at(document.data, place)
    if kind == "literal_error":
        expected = str(context["expected"]) + (", 'a list such as [4, 5]'" if "(kind)" in detail["loc"] else "")
        return Problem(place, _not_in(expected, value, document.written.get(place)))
    written = None if isinstance(value, str) else document.written.get(place)
    return Problem(place, f"wanted {_wanted(kind, context, value)}, found {_found(kind, value, written)}")


def _wanted(kind: str, context: Mapping[str, Any], value: Any) -> str:
    if kind == "string_pattern_mismatch":
        return _WANTED_BY_PATTERN.get(context["pattern"], f"text like {context['pattern']}")
    if kind == "too_short":
        return f"at least {context['min_length']} {'entry' if context['min_length'] == 1 else 'entries'}"
    limits = {"greater_than_equal": ("ge", "at least"), "greater_than": ("gt", "more than"),
              "less_than_equal": ("le", "at most")}
    if kind in limits:
        key, words = limits[kind]
        limit = context[key]
        return f"{words} {format_duration(limit) if isinstance(value, str) else f'{limit:,}'}"
    return _WANTED_BY_TYPE.get(kind, "another value")


def _found(kind: str, value: Any, written: str | None) -> str:
    if kind == "too_short" and isinstance(value, list | dict):
        return str(len(value) or "none")
    text = found(value, written)
    if kind == "string_type" and isinstance(value, int | float):
        return f'{text}: quote it, "{written}"'
    return text


def _not_in(expected: str, value: Any, written: str | None) -> str:
    known = re.findall(r"'([^']*)'", expected)
    if not known:
        return f"wanted {expected}, found {found(value, written)}"
    if isinstance(value, str):
        return f"unknown name {quoted(value)}{suggest(value, known)}"
    return f"wanted one of {', '.join(known)}, found {found(value, written)}"


def _value_at(data: Any, place: Place) -> Any:
    for step in place:
        data = _child(data, step)
    return data


def _fields_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that the model at `place` below `model` knows."""
    kinds: list[Any] = [model]
    for step in place:
        kinds = [inner for kind in kinds for inner in _inner(kind, step)]
    return list(dict.fromkeys(key for kind in kinds if _is_model(kind) for key in kind.model_fields))


def _inner(kind: Any, step: str | int) -> list[Any]:
    """The types that a value of type `kind` can hold at `step`."""
    if _is_model(kind):
        return _members(kind.model_fields[step].annotation) if step in kind.model_fields else []
    origin = get_origin(kind)
    return _members(get_args(kind)[-1 if origin is dict else 0]) if origin in (dict, tuple) else []


def _members(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [member for argument in get_args(annotation) for member in _members(argument)]
    return [annotation]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
