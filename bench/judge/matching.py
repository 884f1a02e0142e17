"""Which cell of one side is compared with which of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.errors import ConfigError
from bench.results import CellResult

FIELDS: Final = ("device", "model", "format", "precision", "runtime", "delegate", "threads", "batch")
"""What tells cells of a run apart."""
LOOSE: Final = ("delegate", "threads", "batch")
"""Fields in which cells of two runs may differ and still be each other's match, where there is no better one: the
guard then says so."""
_FOLLOWS: Final[dict[str, tuple[str, ...]]] = {"runtime": ("format", "delegate"), "format": ("runtime", "delegate")}
"""What is another too when a field is: a runtime reads a format of its own and has delegates of its own."""


@dataclass(frozen=True)
class Matched:
    """Cells of both sides together, and the rest of each side."""

    pairs: tuple[tuple[CellResult, CellResult], ...]
    only_before: tuple[CellResult, ...]
    only_after: tuple[CellResult, ...]


def match_runs(before: Iterable[CellResult], after: Iterable[CellResult]) -> Matched:
    """Cells of two runs by all `FIELDS`; what is left by all but `LOOSE`, where only one of each side is left."""
    exact = _by_key(list(before), list(after), _key(FIELDS))
    loose = _key([name for name in FIELDS if name not in LOOSE])
    left, right = _alone(exact.only_before, loose), _alone(exact.only_after, loose)
    more = _by_key(left, right, loose)
    taken = {id(cell) for pair in more.pairs for cell in pair}
    return Matched((*exact.pairs, *more.pairs), tuple(cell for cell in exact.only_before if id(cell) not in taken),
                   tuple(cell for cell in exact.only_after if id(cell) not in taken))


def match_parts(cells: Sequence[CellResult], before: Mapping[str, str], after: Mapping[str, str]) -> Matched:
    """Cells of one run that have `before`'s values with those that have `after`'s, all else alike.

    Raises ConfigError where a cell of one side has several matches: the two must then be named more closely.
    """
    named = {*before, *after}
    follow = {name for field in named for name in _FOLLOWS.get(field, ()) if _others(cells, before, after, field)}
    key = _key([name for name in FIELDS if name not in named | follow])
    here, there = ([cell for cell in cells if is_part(cell, part)] for part in (before, after))
    _refuse_several(here, before, key)
    _refuse_several(there, after, key)
    return _by_key(here, there, key)


def is_part(cell: CellResult, part: Mapping[str, str]) -> bool:
    """Whether the cell has all the part's values."""
    return all(str(getattr(cell, name)) == value for name, value in part.items())


def _others(cells: Sequence[CellResult], before: Mapping[str, str], after: Mapping[str, str], field: str) -> bool:
    """Whether the two sides differ in a field at all."""
    values = [{getattr(cell, field) for cell in cells if is_part(cell, part)} for part in (before, after)]
    return values[0] != values[1]


def _refuse_several(cells: Iterable[CellResult], part: Mapping[str, str],
                    key: Callable[[CellResult], tuple[object, ...]]) -> None:
    seen: dict[tuple[object, ...], CellResult] = {}
    for cell in cells:
        other = seen.setdefault(key(cell), cell)
        if other is not cell:
            field = next(name for name in FIELDS if getattr(other, name) != getattr(cell, name))
            name = "/".join(part.values())
            raise ConfigError(f"{name!r} has several cells to compare with one of the other side: {field} "
                              f"{getattr(other, field)} and {getattr(cell, field)}",
                              hint=f"name the {field} too, on both sides, such as {name}/{getattr(other, field)}")


def _by_key(before: Sequence[CellResult], after: Sequence[CellResult],
            key: Callable[[CellResult], tuple[object, ...]]) -> Matched:
    there = {key(cell): cell for cell in after}
    here = {key(cell) for cell in before}
    return Matched(tuple((cell, there[key(cell)]) for cell in before if key(cell) in there),
                   tuple(cell for cell in before if key(cell) not in there),
                   tuple(cell for cell in after if key(cell) not in here))


def _alone(cells: Sequence[CellResult], key: Callable[[CellResult], tuple[object, ...]]) -> list[CellResult]:
    """Those that share their key with no other."""
    keys = [key(cell) for cell in cells]
    return [cell for cell, own in zip(cells, keys, strict=True) if keys.count(own) == 1]


def _key(names: Sequence[str]) -> Callable[[CellResult], tuple[object, ...]]:
    return lambda cell: tuple(getattr(cell, name) for name in names)
