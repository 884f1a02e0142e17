"""Which cell to use on each device: the best within limits, what it is equal to, and why not the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from bench.errors import ConfigError
from bench.judge.candidates import Held, Objective, Wishes, excluded_most, hold, refusal
from bench.judge.ranking import may_be_lower
from bench.judge.trust import UNDISTURBED
from bench.judge.types import Pair, Verdict
from bench.judge.verdict import MARGIN, judge
from bench.results import CellResult, RunResult
from bench.units import MIB
from bench.words import nearest

Standing = Literal["chosen", "equal", "behind", "beyond a limit", "cannot tell", "refused"]

ORDER: Final = "accuracy, then memory, then size"
"""By which one of several equal cells is chosen."""
EMULATED: Final = "an emulated device: its timings are not the device's"


@dataclass(frozen=True)
class Candidate:
    """A cell, how it stands and why. `losses` is what it loses against the choice, `gains` what it has over it, in
    words. `front`: no other candidate is at least as good in latency, memory, size and accuracy, and better in one."""

    cell: CellResult
    standing: Standing
    reason: str
    losses: tuple[str, ...] = ()
    gains: tuple[str, ...] = ()
    front: bool = False


@dataclass(frozen=True)
class Recommendation:
    """For one device: the chosen cell (None: none, `reason` says why), and all cells of the model, the choice first,
    then the equal ones, those behind by the objective, and those that may not be chosen. `hint` is what to do."""

    device: str
    model: str
    emulated: bool
    choice: CellResult | None
    candidates: tuple[Candidate, ...]
    reason: str
    hint: str = ""

    @property
    def equal(self) -> tuple[CellResult, ...]:
        """Cells that cannot be told from the choice by the objective."""
        return tuple(item.cell for item in self.candidates if item.standing == "equal")

    @property
    def front(self) -> tuple[CellResult, ...]:
        """The Pareto front over latency, memory, size and accuracy, of the cells that may be recommended."""
        return tuple(item.cell for item in self.candidates if item.front)


def recommend(result: RunResult, model: str, wishes: Wishes) -> tuple[Recommendation, ...]:
    """A recommendation for each device that the model was planned on, in the order of the result.

    Raises ConfigError for a model that the run does not have, and for the objective energy, which is not measured.
    """
    if wishes.objective == "energy":
        raise ConfigError("no energy is measured by this version",
                          hint="choose another objective: latency, memory or size")
    models = list(dict.fromkeys(cell.model for cell in result.cells))
    if model not in models:
        raise ConfigError(f"run {result.run.id} has no model {model!r}{nearest(model, models)}")
    cells = [cell for cell in result.cells if cell.model == model]
    labelled = any(cell.accuracy for cell in cells)
    return tuple(_for_device([cell for cell in cells if cell.device == device], wishes, labelled)
                 for device in dict.fromkeys(cell.device for cell in cells))


def _for_device(cells: Sequence[CellResult], wishes: Wishes, labelled: bool) -> Recommendation:
    device, model, emulated = cells[0].device, cells[0].model, any(cell.emulated for cell in cells)
    timed = wishes.objective == "latency" or wishes.max_latency_ms is not None
    # Others' work moves neither memory nor a file's size.
    but = () if timed else (UNDISTURBED,)
    refused = {cell.cell: EMULATED if emulated else refusal(cell, labelled, but) for cell in cells}
    fit = [cell for cell in cells if not refused[cell.cell]]
    held = {cell.cell: hold(cell, wishes) for cell in fit}
    kept = [cell for cell in fit if all(item.state == "kept" for item in held[cell.cell])]
    front = {cell.cell for cell in pareto(fit)}
    chosen, verdicts = _choose(kept, wishes.objective)
    found = [Candidate(cell, "refused", refused[cell.cell]) if refused[cell.cell]
             else _candidate(cell, held[cell.cell], chosen, verdicts, wishes.objective) for cell in cells]
    rivals = [] if emulated else [cell for cell in cells if refused[cell.cell] and not refusal(
        cell, labelled, (UNDISTURBED,)) and _may_win(cell, chosen, wishes)]
    found = [replace(_undecided(item, rivals), front=item.cell.cell in front) for item in found]
    if rivals:
        reason, hint = _again(rivals, chosen)
        chosen = None
    else:
        reason, hint = _why(chosen, found, held, fit, emulated, labelled)
    return Recommendation(device, model, emulated, chosen,
                          tuple(sorted(found, key=lambda item: _rank(item, wishes.objective))), reason, hint)


def _may_win(cell: CellResult, choice: CellResult | None, wishes: Wishes) -> bool:
    """Whether a disturbed cell may be the better choice once it is measured undisturbed: it keeps the limits that
    others' work does not move, and may be fast enough."""
    if any(item.state == "broken" for item in hold(cell, replace(wishes, max_latency_ms=None))):
        return False
    if wishes.max_latency_ms is not None and not may_be_lower(cell, wishes.max_latency_ms):
        return False
    if choice is None:
        return True
    if wishes.objective == "latency":
        return may_be_lower(cell, _value(choice, "latency"))
    return _value(cell, wishes.objective) <= _value(choice, wishes.objective)


def _undecided(item: Candidate, rivals: Sequence[CellResult]) -> Candidate:
    """How a cell stands while others must be measured again: none is chosen, and none equal to the choice."""
    if any(item.cell is rival for rival in rivals):
        return replace(item, standing="cannot tell", reason=f"measure again: {item.cell.disturbed}")
    if rivals and item.standing in ("chosen", "equal"):
        names = ", ".join(rival.cell for rival in rivals)
        return replace(item, standing="cannot tell", reason=f"{names} was disturbed and may be better", losses=(),
                       gains=())
    return item


def _again(rivals: Sequence[CellResult], chosen: CellResult | None) -> tuple[str, str]:
    """The reason and the hint where a neighbour's work would decide."""
    told = "; ".join(f"{cell.cell} was disturbed: {cell.disturbed}" for cell in rivals)
    others = f"; of the cells that were not disturbed it would be {chosen.cell}" if chosen else ""
    return f"measure again: {told}", f"run again when nothing else runs on the device{others}"


def pareto(cells: Sequence[CellResult]) -> list[CellResult]:
    """Cells than which no other is at least as good in p50, peak memory, size and accuracy, and better in one; what is
    not known counts as worst."""
    values = [(*(_value(cell, name) for name in ("latency", "memory", "size")), -_score(cell)) for cell in cells]
    return [cell for cell, mine in zip(cells, values, strict=True)
            if not any(other != mine and all(theirs <= own for theirs, own in zip(other, mine, strict=True))
                       for other in values)]


def _choose(cells: Sequence[CellResult], objective: Objective) -> tuple[CellResult | None, dict[str, Verdict]]:
    """The choice, and the verdicts of the others against the best by the objective's measured value, by cell."""
    if not cells:
        return None, {}
    best = min(cells, key=lambda cell: (_value(cell, objective), *_tie(cell)))
    others = [cell for cell in cells if cell is not best]
    verdicts = dict(zip((cell.cell for cell in others), _judged(best, others, objective), strict=True))
    equal = [best, *(cell for cell in others if not _is_behind(verdicts[cell.cell]))]
    return min(equal, key=_tie), verdicts


def _is_behind(verdict: Verdict) -> bool:
    """Whether a cell is worse than the best, or all of its interval is, and only too few trials keep it from being
    called so."""
    beyond = verdict.low is not None and verdict.low > 1 + MARGIN
    return verdict.call == "worse" or (verdict.call == "cannot tell" and beyond)


def _judged(best: CellResult, others: Sequence[CellResult], objective: Objective) -> Sequence[Verdict]:
    """The others against the best: by their trials, all together; a size is exact."""
    if objective == "size":
        return [_exact(_value(cell, "size") / _value(best, "size")) for cell in others]
    known = [cell for cell in others if _trials(best, objective) and _trials(cell, objective)]
    told = dict(zip((cell.cell for cell in known), judge(
        [Pair(cell.cell, _trials(best, objective), _trials(cell, objective), same_run=True,
              in_turn=not (best.left_out or cell.left_out), trial_seconds=cell.trial_seconds)
         for cell in known]), strict=True))
    unknown = Verdict("worse", math.inf, None, None, None, None, f"its {objective} is not known")
    return [told.get(cell.cell, unknown) for cell in others]


def _exact(ratio: float) -> Verdict:
    return Verdict("same" if ratio == 1 else "worse", ratio, ratio, ratio, None, None, "exact")


def _trials(cell: CellResult, objective: Objective) -> tuple[float, ...]:
    return cell.trial_medians_ms if objective == "latency" else cell.trial_peak_rss_mib


def _candidate(cell: CellResult, held: Sequence[Held], choice: CellResult | None, verdicts: dict[str, Verdict],
               objective: Objective) -> Candidate:
    """How a cell that may be recommended stands."""
    losses, gains = against(choice, cell) if choice and cell is not choice else ((), ())
    broken = [item.reason for item in held if item.state == "broken"]
    untold = [item.reason for item in held if item.state == "inconclusive"]
    if broken or untold:
        standing: Standing = "beyond a limit" if broken else "cannot tell"
        return Candidate(cell, standing, "; ".join(broken or untold), losses, gains)
    close = "; ".join(item.reason for item in held if "uncertainty" in item.reason)
    if cell is choice:
        return Candidate(cell, "chosen", close)
    verdict = verdicts.get(cell.cell)
    if verdict is None or not _is_behind(verdict):
        told = "" if verdict is None else _told(verdict)
        return Candidate(cell, "equal", f"equal by {objective}{told}; chosen by {ORDER}", losses, gains)
    sure = "" if verdict.call == "worse" else "most likely "
    return Candidate(cell, "behind", f"{sure}worse by {objective}: {verdict.reason}", losses, gains)


def _told(verdict: Verdict) -> str:
    if verdict.call == "same":
        return f" ({verdict.reason})"
    if verdict.call == "better":
        return f" (its median trial is no better, and all trials together are: {verdict.reason})"
    more = f", {verdict.more_trials} more trials of each would tell" if verdict.more_trials else ""
    return f" (not told apart: {verdict.reason}{more})"


def against(choice: CellResult, cell: CellResult) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a cell loses against the choice, and what it gains: `+40 % latency`, `+12 MiB memory`, `-0.7 pp`."""
    latency = _value(cell, "latency") / _value(choice, "latency") - 1
    changes = [(latency, f"{100 * latency:+.0f} % latency", 0.005)]
    for name in ("memory", "size"):
        mib = _value(cell, name) - _value(choice, name)
        changes.append((mib, f"{mib:+.1f} MiB {name}", 0.05))
    points = 100 * (_score(cell) - _score(choice))
    changes.append((-points, f"{points:+.1f} pp", 0.05))
    told = [change for change in changes if math.isfinite(change[0]) and abs(change[0]) >= change[2]]
    return (tuple(text for value, text, _ in told if value > 0), tuple(text for value, text, _ in told if value < 0))


def _why(choice: CellResult | None, candidates: Sequence[Candidate], held: dict[str, list[Held]],
         fit: Sequence[CellResult], emulated: bool, labelled: bool) -> tuple[str, str]:
    """The reason and the hint of a recommendation."""
    if choice is not None:
        equal = sum(item.standing == "equal" for item in candidates)
        return (f"chosen among {equal + 1} equal cells by {ORDER}" if equal else "", "")
    if emulated:
        return EMULATED, "measure on the device itself"
    if not fit:
        (common, count), = Counter(item.reason for item in candidates).most_common(1)
        hint = "" if labelled else "give the model labelled data in the suite: dataset: {inputs: x.npy, labels: y.npy}"
        return f"none of its cells can be relied on; most often, {count} of {len(candidates)}: {common}", hint
    limit = excluded_most(held.values())
    near = min(fit, key=lambda cell: max(item.excess for item in held[cell.cell] if item.state != "kept"))
    reasons = "; ".join(item.reason for item in held[near.cell] if item.state != "kept")
    count = sum(any(item.limit == limit and item.state != "kept" for item in each) for each in held.values())
    return (f"no cell keeps all limits; {limit} excludes the most: {count} of {len(fit)}",
            f"the nearest is {near.cell}: {reasons}")


def _rank(item: Candidate, objective: Objective) -> tuple[object, ...]:
    standings: Iterable[Standing] = ("chosen", "equal", "behind", "cannot tell", "beyond a limit", "refused")
    return list(standings).index(item.standing), _value(item.cell, objective), *_tie(item.cell)


def _tie(cell: CellResult) -> tuple[float, ...]:
    """Sorts equal cells: accuracy to a tenth of a point, memory, size, and p50 where all else is equal."""
    return -round(_score(cell), 3), _value(cell, "memory"), _value(cell, "size"), _value(cell, "latency")


def _value(cell: CellResult, name: str) -> float:
    """In ms or MiB; infinite where it is not known."""
    values = {"latency": cell.latency_ms.p50, "memory": cell.memory_mib.peak_rss,
              "size": cell.artifact.bytes / MIB if cell.artifact else None}
    value = values[name]
    return math.inf if value is None else value


def _score(cell: CellResult) -> float:
    return cell.accuracy.value if cell.accuracy else 0.0
