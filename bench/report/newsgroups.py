"""News of a morning by kind: expectations, wrong outputs, failures, what moved against the baseline or for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from bench.judge.shifts import moved_with
from bench.judge.types import CellPair, Comparison, Refused, Series, Shift
from bench.report.facts import counted
from bench.report.morning import Morning
from bench.report.rows import label
from bench.report.text import visible
from bench.results import CellResult, Outcome
from bench.units import duration, milliseconds

T = TypeVar("T")
Tone = Literal["bad", "warn", "good", "quiet"]
TONES: Final[tuple[Tone, ...]] = ("bad", "warn", "good", "quiet")
MOST_SHOWN: Final = 12
"""Items of a group that are written out; the others are in the table below."""


@dataclass(frozen=True)
class Item:
    """One piece of news. `cell` is the id of the cell that it is about, empty for none; `values` by the group's
    columns after the first."""

    cell: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """News of one kind, open on the page when something is broken. `said` is what the headline says of one:
    `cell slower`. `link` is the state of the page that shows all of them, empty for none."""

    tone: Tone
    title: str
    said: str
    count: int
    columns: tuple[str, ...]
    items: tuple[Item, ...]
    link: str = ""
    note: str = ""

    @property
    def more(self) -> int:
        """How many are not written out."""
        return self.count - len(self.items)

    @property
    def sentence(self) -> str:
        """`3 cells slower`."""
        noun, rest = self.said.split(" ", 1)
        return f"{counted(self.count, noun)} {rest}"


def find_groups(morning: Morning) -> tuple[Group, ...]:
    """All that there is news in, broken things first."""
    result = morning.result
    names = {cell.cell: f"{label(cell)} on {visible(cell.device)}" for cell in result.cells}
    states = {series.cell: series for series in morning.history.series}
    groups = [*_expectations(morning, names), _wrong(result.cells), _poor(result.cells),
              _failed(result.cells)]
    if morning.comparison:
        groups += _compared(morning.comparison, states)
    right = {cell.cell for cell in result.cells if cell.status == "ok" and not (cell.outputs and cell.outputs.wrong)}
    groups += _remarks(morning)
    groups += _standing([series for series in morning.history.series if series.cell in right], names)
    return tuple(sorted((group for group in groups if group.count), key=lambda group: TONES.index(group.tone)))


def _expectations(morning: Morning, names: dict[str, str]) -> list[Group]:
    judged = morning.result.run.judgement
    outcomes = judged.outcomes if judged else ()

    def group(tone: Tone, title: str, said: str, state: str) -> Group:
        return _group(tone, title, said, ("cell", "expectation", "limit", "found", "reason"),
                      [outcome for outcome in outcomes if outcome.state == state],
                      lambda outcome: _outcome(outcome, names))

    return [group("bad", "Expectations broken", "expectation broken", "broken"),
            group("warn", "Expectations that could not be judged", "expectation not judged", "not judged"),
            group("warn", "Expectations that could not be told", "expectation undecided", "inconclusive")]


def _remarks(morning: Morning) -> list[Group]:
    """What may be wrong with what is compared: a model that seems to be renamed."""
    told = [*(morning.comparison.remarks if morning.comparison else ()), *morning.history.remarks]
    return [_group("quiet", "To know of the comparison", "remark on the comparison", ("what",),
                   list(dict.fromkeys(told)), lambda remark: Item("", visible(remark, 300), ()))]


def _outcome(outcome: Outcome, names: dict[str, str]) -> Item:
    return Item(visible(outcome.cell), names.get(outcome.cell, visible(outcome.cell)),
                (visible(outcome.expectation), visible(outcome.limit), visible(outcome.found), visible(outcome.reason)))


def _wrong(cells: Sequence[CellResult]) -> Group:
    wrong = [(cell, cell.outputs) for cell in cells if cell.outputs and cell.outputs.wrong]
    return _group("bad", "Wrong outputs", "cell with wrong outputs", ("cell", "p50 ms", "what is known"), wrong,
                  lambda found: _item(found[0], milliseconds(found[0].latency_ms.p50),
                                      visible(found[1].reason or "outputs differ from those of fp32")),
                  "outputs=differs")


def _poor(cells: Sequence[CellResult]) -> Group:
    poor = [(cell, cell.outputs) for cell in cells if cell.outputs and cell.outputs.state == "poor"]
    return _group("warn", "Poor outputs", "cell with poor outputs", ("cell", "p50 ms", "what is known"), poor,
                  lambda found: _item(found[0], milliseconds(found[0].latency_ms.p50),
                                      visible(found[1].reason or found[1].word)), "outputs=poor")


def _failed(cells: Sequence[CellResult]) -> Group:
    failed = [cell for cell in cells if cell.status == "failed"]
    groups: dict[tuple[str, str], list[CellResult]] = {}
    for cell in failed:
        groups.setdefault((cell.fault or "unknown", cell.reason or "no reason was stored"), []).append(cell)
    items = [Item(visible(same[0].cell) if len(same) == 1 else "",
                  f"{label(same[0])} on {visible(same[0].device)}" + (f" and {len(same) - 1} more" if same[1:] else ""),
                  (visible(fault), visible(reason))) for (fault, reason), same in groups.items()]
    return Group("bad", "Failed", "cell failed", len(failed), ("cell", "fault", "reason"), tuple(items[:MOST_SHOWN]),
                 "status=failed")


def _compared(told: Comparison, states: dict[str, Series]) -> list[Group]:
    worse = [pair for pair in told.pairs if pair.latency.call == "worse"]
    alone = [pair for pair in worse if moved_with(pair, told.shifts) is None]
    note = f"{len(worse) - len(alone)} more moved with their device." if len(alone) < len(worse) else ""
    columns = ("cell", "before ms", "now ms", "change", "95 % interval", "since")
    return [
        _shifts(told.shifts, "worse", "bad", "Devices slower as a whole"),
        _group("bad", "Slower", "cell slower", columns, _strongest(alone), lambda pair: _moved(pair, states),
               "change=worse", note),
        _group("bad", "Broke since", "cell broke", ("cell", "now"), told.broke, _broke, "change=broke"),
        _group("bad", "Need more memory", "cell in need of more memory", ("cell", "change", "reason"),
               [pair for pair in told.pairs if pair.memory and pair.memory.call == "worse"], _memory),
        _group("warn", "Not comparable", "cell not comparable", ("cell", "what differs"), told.refused,
               _refused, "change=not+comparable"),
        _group("warn", "Could not be told", "cell undecided", ("cell", "change", "95 % interval", "to settle it"),
               [pair for pair in told.pairs if pair.latency.call == "cannot tell"], _untold, "change=cannot+tell"),
        _shifts(told.shifts, "better", "good", "Devices faster as a whole"),
        _group("good", "Faster", "cell faster", columns,
               _strongest(pair for pair in told.pairs if pair.latency.call == "better"),
               lambda pair: _moved(pair, states), "change=better"),
        _group("good", "Mended", "cell mended", ("cell", "p50 ms"), told.mended,
               lambda cell: _item(cell, milliseconds(cell.latency_ms.p50)), "change=mended"),
        _group("quiet", "No longer in the suite", "cell gone", ("cell",), told.only_before,
               lambda name: Item("", visible(name), ())),
        _group("quiet", "New in the suite", "cell new", ("cell",), told.only_after,
               lambda name: Item("", visible(name), ())),
    ]


def _standing(known: Sequence[Series], names: dict[str, str]) -> list[Group]:
    """Of those that were measured with right outputs: what the newest night alone does not tell."""
    def group(state: str, title: str, tone: Tone) -> Group:
        return _group(tone, title, f"cell {state}", ("cell", "reason"),
                      [series for series in known if series.state == state],
                      lambda series: Item(visible(series.cell), names[series.cell], (visible(series.reason),)),
                      f"history={state}")

    return [group("spike", "Far off in this run alone", "warn"),
            group("sustained", "Slower for longer than a night", "warn"), group("flaky", "Going to and fro", "warn"),
            group("recovered", "Recovered", "good")]


def _group(tone: Tone, title: str, said: str, columns: tuple[str, ...], found: Sequence[T],
           item: Callable[[T], Item], link: str = "", note: str = "") -> Group:
    return Group(tone, title, said, len(found), columns, tuple(item(each) for each in found[:MOST_SHOWN]), link, note)


def _item(cell: CellResult, *values: str) -> Item:
    return Item(visible(cell.cell), f"{label(cell)} on {visible(cell.device)}", values)


def _shifts(shifts: Iterable[Shift], call: str, tone: Tone, title: str) -> Group:
    said = f"device {'slower' if call == 'worse' else 'faster'} as a whole"
    return _group(tone, title, said, ("device", "change", "cells moved", "what is known"),
                  [shift for shift in shifts if shift.call == call], lambda shift: Item(
        "", visible(shift.device), (_change(shift.ratio), f"{shift.moved} of {shift.cells}", visible(shift.reason))))


def _strongest(pairs: Iterable[CellPair]) -> list[CellPair]:
    return sorted(pairs, key=lambda pair: max(pair.latency.ratio, 1 / pair.latency.ratio), reverse=True)


def _moved(pair: CellPair, states: dict[str, Series]) -> Item:
    series = states.get(pair.after.cell)
    last = series.changes[-1] if series and series.changes else None
    since = "; ".join([visible(last.started, 40)[:10], *map(visible, last.versions)]) if last else ""
    return _item(pair.after, milliseconds(pair.before.latency_ms.p50), milliseconds(pair.after.latency_ms.p50),
                 _change(pair.latency.ratio), _interval(pair), since or "this run")


def _memory(pair: CellPair) -> Item:
    assert pair.memory
    return _item(pair.after, _change(pair.memory.ratio), visible(pair.memory.reason))


def _untold(pair: CellPair) -> Item:
    told = pair.latency
    more = "nothing would" if told.more_trials is None else f"{told.more_trials} more trials of each"
    if told.more_trials is not None and told.more_seconds is not None:
        more += f", {duration(told.more_seconds)}"
    return _item(pair.after, _change(told.ratio), _interval(pair), more)


def _refused(refused: Refused) -> Item:
    differences = (f"{visible(each.name)}: {visible(each.before, 80)} -> {visible(each.after, 80)}"
                   for each in refused.differences)
    return _item(refused.after, "; ".join(differences))


def _broke(cell: CellResult) -> Item:
    return _item(cell, visible(cell.reason) if cell.reason else "wrong outputs")


def _change(ratio: float) -> str:
    """`+14.0 %`."""
    return f"{100 * (ratio - 1):+.1f} %"


def _interval(pair: CellPair) -> str:
    low, high = pair.latency.low, pair.latency.high
    return "-" if low is None or high is None else f"{_change(low)} to {_change(high)}"
