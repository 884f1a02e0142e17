"""What becomes of a store whose bytes, sectors and pages are damaged: every command ends as it says, and no number that
it still shows is another than before."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from bench.errors import EXIT_CONFIG, EXIT_EXPECTATION, EXIT_INCOMPLETE, EXIT_OK
from benchmarks.figures import Aim, Figure, Part, rate
from benchmarks.runs import RunFailed, run_suite, zoo_suite
from benchmarks.setting import Setting

TITLE = "reading a store after damage to its file"
KINDS: Final = ("bit", "byte", "few bytes", "sector of zeros", "page of zeros", "page of noise", "page of another",
                "cut")
PAGE, SECTOR = 4096, 512
NIGHTS = 4
_Cells = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Known:
    """A sound store: its bytes, the cells of each run as reports tell them, a model of it, and a cell."""

    content: bytes
    runs: dict[str, _Cells]
    points: dict[tuple[str, str], float]
    model: str
    cell: str


@dataclass(frozen=True)
class Outcome:
    """Of one damaged store: what is wrong with how it was read (nothing is), whether anything of it was missed, and
    whether `bench store check` named it."""

    kind: str
    problems: tuple[str, ...]
    missed: bool
    named: bool
    left: float
    """The share of runs that could be read whole."""


def measure(setting: Setting) -> Part:
    """A store of several nights, damaged in many ways; figures over all of them."""
    suite = zoo_suite("damage", "[fp32, int8]", "[onnxruntime]") + (
        "measure: {trials: 2, min_samples: 5, min_time: 0s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}}\n")
    try:
        for night in range(NIGHTS):
            setting.tell(f"night {night + 1}")
            run_suite(suite, setting.folder)
    except RunFailed as error:
        return Part("damage", TITLE, missing=str(error))
    known = learn(next(setting.folder.rglob("*.sqlite")))
    each = 2 if setting.quick else 15
    outcomes = []
    for kind in KINDS:
        setting.tell(kind)
        outcomes += list(sweep(known, kind, each, setting.folder / "damaged.sqlite"))
    wrong = [outcome for outcome in outcomes if outcome.problems]
    missed = [outcome for outcome in outcomes if outcome.missed]
    figures = (
        Figure("damaged stores that ended a command otherwise than it says, or changed a number",
               rate([bool(outcome.problems) for outcome in outcomes]), " %", 2, Aim(most=0.5)),
        Figure("damage that reading met, and bench store check named",
               rate([outcome.named for outcome in missed] or [True]), " %", 2, Aim(least=99.0)),
        Figure("runs of a damaged store that are read whole",
               rate([outcome.left for outcome in outcomes]), " %", 1))
    kinds = Counter(outcome.kind for outcome in wrong)
    remarks = [f"{outcome.kind}: {outcome.problems[0]}" for outcome in wrong[:10]]
    return Part("damage", TITLE, figures, (*remarks, *(f"{kind}: {count} wrong" for kind, count in kinds.items())))


def learn(store: Path) -> Known:
    """What a sound store holds, as its reports tell."""
    told = _history(store)
    runs: dict[str, _Cells] = {}
    for run in sorted({run for run, _ in told}):
        code, out, error = bench("report", run, "--format", "json", "--store", str(store))
        if code:
            raise RunFailed(error)
        runs[run] = _cells(out)
    cells = [cell for found in runs.values() for cell in found]
    return Known(store.read_bytes(), runs, told, cells[0].split("/")[0], cells[0])


def sweep(known: Known, kind: str, count: int, place: Path, seed: int = 1) -> Iterator[Outcome]:
    """So many stores with damage of a kind at chance places, one after the other at `place`."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    for _ in range(count):
        for each in place.parent.glob(f"{place.name}*"):
            each.unlink()
        place.write_bytes(damaged(known.content, kind, rng))
        yield _read(known, kind, place)


def damaged(content: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """The content with damage of one of `KINDS`."""
    found = bytearray(content)
    at = int(rng.integers(len(found)))
    page, sector = at - at % PAGE, at - at % SECTOR
    match kind:
        case "bit":
            found[at] ^= 1 << int(rng.integers(8))
        case "byte":
            found[at] = int(rng.integers(256))
        case "few bytes":
            found[at:at + 8] = rng.bytes(len(found[at:at + 8]))
        case "sector of zeros":
            found[sector:sector + SECTOR] = bytes(SECTOR)
        case "page of zeros":
            found[page:page + PAGE] = bytes(PAGE)
        case "page of noise":
            found[page:page + PAGE] = rng.bytes(PAGE)
        case "page of another":
            other = int(rng.integers(len(found) // PAGE)) * PAGE
            found[page:page + PAGE] = found[other:other + PAGE]
        case "cut":
            del found[at:]
    return bytes(found)


def bench(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and error of a command, in this process."""
    from bench.cli import main

    out, error = io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", ["bench", *arguments]), contextlib.redirect_stdout(out), \
            contextlib.redirect_stderr(error):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue(), error.getvalue()
    raise AssertionError("main ends with SystemExit")


def _read(known: Known, kind: str, place: Path) -> Outcome:
    problems: list[str] = []
    told, whole, changed = False, 0, place.read_bytes() != known.content
    store = ("--store", str(place))
    for run, cells in known.runs.items():
        code, out, error = bench("report", run, "--format", "json", *store)
        problems += _misbehaved(f"report {run}", code, error)
        found = _cells(out) if code == 0 else {}
        problems += [f"{run}: {cell} is not what was measured" for cell, now in found.items() if now != cells.get(cell)]
        whole += found == cells
        told |= code != 0 or "is damaged" in error
        if found != cells and code == 0 and "is damaged" not in error:
            problems.append(f"{run}: {len(cells) - len(found)} cells are missing without a word")
    newest = max(known.runs)
    for command in (("history",), ("compare", "previous", "last", "--exit-code", "--despite", "all"),
                    ("recommend", known.model), ("logs", known.cell, "--run", newest),
                    ("report", "-o", f"{place}.html"), ("store", "check")):
        code, out, error = bench(*command, *store)
        problems += _misbehaved(command[0], code, error)
        told |= "is damaged" in error
    if code == EXIT_OK and told and changed:
        problems.append("bench store check says that it is sound")
    now = _history(place)
    problems += [f"history: {cell} of {run} is not what was measured" for (run, cell), p50 in now.items()
                 if known.points.get((run, cell)) != p50]
    return Outcome(kind, tuple(problems), told, code != EXIT_OK, whole / len(known.runs))


def _misbehaved(command: str, code: int, error: str) -> list[str]:
    fine = code in (EXIT_OK, EXIT_CONFIG, EXIT_INCOMPLETE) or (code == EXIT_EXPECTATION and command == "recommend")
    if fine and "Traceback" not in error and (code in (EXIT_OK, EXIT_EXPECTATION) or error.strip() or
                                              command == "store"):
        return []
    return [f"{command} ended with {code}: {error.strip()[-300:]}"]


def _cells(report: str) -> _Cells:
    """Each cell as a report tells it, but for its checks, of which some depend on other runs."""
    told = [{key: value for key, value in cell.items() if key not in ("checks", "badge")}
            for cell in json.loads(report)["cells"]]
    return {"{model}/{format}/{precision}/{runtime}-{delegate}/t{threads}@{device}".format(**cell): cell
            for cell in told}


def _history(store: Path) -> dict[tuple[str, str], float]:
    """The p50 of each run and cell with all its trials."""
    code, out, _ = bench("history", "--format", "json", "--store", str(store))
    if code:
        return {}
    return {(point["run"], series["cell"]): point["p50_ms"] for series in json.loads(out)["series"]
            for point in series["points"]}
