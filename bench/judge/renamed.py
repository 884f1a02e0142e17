"""Models that go by another name than in an earlier run: said to be so in the suite (`was:`), or seeming so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.judge.matching import Matched
from bench.results import CellResult, RunInfo


@dataclass(frozen=True)
class Named:
    """Cells of two runs, those of renamed models under their newer name, and what was renamed, in words."""

    before: Sequence[CellResult]
    after: Sequence[CellResult]
    remarks: tuple[str, ...] = ()


def with_new_names(before: Sequence[CellResult], after: Sequence[CellResult], one: RunInfo, other: RunInfo) -> Named:
    """The cells of both runs by the names that the later suite gives their models."""
    earlier, remarks = _renamed(before, after, one, other)
    later, more = _renamed(after, before, other, one)
    return Named(earlier, later, (*remarks, *more))


def new_names(was: object, here: Iterable[str], there: Iterable[str]) -> dict[str, str]:
    """The models that are here under an old name and there under the new one, old to new; `was` is what a run's
    settings say: new names with lists of old ones."""
    if not isinstance(was, Mapping):
        return {}
    mine, others = set(here), set(there)
    return {old: new for new, names in was.items() for old in list(names)[::-1]
            if old in mine and new in others and new not in mine and old not in others}


def seem_renamed(matched: Matched, one: RunInfo, other: RunInfo) -> tuple[str, ...]:
    """For each model that is gone, and a new one that was made from the same file, which no other model was: how to say
    that they are one."""
    both = {cell.model for pair in matched.pairs for cell in pair}
    shared = {cell.source for pair in matched.pairs for cell in pair}
    gone, new = (_sources(cells, both) for cells in (matched.only_before, matched.only_after))
    found = []
    for old, source in gone.items():
        alike = [name for name, of in new.items() if of == source]
        if source not in shared and len(alike) == 1 and list(gone.values()).count(source) == 1:
            found.append(f"model {alike[0]} of run {other.id} has the same file as {old} of run {one.id}: renamed? "
                         f"`was: {old}` under models.{alike[0]} in the suite compares them as one")
    return tuple(found)


def _sources(cells: Iterable[CellResult], both: set[str]) -> dict[str, str]:
    """The models that only these cells have, with the sha256 of what they were made from."""
    return {cell.model: cell.source for cell in cells if cell.source and cell.model not in both}


def _renamed(here: Sequence[CellResult], there: Sequence[CellResult], run: RunInfo,
             newer: RunInfo) -> tuple[Sequence[CellResult], tuple[str, ...]]:
    """The cells of a run, by the names that another run's suite says its models have now."""
    known = new_names(newer.settings.get("was"), (cell.model for cell in here), (cell.model for cell in there))
    if not known:
        return here, ()
    cells = [replace(cell, model=known.get(cell.model, cell.model)) for cell in here]
    return cells, tuple(f"model {new} was named {old} in run {run.id}" for old, new in known.items())
