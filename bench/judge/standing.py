"""How cells stand in an earlier run: what was expected of them was met, was not, or nothing was expected of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from bench.config.expect import Metric
from bench.results import CellResult
from bench.store.records import RunRecord

_NO_HISTORY: Final = (" against previous", " against fp32")
"""Keeping within these of a run, or of fp32, rules out no regression since the last green result."""


@dataclass(frozen=True)
class Standing:
    """Cells of an earlier run, by their names and for one metric.

    `met`: held against an earlier run, or with none before it to be held against, and not worse than it may be.
    `judged`: those, and those that were held against one with another outcome. `spoiled`: of which something was
    broken or not judged, or a regression inconclusive: it was not ruled out, and a later one would be added to it (an
    inconclusive limit is no regression). `ended`: whether the run was judged at all.
    """

    run: RunRecord
    met: frozenset[str]
    judged: frozenset[str]
    spoiled: frozenset[str]
    ended: bool

    @property
    def when(self) -> tuple[float, str, str]:
        """What runs are ordered by."""
        return self.run.order

    def may_have_met(self, cell: str) -> bool:
        """Whether a cell of that name, or where there was none one that may be its match, met what was expected."""
        return cell in self.met or (cell not in self.judged and loosely(cell) in self._loosely_met)

    @cached_property
    def _loosely_met(self) -> frozenset[str]:
        return frozenset(map(loosely, self.met))

    def is_open(self, cell: str) -> bool:
        """Whether nothing was expected of a cell of that name that could tell a regression: neither green nor red."""
        return self.ended and cell not in self.judged and cell not in self.spoiled


def standing_of(run: RunRecord, metric: Metric | None) -> Standing:
    """How the run's cells stand for that metric. Without one no expectation counts but those that were not met: all
    others are open."""
    judgement = run.judgement or {}
    outcomes: list[Mapping[str, Any]] = judgement.get("outcomes") or []
    mine = [each for each in outcomes if metric in (None, each["expectation"])]
    spoiled = frozenset(each["cell"] for each in mine if _spoils(each))
    against = [each for each in mine if metric is not None and _tells_regression(each)]
    judged = frozenset(each["cell"] for each in against)
    met = frozenset(each["cell"] for each in against if each["state"] == "kept") - spoiled
    return Standing(run, met, judged, spoiled, bool(outcomes) or judgement.get("state") in ("green", "none"))


def was_held_against_earlier(run: RunRecord) -> bool:
    """Whether anything of the run was held against an earlier one, or would have been had there been one."""
    return any(map(_tells_regression, (run.judgement or {}).get("outcomes") or []))


def first_judged(past: Sequence[Standing], names: Sequence[str]) -> tuple[float, str, str]:
    """When a cell of one of these names was first held against an earlier run; after all runs where it never was."""
    judged = (standing.when for standing in past if not standing.judged.isdisjoint(names))
    return min(judged, default=(math.inf, "", ""))


def names_of(cell: CellResult, was: object) -> tuple[str, ...]:
    """What the cell is named, and was before its model was renamed (`was`: new names with lists of old ones)."""
    old: Sequence[str] = was.get(cell.model, ()) if isinstance(was, Mapping) else ()
    return (cell.cell, *(f"{model}{cell.cell.removeprefix(cell.model)}" for model in old))


def loosely(name: str) -> str:
    """A cell's name without its delegate and threads: cells that have this in common may be each other's match."""
    rest, _, device = name.rpartition("@")
    *parts, runtime, _threads = ["", "", *rest.split("/")]
    return f"{'/'.join(parts)}/{runtime.partition('-')[0]}@{device}"


def _spoils(outcome: Mapping[str, Any]) -> bool:
    return outcome["state"] in ("broken", "not judged") or (
        outcome["state"] == "inconclusive" and " against " in outcome.get("limit", ""))


def _tells_regression(outcome: Mapping[str, Any]) -> bool:
    limit = str(outcome.get("limit", ""))
    return " against " in limit and not limit.endswith(_NO_HISTORY)
