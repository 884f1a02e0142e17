"""Dataclasses of `bench.results` to plain values, as JSON keeps them, and back."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Noun = TypeVar("Noun")
_Build = Callable[[Any], Any]


def to_plain(value: object) -> Any:
    """Dataclasses as dicts, tuples as lists, all else as it is; a field that has its default is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {field.name: to_plain(held) for field, held in fields if held != _default(field)}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(held) for key, held in value.items()}
    return value


def from_plain(kind: type[Noun], plain: Mapping[str, Any]) -> Noun:
    """The dataclass that `to_plain` made `plain` of. Raises TypeError for a field that it has not, or lacks."""
    return cast(Noun, _builder(cast(Hashable, kind))(plain))


def _default(field: dataclasses.Field[Any]) -> object:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


@cache
def _builder(kind: Any) -> _Build:
    """What makes a value of that type from its plain form. A union has at most one part that is nested."""
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        builders = {field.name: _builder(hints[field.name]) for field in dataclasses.fields(kind)}
        needed = {name: build for name, build in builders.items() if build is not _as_it_is}
        return lambda plain: _filled(kind, plain, needed)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        inner = [_builder(part) for part in parts if part is not types.NoneType]
        special = [build for build in inner if build is not _as_it_is]
        return _if_nested(special[0]) if special else _as_it_is
    if origin is tuple:
        item = _builder(parts[0])
        return tuple if item is _as_it_is else lambda plain: tuple(map(item, plain))
    return _as_it_is


def _filled(kind: Any, plain: Mapping[str, Any], needed: Mapping[str, _Build]) -> Any:
    return kind(**{name: needed[name](value) if name in needed else value for name, value in plain.items()})


def _if_nested(build: _Build) -> _Build:
    return lambda plain: build(plain) if isinstance(plain, list | dict) else plain


def _as_it_is(plain: Any) -> Any:
    return plain
