"""What a morning's report is made from, without a store: verdicts, histories, judgements that look like real ones."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from bench.judge.types import (
    Call,
    CellPair,
    Change,
    Comparison,
    Difference,
    History,
    Point,
    Refused,
    Series,
    Shift,
    Side,
    Verdict,
)
from bench.report.morning import Morning
from bench.results import CellResult, Check, CheckState, Judgement, Outcome, RunResult
from tests.fakes.results import HOSTILE, device, hostile, lost_cell, run_info, typical

CHECKS = ("outputs verified", "accuracy known", "placement verified", "clocks steady", "temperature steady",
          "processor undisturbed", "enough samples", "enough trials", "noise floor known",
          "conditions comparable", "not emulated")
CALLS: tuple[tuple[Call, float], ...] = (
    ("same", 1.004), ("worse", 1.14), ("same", 0.995), ("cannot tell", 1.05), ("better", 0.88), ("same", 1.01))
NIGHTS = 14
States = Literal["steady", "new", "sustained", "recovered", "improved", "flaky", "short"]


def checks(states: dict[str, CheckState]) -> tuple[Check, ...]:
    """All eleven, passed but for `states`."""
    return tuple(Check(name, states.get(name, "passed"), f"{name}: {states.get(name, 'passed')} in 5 of 5 trials")
                 for name in CHECKS)


def checked(cell: CellResult, place: int) -> CellResult:
    """`cell` with checks: every third lacks a noise floor, every seventh had its clocks fall."""
    if cell.status != "ok":
        return cell
    found: dict[str, CheckState] = {"noise floor known": "unknown"} if place % 3 == 1 else {}
    if place % 7 == 5:
        found["clocks steady"] = "failed"
    if cell.outputs and cell.outputs.wrong:
        found["outputs verified"] = "failed"
    if cell.emulated:
        found["not emulated"] = "failed"
    return replace(cell, checks=checks(found))


def verdict(call: Call, ratio: float) -> Verdict:
    """An interval that fits the call."""
    width = 0.09 if call == "cannot tell" else 0.012
    more = (12, 290.0) if call == "cannot tell" else (None, None)
    return Verdict(call, ratio, ratio - width, ratio + width, 0.5 if call == "same" else 0.0007, 3.1,
                   f"{100 * (ratio - 1):+.1f} % against a margin of 3 %", *more)


def pair(cell: CellResult, call: Call, ratio: float) -> CellPair:
    """`cell` and what it was before, so that it now is at `ratio`."""
    latency = cell.latency_ms
    assert latency.p50 is not None
    earlier = replace(cell, latency_ms=replace(latency, p50=latency.p50 / ratio))
    return CellPair(earlier, cell, verdict(call, ratio), verdict("same", 1.001), 1.0, 0.0)


def comparison(result: RunResult) -> Comparison:
    """With the run of the night before: some worse, one broke, one mended, one under another OS, a device shifted."""
    measured = [cell for cell in result.cells if cell.status == "ok" and not cell.emulated]
    lost = [cell for cell in result.cells if cell.status == "failed"]
    pairs = tuple(pair(cell, *CALLS[place % len(CALLS)]) for place, cell in enumerate(measured[:-2]))
    refused = tuple(Refused(cell, cell, (Difference("os", "Debian GNU/Linux 12.4", "Debian GNU/Linux 12.5"),))
                    for cell in measured[-2:-1])
    mended = tuple(measured[-1:])
    before = Side("run", "20261120-031500-1c2d", run_info(
        id="20261120-031500-1c2d", started="2026-11-20T03:15:00Z", judgement=Judgement("green")))
    shift = Shift("this-machine", "worse", 1.06, 9, 11, result.run.id, "9 of 11 cells rose by 4 to 8 %")
    return Comparison(before, Side("run", result.run.id, result.run), pairs, refused, tuple(lost[:1]), mended,
                      ("squeezenet int8 tflite",), (), (shift,), "Welch's t on logarithms of trial medians, "
                      "Benjamini-Hochberg over all cells.")


def series(cell: CellResult, state: States, place: int, nights: int = NIGHTS) -> Series:
    """A cell over `nights`, the last of which is as measured now; a level before where `state` asks for one."""
    rng = random.Random(place)
    now = cell.latency_ms.p50 or 1.0
    since = {"new": nights - 1, "sustained": nights - 5, "improved": nights - 3}.get(state)
    level = 0.87 if state != "improved" else 1.2
    points = tuple(_point(night, now * (level if since and night < since else 1) * (
        rng.gauss(1, 0.06 if state == "flaky" else 0.008) if night < nights - 1 else 1)) for night in range(nights))
    changes = (Change(points[since].run, points[since].started, 1 / level, "better" if state == "improved" else "worse",
                      ("onnxruntime 1.22.0 -> 1.23.2",)),) if since else ()
    return Series(cell.cell, cell.device, cell.model, points, changes, state, f"{state} for a reason")


def _point(night: int, p50: float) -> Point:
    started = datetime(2026, 11, 7, 3, 15) + timedelta(days=night)
    return Point(f"{started:%Y%m%d-%H%M%S}-{night:04x}", f"{started:%Y-%m-%dT%H:%M:%SZ}", p50, p50 * 0.985, p50 * 1.015,
                 5, {"onnxruntime": "1.23.2" if night > NIGHTS - 4 else "1.22.0"})


def history(result: RunResult, nights: int = NIGHTS) -> History:
    """Each measured cell's, in states that fit `comparison`."""
    states: tuple[States, ...] = ("steady", "new", "steady", "flaky", "improved", "sustained", "steady", "recovered")
    measured = [cell for cell in result.cells if cell.status == "ok"]
    return History(tuple(series(cell, states[place % len(states)], place, nights)
                         for place, cell in enumerate(measured)))


def judgement(result: RunResult) -> Judgement:
    """Red: one expectation broken, one not told."""
    names = [cell.cell for cell in result.cells if cell.status == "ok"]
    return Judgement("red", (
        Outcome("latency", names[0], "kept", "p50 at most 20 ms", "4.31 ms (4.28 to 4.40)", "within the limit"),
        Outcome("latency", names[1], "broken", "p50 at most +5 % against last-green", "+14 % (+12.8 to +15.2)",
                "the whole interval is above the limit"),
        Outcome("accuracy drop", names[3], "inconclusive", "at most 1.0 pp", "0.7 pp on 1,000 images",
                "the interval holds the limit: 9,000 more images would tell")), "20261120-031500-1c2d",
        ("1 cell was measured again, in turn with the baseline's artifact",))


def morning() -> Morning:
    """`typical`, judged: everything that the report can tell, once at least."""
    result = typical()
    result = replace(result, cells=tuple(checked(cell, place) for place, cell in enumerate(result.cells)),
                     run=replace(result.run, judgement=judgement(result)))
    return Morning(result, comparison(result), history(result))


def calm_morning() -> Morning:
    """Everything was measured, nothing changed, nothing is broken."""
    cells = tuple(replace(cell, checks=checks({}), warnings=()) for cell in typical().cells
                  if cell.status == "ok" and not cell.emulated and not (cell.outputs and cell.outputs.wrong))
    result = RunResult(run_info(judgement=Judgement("green", ())), cells, typical().devices[:1])
    told = comparison(result)
    told = replace(told, pairs=tuple(pair(cell, "same", 1.002) for cell in cells), refused=(), broke=(), mended=(),
                   only_before=(), shifts=())
    return Morning(result, told, History(tuple(series(cell, "steady", place) for place, cell in enumerate(cells))))


def hostile_morning() -> Morning:
    """Every text that could come from outside is an attack, also in what was judged."""
    result = hostile()
    cells = tuple(replace(cell, cell=f"{place}{cell.model}", circumstances={cell.model: cell.model},
                          checks=(Check(cell.model, "failed", cell.model),) if cell.status == "ok" else ())
                  for place, cell in enumerate(result.cells))
    outcomes = tuple(Outcome(name, name, "broken", name, name, name) for name in HOSTILE)
    result = replace(result, cells=cells, run=replace(result.run, judgement=Judgement("red", outcomes, HOSTILE[0],
                                                                                      HOSTILE)))
    name = HOSTILE[0]
    side = Side("run", name, result.run)
    told = Comparison(side, side, tuple(pair(cell, "worse", 1.2) for cell in cells if cell.status == "ok"),
                      (Refused(cells[0], cells[0], (Difference(name, name, name),)),),
                      (lost_cell("failed", name, name),), (), HOSTILE, HOSTILE,
                      (Shift(name, "worse", 1.1, 3, 3, name, name),), name)
    return Morning(result, told, History(tuple(
        replace(series(cell, "new", place), reason=cell.model) for place, cell in enumerate(cells)
        if cell.status == "ok")))


def large_morning(count: int, nights: int = 30) -> Morning:
    """`count` cells of twenty devices, with checks, verdicts and histories."""
    some = [checked(cell, place) for place, cell in enumerate(typical().cells[:12])]
    pairs = [pair(cell, *CALLS[place % len(CALLS)]) for place, cell in enumerate(some)]
    known = [series(cell, "new" if place % 4 == 1 else "steady", place, nights) for place, cell in enumerate(some)]
    cells = tuple(replace(some[place % 12], cell=f"{place:06d}", device=f"device-{place % 20:02d}",
                          model=f"model-{place // 240:02d}") for place in range(count))
    result = RunResult(run_info(), cells, tuple(device(f"device-{place:02d}") for place in range(20)))
    told = replace(comparison(typical()), pairs=tuple(replace(pairs[place % 12], after=cell)
                                                      for place, cell in enumerate(cells)))
    return Morning(result, told, History(tuple(replace(known[place % 12], cell=cell.cell, device=cell.device)
                                               for place, cell in enumerate(cells))))
