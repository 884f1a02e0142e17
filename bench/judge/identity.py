"""Which runs are one history: those of one suite, wherever its folder lies now, and not of another of the same name.

docs/decisions/0013 says how suites are told apart and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from bench.config.yaml import YamlError, read_yaml
from bench.store.records import RunRecord

SHOWN: Final = 12
"""Of a commit: enough to tell two apart by eye."""
ALIKE: Final = 0.5
"""The share of the smaller suite's models that both must have for one to be the other, moved."""

_Places = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Origin:
    """Where a suite comes from. `repository`: what its git repository is known by (`root:` and a first commit,
    `remote:` and an address), none outside of git; `path` is within the repository, else absolute. `id` is what the
    suite calls itself. `continues` is the run whose history goes on though it was found elsewhere."""

    id: str | None
    repository: tuple[str, ...]
    path: str
    continues: str | None = None


@dataclass
class _History:
    """Runs of one suite, in the order of time."""

    first: str
    suite: str
    id: str | None
    places: _Places
    runs: list[RunRecord] = field(default_factory=list)


def histories(runs: Iterable[RunRecord]) -> dict[str, str]:
    """By run, the history it belongs to: the id of that history's first run."""
    found = _histories(runs)
    return {run.id: history.first for history in found for run in history.runs}


def same_history(runs: Iterable[RunRecord], of: RunRecord) -> list[RunRecord]:
    """Those of `runs` in the history of one of them, in the order given; `of` itself among them."""
    listed = list(runs)
    known = histories(listed if any(run.id == of.id for run in listed) else [*listed, of])
    return [run for run in listed if known[run.id] == known[of.id]]


def origin_of(run: RunRecord) -> Origin | None:
    """What the run recorded of its suite's origin; None for one of before that was recorded."""
    told = run.host.get("suite")
    if not isinstance(told, Mapping):
        return None
    return Origin(told.get("id"), tuple(told.get("repository") or ()), str(told.get("path")), told.get("continues"))


def history_notes(host: Mapping[str, Any]) -> tuple[str, ...]:
    """What a run's host recorded that a reader must know of its suite's history (`Continuation.notes`)."""
    told = host.get("suite")
    return tuple(map(str, told.get("notes") or ())) if isinstance(told, Mapping) else ()


@dataclass(frozen=True)
class Continuation:
    """The run whose history a new run goes on with (None: a history of its own, or one that is found by its place),
    and what a reader of the run must know of that."""

    run: str | None = None
    notes: tuple[str, ...] = ()


def find_continuation(origin: Origin, suite: str, text: str, path: Path, runs: Iterable[RunRecord],
                      root: Path | None, holds_commit: Any) -> Continuation:
    """How a suite that is about to run goes on with what the store has of its name.

    `path` is the suite's file, `root` its repository's folder, `holds_commit` tells whether that repository has a
    commit. A suite that was moved is known by its old place being empty; one that was copied has two places.
    """
    known = _histories(runs)
    if _match(known, suite, origin, _places(origin)) is not None:
        return Continuation()
    others = sorted((history for history in known if history.suite == suite and history.id in (None, origin.id)),
                    key=lambda history: history.runs[-1].order, reverse=True)
    for history in others:
        last = history.runs[-1]
        if _is_here(last, path, origin, holds_commit):
            return Continuation(last.id)
        if _has_moved(last, origin, text, root):
            return Continuation(last.id, (
                f"this run goes on with the history of run {last.id}: its suite was at {last.suite_path}, where it is "
                "no longer",))
    apart = [_apart(history) for history in known if history.suite == suite]
    return Continuation(None, (*_renamed(known, suite, origin, path), *apart))


def revision(host: Mapping[str, Any], digits: int = SHOWN) -> str:
    """The commit that a run was of: `1a2b3c4d5e6f`, or `1a2b3c4d5e6f + changes` of an edited working tree; empty where
    it is not known."""
    commit = host.get("git")
    if not commit:
        return ""
    return f"{str(commit)[:digits]}{' + changes' * has_changes(host)}"


def has_changes(host: Mapping[str, Any]) -> bool:
    """Whether the run was of something else than its commit; also where that could not be found out."""
    return "changes" in host and (host["changes"] is None or bool(host["changes"].get("count")))


def _histories(runs: Iterable[RunRecord]) -> list[_History]:
    ordered = sorted(runs, key=lambda run: run.order)
    lasting = _lasting(ordered)
    found: list[_History] = []
    for run in ordered:
        origin = origin_of(run)
        history = (_match(found, run.suite, origin, _places(origin)) if origin
                   else _match_old(found, run, lasting))
        places = _places(origin) if origin else frozenset({("file", run.suite_path)})
        if history is None:
            history = _History(run.id, run.suite, None, places)
            found.append(history)
        moved = origin is not None and origin.continues is not None
        history.places = places if moved else history.places | places
        history.id = (origin.id if origin else None) or history.id
        history.suite = run.suite
        history.runs.append(run)
    return found


def _match(known: Sequence[_History], suite: str, origin: Origin, places: _Places) -> _History | None:
    """The history that a suite of this origin belongs to, the one that was added to last where there are several."""
    newest = sorted(known, key=lambda history: history.runs[-1].order, reverse=True)
    if origin.id is not None:
        named = (history for history in newest
                 if history.id == origin.id or any(run.id == origin.id for run in history.runs))
        found = next(named, None)
        if found is not None:
            return found
    if origin.continues is not None:
        found = next((history for history in newest if any(run.id == origin.continues for run in history.runs)), None)
        if found is not None:
            return found
    return next((history for history in newest if history.suite == suite and history.places & places
                 and (origin.id is None or history.id is None)), None)


def _match_old(known: Sequence[_History], run: RunRecord,
               lasting: Mapping[tuple[str, str], tuple[int, int]]) -> _History | None:
    """For a run that recorded no origin: the history of the same file, else one that ended before the file's first run
    and has models of its. A file that went on being run beside it is another suite."""
    place = ("file", run.suite_path)
    mine = [history for history in known if history.suite == run.suite]
    here = next((history for history in mine if place in history.places), None)
    if here is not None:
        return here
    begun = lasting[run.suite, run.suite_path][0]
    over = [history for history in mine
            if all(origin_of(other) is None and lasting[other.suite, other.suite_path][1] < begun
                   for other in history.runs) and _alike(history.runs[-1].suite_text, run.suite_text)]
    return over[-1] if over else None


def _lasting(ordered: Sequence[RunRecord]) -> dict[tuple[str, str], tuple[int, int]]:
    """By name and file of runs that recorded no origin: the places of the first and the last in the order of time."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for number, run in enumerate(ordered):
        if origin_of(run) is None:
            first = found.get((run.suite, run.suite_path), (number, number))[0]
            found[run.suite, run.suite_path] = (first, number)
    return found


def _places(origin: Origin) -> _Places:
    """What a suite is found again by: its path in each of its repository's names, or its file."""
    if not origin.repository:
        return frozenset({("file", origin.path)})
    return frozenset((name, origin.path) for name in origin.repository)


def _is_here(last: RunRecord, path: Path, origin: Origin, holds_commit: Any) -> bool:
    """Whether the earlier run was of this very file: at the same path, or (of a run that recorded no origin) from
    another copy of this repository."""
    before = origin_of(last)
    if before is not None and before.repository and origin.repository:
        return False
    if last.suite_path == str(path):
        return True
    commit = last.host.get("git")
    inside = bool(origin.repository) and f"/{last.suite_path}".endswith(f"/{origin.path}")
    return before is None and inside and bool(commit) and bool(holds_commit(str(commit)))


def _has_moved(last: RunRecord, origin: Origin, text: str, root: Path | None) -> bool:
    """Whether the earlier suite is no longer where it was, and this one has its models; of two repositories never."""
    before = origin_of(last)
    if before is not None and before.repository and origin.repository:
        if root is None or not set(before.repository) & set(origin.repository):
            return False
        return not (root / before.path).exists() and _alike(last.suite_text, text)
    return not Path(last.suite_path).exists() and _alike(last.suite_text, text)


def _renamed(known: Sequence[_History], suite: str, origin: Origin, path: Path) -> Sequence[str]:
    """What to know where this very file was run by another name: its history does not go on by itself, for a file may
    have become another suite. Of several names the newest; none where the two say by `id:` that they are not one."""
    places = _places(origin) | {("file", str(path))}
    here = [history for history in known if history.suite != suite and history.id in (None, origin.id)
            and history.places & places]
    if not here:
        return ()
    last = max(here, key=lambda history: history.runs[-1].order).runs[-1]
    return (f"this file was run as {last.suite} until run {last.id}: a new history begins, and nothing is compared "
            f"with those runs. To go on with them, write `id: {last.id}` in the suite",)


def _apart(history: _History) -> str:
    last = history.runs[-1]
    count = "1 run" if len(history.runs) == 1 else f"{len(history.runs)} runs"
    return (f"the store has {count} of another suite named {history.suite}, at {last.suite_path}: this run is not "
            f"compared with them. If they are the same suite, write `id: {last.id}` in this one")


def _alike(before: str, after: str) -> bool:
    """Whether half of the smaller suite's models are models of the other, from the same source; of a text that is not
    known nothing speaks against it."""
    one, other = _models(before), _models(after)
    if not one or not other:
        return True
    return len(one & other) >= ALIKE * min(len(one), len(other))


@lru_cache(maxsize=64)
def _models(text: str) -> frozenset[tuple[str, str]]:
    try:
        data = read_yaml(text).data
    except YamlError:
        return frozenset()
    models = data.get("models") if isinstance(data, dict) else None
    if not isinstance(models, dict):
        return frozenset()
    return frozenset((name, repr(model.get("source") if isinstance(model, dict) else None))
                     for name, model in models.items())
