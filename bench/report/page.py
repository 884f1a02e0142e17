"""What the page's script works on: a run's cells, histories and devices as short arrays, one JSON value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.judge.types import History, Series
from bench.report.cellrows import COLUMNS, cell_rows, short
from bench.report.morning import Morning
from bench.report.news import baseline_name
from bench.report.text import visible
from bench.results import DeviceSummary
from bench.words import PRECISIONS, RUNTIMES

MOST_POINTS: Final = 60_000
"""Of all series together: beyond that the oldest are left out, that the file stays below 8 MiB."""
LONGEST_TEXT: Final = 300
MOST_READINGS: Final = 240
"""Of a device's conditions over time, evenly spaced over the run."""


@dataclass
class Texts:
    """Each text once, in the order of first use; what refers to one holds its place."""

    places: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    """The places of texts as they came."""

    def place(self, text: str) -> int:
        """Where `text`, made visible, stands."""
        found = self.known.get(text)
        if found is None:
            found = self.known[text] = self.places.setdefault(visible(text, LONGEST_TEXT), len(self.places))
        return found


def page_data(morning: Morning) -> dict[str, object]:
    """The page's data. Texts are visible and on one line, numbers have five significant digits, unknown is None.

    `cells` are rows of `columns`; texts in them, and everywhere else, are places in `texts`.
    """
    texts = Texts()
    result, told = morning.result, morning.comparison
    ids = {cell.cell: place for place, cell in enumerate(result.cells)}
    return {"columns": COLUMNS, "precisions": PRECISIONS, "runtimes": RUNTIMES,
            "cells": cell_rows(morning, texts.place), **_history(morning.history, ids, texts),
            "devices": [_device(device, texts) for device in result.devices],
            "baseline": baseline_name(told) if told else None, "margin": told.margin if told else None,
            "texts": list(texts.places)}


def _history(history: History, ids: Mapping[str, int], texts: Texts) -> dict[str, object]:
    """`nights`: id and start of each run; `series`, each with its cell's row, its newest points and its changes."""
    known = [series for series in history.series if series.cell in ids and series.points]
    most = max(8, MOST_POINTS // max(1, len(known)))
    nights = sorted({point.order for series in known for point in series.points[-most:]})
    places = {run: place for place, (_, _, run) in enumerate(nights)}
    return {"nights": [[visible(run, 60), visible(started, 40)[:16].replace("T", " ")] for _, started, run in nights],
            "series": [_series(series, ids[series.cell], places, most, texts) for series in known]}


def _series(series: Series, row: int, nights: Mapping[str, int], most: int, texts: Texts) -> list[object]:
    points = [[nights[point.run], short(point.p50_ms), short(point.low_ms), short(point.high_ms)]
              for point in series.points[-most:]]
    changes = [[nights[change.run], short(change.ratio), change.call, [texts.place(text) for text in change.versions],
                change.device_wide] for change in series.changes if change.run in nights]
    return [row, series.state, texts.place(series.reason), points, changes]


def _device(device: DeviceSummary, texts: Texts) -> list[object]:
    """Name, whether emulated, and readings over time: seconds, °C, highest clock in MHz, load, battery in %."""
    seen = [reading for reading in device.conditions if isinstance(reading.get("time"), (int, float))]
    seen = seen[:: max(1, -(-len(seen) // MOST_READINGS))]
    return [texts.place(device.name), device.emulated, [_reading(reading) for reading in seen]]


def _reading(reading: Mapping[str, object]) -> list[float | None]:
    battery = reading.get("battery")
    level = battery.get("level_percent") if isinstance(battery, Mapping) else None
    return [_number(reading["time"], digits=13), _number(reading.get("temperature_c")),
            _highest(reading.get("clocks_mhz")), _number(reading.get("load_1m")), _number(level)]


def _highest(clocks: object) -> float | None:
    known = [_number(clock) for clock in clocks] if isinstance(clocks, Sequence) and not isinstance(clocks, str) else []
    return max((clock for clock in known if clock is not None), default=None)


def _number(value: object, digits: int = 5) -> float | None:
    return short(value, digits) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

