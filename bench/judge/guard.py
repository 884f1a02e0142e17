"""What must be alike for two cells to be compared, and what of it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal

from bench.collect.circumstances import AND, CONTENTION, DATASET, DISTURBED, NAMES
from bench.errors import ConfigError
from bench.judge.types import Difference
from bench.results import CellResult
from bench.words import nearest

Kind = Literal["run", "device", "runtime", "variant"]

ALL: Final = "all"
UNTOLD: Final = "not known"
AGAIN: Final = "disturbed by other processes: measure again"
BEFORE: Final = "disturbed by other processes"
NOTED: Final = ("converter",)
"""Another converter makes another artifact, which is what a comparison is there to find: said, and no hindrance."""
_OF_DEVICE: Final = ("os", "cpu", "libraries", "governor", "power-mode", "cores")
_OF_RUNTIME: Final = ("runtime", "delegate", "libraries", "options", "input-shape", "inputs")
"""Of another runtime the input may be laid out otherwise (NHWC), from the same values."""
_OF_VARIANT: Final = ("inputs",)
"""A quantized file may want the same values in another encoding."""
_WHERE_BOTH_TELL: Final[dict[str, tuple[str, ...]]] = {"device": ("charging",)}
"""A board without a battery cannot tell of charging."""


def differences(before: CellResult, after: CellResult, kind: Kind) -> tuple[Difference, ...]:
    """The circumstances that hinder a comparison of the two, in the order of `NAMES`.

    What the two sides are chosen to differ by is left out: of two devices their systems and clocks, of two runtimes
    their versions and options, of two variants how their inputs are encoded. One that only one side knows counts, but
    for contention: a disturbed side hinders, whatever the other one was, and what is not known does not.
    """
    left_out = (*NOTED, CONTENTION, *_expected(before, after, kind))
    both = _WHERE_BOTH_TELL.get(kind, ())
    found = _unlike(before.circumstances, after.circumstances, (name for name in NAMES if name not in left_out))
    alike = tuple(item for item in found if item.name not in both or UNTOLD not in (item.before, item.after))
    return (*alike, *_contention(before, after))


def _contention(before: CellResult, after: CellResult) -> tuple[Difference, ...]:
    told = [cell.circumstances.get(CONTENTION, UNTOLD) for cell in (before, after)]
    then, now = (DISTURBED in text.split(AND) for text in told)
    if not (then or now):
        return ()
    return (Difference(CONTENTION, BEFORE if then else told[0], AGAIN if now else told[1]),)


def noted(before: CellResult, after: CellResult) -> tuple[Difference, ...]:
    """What differs and is no hindrance: the model's file (the beginnings of its sha256), the converter's version."""
    files = _unlike({"model's file": (before.source or "")[:12]}, {"model's file": (after.source or "")[:12]},
                    ("model's file",) if before.source and after.source and before.model == after.model else ())
    return (*files, *_unlike(before.circumstances, after.circumstances, NOTED))


def hindering(found: Iterable[Difference], despite: Collection[str]) -> tuple[Difference, ...]:
    """Those that the user does not let pass."""
    return () if ALL in despite else tuple(item for item in found if item.name not in despite)


def scored_alike(before: CellResult, after: CellResult, despite: Collection[str] = ()) -> bool:
    """Whether both have an accuracy, and of one and the same labelled set: by the metric, how many there are, and the
    data and labels themselves, unless the user lets another dataset pass."""
    one, other = before.accuracy, after.accuracy
    if one is None or other is None or (one.metric, one.count) != (other.metric, other.count):
        return False
    return not hindering(_unlike(before.circumstances, after.circumstances, (DATASET,)), despite)


def parse_despite(text: str | None) -> frozenset[str]:
    """`os,runtime` as names. Raises ConfigError for one that is no circumstance."""
    names = frozenset(name.strip() for name in (text or "").split(",") if name.strip())
    for name in sorted(names):
        if name not in (*NAMES, ALL):
            raise ConfigError(f"--despite: no circumstance is named {name!r}{nearest(name, (*NAMES, ALL))}")
    return names


def _expected(before: CellResult, after: CellResult, kind: Kind) -> tuple[str, ...]:
    """What the two sides differ by because of what was asked."""
    if kind == "device":
        return _OF_DEVICE
    other_runtime = (before.runtime, before.delegate) != (after.runtime, after.delegate)
    if kind == "runtime" or (kind == "variant" and other_runtime):
        return _OF_RUNTIME
    return _OF_VARIANT if kind == "variant" else ()


def _unlike(before: dict[str, str], after: dict[str, str], names: Iterable[str]) -> tuple[Difference, ...]:
    return tuple(Difference(name, before.get(name, UNTOLD), after.get(name, UNTOLD)) for name in names
                 if before.get(name) != after.get(name))
