"""What the two sides of a comparison are, from what the user calls them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.collect.cells import run_info
from bench.collect.digests import read_run
from bench.errors import ConfigError
from bench.judge.identity import has_changes, revision, same_history
from bench.judge.standing import was_held_against_earlier
from bench.judge.types import Side
from bench.results import CellResult
from bench.store.records import RunRecord
from bench.store.store import ENDED, Store
from bench.words import counted, nearest

RELATIVE: Final = ("previous", "last-green")
"""Runs that depend on the other side."""
KINDS: Final = ("run", "date", "git", "device", "runtime", "variant")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SHA: Final = re.compile(r"[0-9a-f]{4,40}")
_GIT_S: Final = 5.0


@dataclass(frozen=True)
class _Known:
    """Where names are looked up: all runs of the store, the newest first; one run, and its cells."""

    store: Store
    runs: tuple[RunRecord, ...]
    base: RunRecord
    cells: tuple[CellResult, ...]


def find_sides(store: Store, before: str, after: str, run: str | None = None) -> tuple[Side, Side]:
    """The two sides of a comparison, both of the same kind.

    A side is `last` (the newest run that came to its end), `previous` (the one before the other side, of its suite),
    `last-green` (the newest green one before it), a run's id or its beginning, a date (its newest run, UTC), a git
    commit, branch or tag that a run was recorded with, or a part of one run (`run`, else the newest): a device, a
    runtime (tflite, tflite/builtin), a variant (int8, onnx/int8, MODEL, MODEL/int8). `run:`, `date:`, `git:`,
    `device:`, `runtime:` and `variant:` before a name say which is meant. Raises ConfigError with the choices for a
    name that is none or several of these.
    """
    base = store.find_run(run) if run else store.newest_ended()
    known = _Known(store, store.runs(), base, read_run(store, base).cells)
    if _named(after)[1] in RELATIVE and _named(before)[1] not in RELATIVE:
        first = _side(before, known, None)
        second = _side(after, known, first)
    else:
        second = _side(after, known, None)
        first = _side(before, known, second, earlier=True)
    if first.kind != second.kind:
        raise ConfigError(f"{before!r} is a {first.kind} and {after!r} a {second.kind}: both sides must be alike",
                          hint="devices, runtimes and variants are compared within one run, which --run names")
    if (first.run.id, first.part) == (second.run.id, second.part):
        raise ConfigError(f"both sides are {first.kind} {first.label}")
    if first.kind == "run" and run is not None:
        raise ConfigError("--run names the run whose devices, runtimes or variants are compared; both sides are runs")
    return first, second


def last_green(store: Store, before: RunRecord) -> RunRecord | None:
    """The newest green run of the suite of `before`, and before it; None where there is none.

    Green: it finished with nothing failed, and was judged to meet what its suite expects, or its suite expects
    nothing: one that was held against earlier runs comes before those that expected nothing that could tell a
    regression. Where there is no such run, as with a cell that fails every night, it is one that met all it expected
    and ended incomplete. Of those that were as quick or thorough, that of most of its devices. (A cell's baseline is
    chosen cell by cell, see `bench.judge.baselines`.)
    """
    earlier = earlier_alike(store, before)
    return _fittest(_green(earlier), before)


def previous(store: Store, before: RunRecord) -> RunRecord | None:
    """The run of the same suite before that one, whatever it was judged, but it came to its end; None where there is
    none. As for `last_green` as quick or thorough, and of most of its devices."""
    return _fittest(earlier_alike(store, before), before)


def earlier_alike(store: Store, before: RunRecord) -> list[RunRecord]:
    """The runs of the suite before that one which came to their end and were as quick or thorough, newest first."""
    return [run for run in earlier_runs(store, before)
            if run.state in ENDED and bool(run.settings.get("quick")) == bool(before.settings.get("quick"))]


def earlier_runs(store: Store, before: RunRecord) -> list[RunRecord]:
    """The runs of the suite before that one, newest first."""
    return [run for run in same_history(store.runs(), before) if run.order < before.order]


def _fittest(runs: Sequence[RunRecord], before: RunRecord) -> RunRecord | None:
    wanted = set(before.settings.get("devices", ()))
    return max(runs, key=lambda run: len(wanted & set(run.settings.get("devices", ()))), default=None)


def _green(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """The best kind of green runs that there is among them, in their order."""
    green = [run for run in runs if _is_green(run)] or [run for run in runs if _met_all(run)]
    return [run for run in green if was_held_against_earlier(run)] or green


def _is_green(run: RunRecord) -> bool:
    judged = (run.judgement or {}).get("state")
    return run.state == "finished" and judged in ("green", "none")


def _met_all(run: RunRecord) -> bool:
    return run.state == "incomplete" and (run.judgement or {}).get("state") == "green"


def _named(text: str) -> tuple[str | None, str]:
    """The kind that stands before a name, and the name."""
    kind, colon, name = text.partition(":")
    return (kind, name) if colon and kind in KINDS else (None, text)


def _side(text: str, known: _Known, beside: Side | None, *, earlier: bool = False) -> Side:
    """The side that `text` names; `beside` is the other one where that is known, `earlier` that this is before it."""
    kind, name = _named(text)
    if kind in (None, "run") and (name == "last" or name in RELATIVE):
        return _run_side(_worded(name, known, beside, earlier))
    found = [side for each in ((kind,) if kind else KINDS) for side in _looked_up(each, name, known, beside)]
    if not found and kind in (None, "git"):
        found = _of_revision(name, known, beside)
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(f"{_prefix(side, name)}:{name}" for side in found)
        raise ConfigError(f"{name!r} may be several things; write one of: {choices}")
    raise ConfigError(f"{'' if kind is None else kind + ' '}{name!r} was not found in {known.store.path}"
                      f"{nearest(name, _names(kind, known))}",
                      hint=f"devices, runtimes and variants are looked up in the run {known.base.id}; --run names "
                           "another; last, previous and last-green are runs too")


def _worded(word: str, known: _Known, beside: Side | None, earlier: bool) -> RunRecord:
    newest = known.store.newest_ended()
    if word == "last":
        return newest
    other = known.store.find_run(beside.run.id) if beside and beside.kind == "run" else newest
    if word == "last-green":
        green = last_green(known.store, other) if earlier or not beside else _newest_green(known, other)
        if green is None:
            raise ConfigError(f"no run of the suite {other.suite} before {other.id} is green",
                              hint="green is a finished run that met what its suite expects; name another run"
                                   + _of_others(known, other))
        return green
    before = [run for run in earlier_runs(known.store, other) if run.state in ENDED]
    if not before:
        raise ConfigError(f"the store has no run of the suite {other.suite} before {other.id} that came to its end",
                          hint=f"name another run{_of_others(known, other)}")
    return before[0]


def _newest_green(known: _Known, other: RunRecord) -> RunRecord | None:
    """The newest green run of a suite, whenever it was; no quick one."""
    mine = [run for run in same_history(known.runs, other) if not run.settings.get("quick")]
    return next(iter(_green(mine)), None)


def _of_others(known: _Known, other: RunRecord) -> str:
    """What to know where the store has another suite of that name: its runs are not this suite's."""
    mine = {run.id for run in same_history(known.runs, other)}
    apart = next((run for run in known.runs if run.suite == other.suite and run.id not in mine), None)
    return "" if apart is None else (f". Run {apart.id} is of another suite of that name, at {apart.suite_path}; if "
                                     f"they are the same, write `id: {apart.id}` in the suite")


def _looked_up(kind: str, name: str, known: _Known, beside: Side | None) -> list[Side]:
    """What the name is as that kind: nothing, or one side."""
    if kind == "run":
        every = known.store.runs(None)
        return [_run_side(known.store.find_run(name))] if any(run.id.startswith(name) for run in every) else []
    if kind == "date":
        dated = [run for run in known.runs if _DATE.fullmatch(name) and run.started.startswith(name)]
        return _newest(dated, beside, known)
    if kind == "git":
        return _of_commit(name, known, beside)
    return _part(kind, name, known)


def _part(kind: str, name: str, known: _Known) -> list[Side]:
    """A part of the run; a format that is a runtime's name too is taken for the runtime."""
    info, cells = run_info(known.base), known.cells
    if kind == "device":
        return [Side("device", name, info, {"device": name})] if any(cell.device == name for cell in cells) else []
    runtime, variant = _runtime(name, cells), _variant(name, cells)
    if kind == "runtime":
        return [Side("runtime", name, info, runtime)] if runtime else []
    return [Side("variant", name, info, variant)] if variant and not (runtime and set(variant) == {"format"}) else []


def _of_commit(name: str, known: _Known, beside: Side | None) -> list[Side]:
    """The newest run of the commit as it is. Raises ConfigError where all its runs were of edited working trees."""
    of = [run for run in known.runs if _SHA.fullmatch(name) and str(run.host.get("git") or "").startswith(name)]
    clean = [run for run in of if not has_changes(run.host)]
    if of and not clean:
        raise ConfigError(f"no run of commit {name} as it is: run {of[0].id} is of {revision(of[0].host)}"
                          f"{_changed(of[0])}", hint=f"name the run to take it all the same: run:{of[0].id}")
    return _newest(clean, beside, known)


def _changed(run: RunRecord) -> str:
    """` (2 files: net.py, suite.yaml)`."""
    changes = run.host.get("changes") or {}
    files = [str(file) for file in changes.get("files", [])]
    return f" ({counted(int(changes['count']), 'file')}: {', '.join(files[:3])})" if files else ""


def _of_revision(name: str, known: _Known, beside: Side | None) -> list[Side]:
    """The newest run of the commit that a branch or tag of the suite's folder stands for."""
    command = ["git", "-C", str(Path(known.base.suite_path).parent), "rev-parse", "--verify", "--quiet",
               "--end-of-options", f"{name}^{{commit}}"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_S, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    return _of_commit(found.stdout.strip(), known, beside) if found.returncode == 0 else []


def _newest(runs: Sequence[RunRecord], beside: Side | None, known: _Known) -> list[Side]:
    """The newest, of the other side's suite where one is of it, and of those that ended where one has."""
    other = next((run for run in known.runs if beside and run.id == beside.run.id), None)
    mine = {run.id for run in same_history(known.runs, other)} if other else set()
    alike = [run for run in runs if run.id in mine] or runs
    return [_run_side(run) for run in ([run for run in alike if run.state in ENDED] or alike)[:1]]


def _run_side(run: RunRecord) -> Side:
    return Side("run", run.id, run_info(run))


def _runtime(name: str, cells: Sequence[CellResult]) -> dict[str, str]:
    """`tflite` or `tflite/builtin` as fields and values."""
    runtime, slash, delegate = name.partition("/")
    part = {"runtime": runtime, **({"delegate": delegate} if slash else {})}
    return part if any(all(getattr(cell, key) == value for key, value in part.items()) for cell in cells) else {}


def _variant(name: str, cells: Sequence[CellResult]) -> dict[str, str]:
    """`int8`, `onnx/int8` or `mobilenet/int8` as fields and values; a delegate may stand there too."""
    part: dict[str, str] = {}
    for word in name.split("/"):
        field = next((field for field in ("precision", "format", "model", "delegate")
                      if field not in part and any(getattr(cell, field) == word for cell in cells)), None)
        if field is None:
            return {}
        part[field] = word
    return {} if set(part) == {"delegate"} else part


def _prefix(side: Side, name: str) -> str:
    """How the kind of a side is written before its name."""
    if side.kind != "run" or side.run.id.startswith(name):
        return side.kind
    return "date" if _DATE.fullmatch(name) else "git"


def _names(kind: str | None, known: _Known) -> list[str]:
    """What may be named: by one kind of name, or by any."""
    cells = known.cells
    runs = [run.id for run in known.runs[:5]]
    of_kind = {
        "run": ["last", *RELATIVE, *runs], "date": [run.started[:10] for run in known.runs[:5]],
        "git": [str(run.host["git"])[:12] for run in known.runs[:5] if run.host.get("git")],
        "device": [cell.device for cell in cells], "runtime": [cell.runtime for cell in cells],
        "variant": [name for cell in cells for name in (cell.precision, cell.model)]}
    chosen = of_kind[kind] if kind else [
        *of_kind["run"], *of_kind["device"], *of_kind["runtime"], *of_kind["variant"]]
    return list(dict.fromkeys(chosen))
