"""What a report is made from: a run's result with what it is set against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.judge.types import Comparison, History
from bench.results import RunResult

if TYPE_CHECKING:
    from bench.store.records import RunRecord
    from bench.store.store import Store


@dataclass(frozen=True)
class Morning:
    """A run, judged: its result (cells with their checks), how it stands to the baseline (the newest green run of the
    suite before it, else the one before it; None for the first), and each cell's history up to it."""

    result: RunResult
    comparison: Comparison | None = None
    history: History = field(default_factory=lambda: History(()))


def gather(store: Store, run: RunRecord) -> Morning:
    """The morning of a stored run: its baseline is the run that it was judged against, else the newest green run of
    its suite before it, else the newest before it. Cells that the guard refuses, and the
    suite does not let pass, are not compared.

    A noise run stands alone: it is compared with nothing and has no history.
    """
    from bench.judge.compare import compare_results, read
    from bench.judge.history import read_history
    from bench.judge.noise import find_floors
    from bench.judge.types import Side

    floors = find_floors(store, run)
    result = read(store, run, floors)
    if run.purpose != "measure":
        return Morning(result)
    baseline = _baseline(store, run)
    comparison = None
    if baseline:
        before = read(store, baseline, floors)
        sides = [Side("run", each.run.id, each.run) for each in (before, result)]
        comparison = compare_results(sides[0], sides[1], (before, result), floors, despite=_let_pass(run))
    return Morning(result, comparison, read_history(store, suite=run.suite, until=run))


def _let_pass(run: RunRecord) -> frozenset[str]:
    """The circumstances that the run's own suite lets differ; none of one that this version cannot read."""
    from pathlib import Path

    from bench.config.load import parse_suite
    from bench.errors import ConfigError

    path = Path(run.suite_path)
    try:
        expect = parse_suite(run.suite_text, path, path.parent).config.expect
    except ConfigError:
        return frozenset()
    return frozenset(expect.despite) if expect else frozenset()


def _baseline(store: Store, run: RunRecord) -> RunRecord | None:
    from bench.judge.sides import last_green

    judged = (run.judgement or {}).get("baseline")
    runs = store.runs()
    named = next((each for each in runs if each.id == judged), None)
    earlier = [each for each in runs if each.suite == run.suite and (each.started, each.id) < (run.started, run.id)]
    return named or last_green(store, run.suite, before=run) or next(iter(earlier), None)
