"""What there is to trust in a cell's numbers: eleven checks, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bench import stats
from bench.collect.circumstances import differing
from bench.judge.types import LEAST_TRIALS as LEAST_EQUAL
from bench.judge.types import NoiseFloor
from bench.results import CellResult, Check, CheckState, RunResult, Steadiness
from bench.words import counted

LEAST_TRIALS: Final = 3
"""With fewer the interval of a median says next to nothing: Student's t of two values is 12.7."""
COMPARABLE_TRIALS: Final = 5
"""From so many on two cells can be told apart at all: the smallest p of a rank test of 5 against 5 is 0.008."""
ONLY_PLACE: Final = ("cpu", "builtin")
"""Delegates that have no other place to put an operator than the processor."""

_Told = tuple[CheckState, str]
_Floors = Mapping[tuple[str, str], NoiseFloor]


def with_checks(result: RunResult, floors: _Floors) -> RunResult:
    """The same with the checks of each measured cell, in the order of `CHECKS`. `floors` are by device and runtime."""
    return replace(result, cells=tuple(
        replace(cell, checks=checks_of(cell, floors.get((cell.device, cell.runtime)))) if cell.status == "ok" else cell
        for cell in result.cells))


def checks_of(cell: CellResult, floor: NoiseFloor | None) -> tuple[Check, ...]:
    """The checks of one measured cell, in the order of `CHECKS`."""
    told = {name: check(cell) for name, check in _CHECKS.items()} | {_NOISE: _noise(floor)}
    return tuple(Check(name, *told[name]) for name in CHECKS)


def _outputs(cell: CellResult) -> _Told:
    found = cell.outputs
    if found is None:
        return "unknown", "no outputs were compared with the fp32 reference's"
    cosine = "" if found.cosine is None else f": cosine {found.cosine:.6g}"
    if found.wrong:
        return "failed", f"the outputs are not those of the fp32 reference{cosine}"
    if found.state != "ok":
        return "unknown", found.reason or "the outputs could not be compared with the fp32 reference's"
    return "passed", f"the outputs are close to the fp32 reference's in every trial{cosine}"


def _accuracy(cell: CellResult) -> _Told:
    found = cell.accuracy
    if found is None:
        return "unknown", "it was not scored on labelled data"
    if found.suspect:
        return "unknown", found.suspect
    drop = "" if found.drop is None else f", {100 * found.drop:.2f} points less than the fp32 reference"
    return "passed", f"{found.metric} {100 * found.value:.1f} % of {found.count} labelled inputs{drop}"


def _placement(cell: CellResult) -> _Told:
    if cell.delegate in ONLY_PLACE:
        return "passed", f"the delegate {cell.delegate} runs every operator on the processor"
    return "unknown", f"the runtime does not tell which operators the delegate {cell.delegate} took"


def _clocks(cell: CellResult) -> _Told:
    clocks, pace = _of(cell, "clocks"), _of(cell, "pace")
    if clocks and clocks.unsteady:
        return "failed", f"{clocks.seen} in {clocks.unsteady} of {clocks.told} trials"
    slowed = f"{pace.seen} in {pace.unsteady} of {pace.told} trials" if pace and pace.unsteady else ""
    if pace and slowed and (pace.unsteady > 1 or pace.told == 1):
        return "failed", f"{slowed}{'' if clocks and clocks.told else '; no clocks were told'}"
    if clocks is None or not clocks.told:
        return "unknown", "no clocks were told" + (f"; {slowed}" if slowed else "")
    return "passed", f"{clocks.seen} in {_told_in(clocks, cell)}" + (f"; {slowed}" if slowed else "")


def _temperature(cell: CellResult) -> _Told:
    seen = _of(cell, "temperature")
    if seen is None or not seen.told:
        return "unknown", "no temperature was told"
    if seen.unsteady:
        return "failed", f"{seen.seen} in {seen.unsteady} of {seen.told} trials"
    return "passed", f"{seen.seen} in {_told_in(seen, cell)}"


def _processor(cell: CellResult) -> _Told:
    seen = _of(cell, "processor")
    if seen is None or not seen.told:
        return "unknown", "whether other processes took the processor was not told"
    if seen.unsteady:
        return "failed", f"{cell.disturbed}: measure again when nothing else runs"
    return "passed", f"{seen.seen} at most in {_told_in(seen, cell)}"


def _samples(cell: CellResult) -> _Told:
    p90, p99 = stats.minimum_count(90), stats.minimum_count(99)
    if cell.samples < p90:
        return "failed", f"{counted(cell.samples, 'sample')}; {p90} are needed for p90"
    return "passed", f"{counted(cell.samples, 'sample')}" + (
        "" if cell.samples >= p99 else f"; p99, which needs {p99}, is not told")


def _trials(cell: CellResult) -> _Told:
    told = counted(cell.trials, "trial")
    if cell.trials < LEAST_TRIALS:
        return "failed", f"{told}; {LEAST_TRIALS} are needed for an interval that says anything"
    needed = f"{told}; {COMPARABLE_TRIALS} are needed to set it against another"
    return "unknown" if cell.trials < COMPARABLE_TRIALS else "passed", needed


def _noise(floor: NoiseFloor | None) -> _Told:
    if floor is None:
        return "unknown", "how far equal cells differ here is not known: bench noise measures it"
    if not floor.known:
        return "unknown", f"learnt from {floor.trials} trials of equal cells; {LEAST_EQUAL} are needed: bench noise"
    runs = "" if floor.run_sd is None else f", and {100 * floor.run_sd:.1f} % between {floor.runs} runs"
    return "passed", f"equal trials differ by {100 * floor.trial_sd:.1f} % here, of {floor.trials}{runs}"


def _conditions(cell: CellResult) -> _Told:
    if not cell.circumstances:
        return "unknown", "the trials' conditions were not told"
    if cell.trials < 2:
        return "unknown", "one trial has none to be compared with"
    different = differing(cell.circumstances)
    if different:
        shown = "; ".join(f"{name} {values}" for name, values in different.items())
        return "failed", f"its trials ran under different conditions: {shown}"
    return "passed", f"its {cell.trials} trials ran under the same conditions"


def _emulated(cell: CellResult) -> _Told:
    if cell.emulated:
        return "failed", "the device is emulated: its times are those of its emulator"
    return "passed", "the device gives no sign of being emulated"


def _told_in(seen: Steadiness, cell: CellResult) -> str:
    """`5 trials`, or `3 of 5 trials` where some did not tell."""
    few = "" if seen.told == cell.trials else f" of {cell.trials}"
    return f"{seen.told}{few} trials"


def _of(cell: CellResult, what: str) -> Steadiness | None:
    return next((each for each in cell.steadiness if each.what == what), None)


UNDISTURBED: Final = "processor undisturbed"
_NOISE: Final = "noise floor known"
_CHECKS: Final[Mapping[str, Callable[[CellResult], _Told]]] = {
    "outputs verified": _outputs, "accuracy known": _accuracy, "placement verified": _placement,
    "clocks steady": _clocks, "temperature steady": _temperature,
    UNDISTURBED: _processor, "enough samples": _samples,
    "enough trials": _trials, "conditions comparable": _conditions, "not emulated": _emulated}

CHECKS: Final[tuple[str, ...]] = (
    "outputs verified", "accuracy known", "placement verified", "clocks steady", "temperature steady",
    UNDISTURBED, "enough samples", "enough trials", _NOISE, "conditions comparable", "not emulated")
"""In the order that reports show them."""
