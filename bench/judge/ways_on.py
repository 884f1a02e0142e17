"""What to do where a change of conditions keeps cells from being judged: it may last, and no night would be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.collect.circumstances import CONTENTION
from bench.judge.types import Comparison
from bench.results import Outcome
from bench.words import counted


def ways_on(against: str, comparisons: Mapping[str, Comparison], outcomes: Sequence[Outcome]) -> list[str]:
    """A note for each set of conditions that changed; `against` is what the suite calls the baseline, `comparisons`
    are by metric. Of what others' work on a device hinders nothing is said: it is measured again."""
    waiting = {(outcome.expectation, outcome.cell) for outcome in outcomes if outcome.state == "not judged"}
    changed: dict[tuple[str, ...], dict[str, str]] = {}
    for metric, comparison in comparisons.items():
        for refused in comparison.refused:
            names = tuple(item.name for item in refused.differences if item.name != CONTENTION)
            if names and (metric, refused.after.cell) in waiting:
                changed.setdefault(names, {})[refused.after.cell] = comparison.after.run.id
    return [_note(against, names, cells) for names, cells in changed.items()]


def _note(against: str, names: Sequence[str], cells: Mapping[str, str]) -> str:
    listed, run = ", ".join(names), next(iter(cells.values()))
    accept = f"hold the next run against this one with `--baseline {run}`, or " if against == "last-green" else ""
    return (f"{listed} changed: {counted(len(cells), 'cell')} cannot be compared with {against}, nor can later runs. "
            f"To accept the change, {accept}write `despite: [{listed}]` under expect: in the suite")
