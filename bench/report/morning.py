"""What a report is made from: a run's result with what it is set against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.judge.types import Comparison, History
from bench.results import RunResult

if TYPE_CHECKING:
    from bench.judge.noise import Floors
    from bench.store.records import RunRecord
    from bench.store.store import Store


@dataclass(frozen=True)
class Morning:
    """A run, judged: its result (cells with their checks), how its cells stand to their baselines (None for the first
    run of a suite), and each cell's history up to it."""

    result: RunResult
    comparison: Comparison | None = None
    history: History = field(default_factory=lambda: History(()))


def gather(store: Store, run: RunRecord) -> Morning:
    """The morning of a stored run: its cells' baselines are those that it was judged by, else each cell's newest green
    result in its suite before it, else the newest run before it. Cells that the guard refuses, and the
    suite does not let pass, are not compared.

    A noise run stands alone: it is compared with nothing and has no history.
    """
    from bench.judge.compare import read
    from bench.judge.history import read_history
    from bench.judge.noise import find_floors

    floors = find_floors(store, run)
    result = read(store, run, floors)
    if run.purpose != "measure":
        return Morning(result)
    return Morning(result, _compared(store, run, result, floors), read_history(store, of=run, until=run))


def _compared(store: Store, run: RunRecord, result: RunResult, floors: Floors) -> Comparison | None:
    from bench.judge.baselines import Chosen, choose_green, compare_chosen
    from bench.judge.sides import earlier_runs
    from bench.store.store import ENDED

    despite, known = _let_pass(run), {each.id: each for each in store.runs()}
    judged = result.run.judgement
    main = known.get(judged.baseline) if judged and judged.baseline else None
    if judged and main:
        own = {each.cell: known[each.baseline] for each in reversed(judged.outcomes) if each.baseline in known}
        chosen = Chosen(main, own, rest=True)
    else:
        chosen = choose_green(store, run, result, despite)
    if chosen.main is None:
        newest = next((each for each in earlier_runs(store, run) if each.state in ENDED), None)
        chosen = Chosen(newest, rest=True)
    return compare_chosen(store, chosen, result, floors, despite)


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
