"""Cells' series over runs as text: what the terminal and Markdown show of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

from bench.judge.types import Change, History, Series, Shift, State
from bench.report.text import visible
from bench.units import milliseconds

BARS: Final = "▁▂▃▄▅▆▇█"
GAP: Final = "·"
LEAST_SPAN: Final = 0.15
"""Of a sparkline, as a share of its middle: less than that is not drawn over its whole height."""
WIDTH: Final = 40
"""Runs of a sparkline at most, the newest."""
ORDER: Final[tuple[State, ...]] = ("new", "spike", "sustained", "flaky", "recovered", "improved", "steady", "short")
DEFINITIONS: Final = (
    "new: worse since the newest run; spike: the newest run alone is far off; sustained: worse for longer; "
    "recovered: was worse; flaky: goes to and fro. "
    f"{GAP} in a sparkline: not measured in that run. A change is against the level before it.")
EMULATED: Final = "emulated: timings are not the device's"
assert set(ORDER) == set(get_args(State))


@dataclass(frozen=True)
class ChangeRow:
    """A change as text. `why` are the versions that changed with it."""

    date: str
    run: str
    ratio: str
    why: str


@dataclass(frozen=True)
class Row:
    """A series as text: `name` is its cell's within the device."""

    name: str
    spark: str
    p50: str
    change: str
    state: State
    reason: str
    changes: tuple[ChangeRow, ...]


@dataclass(frozen=True)
class Section:
    """One device: what moved all of it, oldest first, and its rows, those first that want looking at."""

    device: str
    emulated: bool
    shifts: tuple[str, ...]
    rows: tuple[Row, ...]


def sections(history: History) -> tuple[Section, ...]:
    """A section for each device."""
    runs = runs_of(history)
    found = []
    several = len({series.suite for series in history.series}) > 1
    for device in dict.fromkeys(series.device for series in history.series):
        mine = [series for series in history.series if series.device == device]
        seen = [run for run in runs if any(point.run == run for series in mine for point in series.points)]
        rows = [_row(series, seen, several) for series in sorted(mine, key=_attention)]
        shifts = tuple(_shift(shift, mine) for shift in history.shifts if shift.device == device)
        found.append(Section(visible(device), any(series.emulated for series in mine), shifts, tuple(rows)))
    return tuple(found)


def runs_of(history: History) -> list[str]:
    """The runs of all points, oldest first."""
    return [run for _, _, run in sorted({point.order for series in history.series for point in series.points})]


def sparkline(series: Series, runs: Sequence[str]) -> str:
    """A bar for each of the newest `WIDTH` of the runs, from the series' least p50 to its largest."""
    values = {point.run: point.p50_ms for point in series.points}
    shown = runs[-WIDTH:]
    known = [values[run] for run in shown if run in values]
    if not known:
        return GAP * len(shown)
    low, span = min(known), max(max(known) - min(known), LEAST_SPAN * statistics.median(known))
    top = len(BARS) - 1
    return "".join(BARS[round((values[run] - low) / span * top)] if run in values else GAP for run in shown)


def cell_name(series: Series) -> str:
    """Its cell's id without the device, which stands above it."""
    return visible(series.cell.removesuffix(f"@{series.device}"), 80)


def _titled(series: Series, several: bool) -> str:
    """With its suite where several are shown."""
    return f"{visible(series.suite, 80)}: {cell_name(series)}" if several and series.suite else cell_name(series)


def percent(ratio: float) -> str:
    """`+8.1 %`."""
    return f"{100 * (ratio - 1):+.1f} %"


def _row(series: Series, runs: Sequence[str], several: bool) -> Row:
    last = series.changes[-1] if series.changes else None
    reason = visible(series.reason) + ", with the whole device" * _with_device(series) + _missing(series, runs)
    return Row(_titled(series, several), sparkline(series, runs), f"{milliseconds(series.points[-1].p50_ms)} ms",
               percent(last.ratio) if last else "-", series.state, reason, tuple(map(_change, series.changes)))


def _missing(series: Series, runs: Sequence[str]) -> str:
    since = len(runs) - 1 - runs.index(series.points[-1].run)
    return f"; not in the newest {since} runs" if since > 1 else "; not in the newest run" if since else ""


def _change(change: Change) -> ChangeRow:
    why = "; ".join(visible(text, 120) for text in change.versions) or "no version changed"
    return ChangeRow(day(change.started), visible(change.run), percent(change.ratio),
                     "with the whole device" if change.device_wide else why)


def day(started: str) -> str:
    """The date of an ISO 8601 time."""
    return visible(started, 40)[:10]


def _shift(shift: Shift, series: Sequence[Series]) -> str:
    """What is said of a shift, with the versions that changed in most of its cells."""
    started = next((point.started for item in series for point in item.points if point.run == shift.run), "")
    told = [change.versions for item in series for change in item.changes if change.device_wide
            and change.call == shift.call and change.run == shift.run]
    common = [text for text in dict.fromkeys(text for texts in told for text in texts)
              if 2 * sum(text in texts for texts in told) > len(told)]
    why = "; ".join(visible(text, 120) for text in common) or "no version changed with it"
    return f"{day(started)} {visible(shift.run)} {percent(shift.ratio)}: {visible(shift.reason)} ({why})"


def _attention(series: Series) -> tuple[object, ...]:
    """Sorts by state; what came with the whole device, which is said above, after what is the cell's own."""
    return (_with_device(series), ORDER.index(series.state), series.model, series.cell)


def _with_device(series: Series) -> bool:
    """Whether the state is the device's doing."""
    return bool(series.changes) and series.changes[-1].device_wide and series.state not in ("steady", "flaky")
