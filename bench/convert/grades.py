"""How near is near enough, by precision: one rule for the gate of conversions and for the check of every trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.convert.lost_samples import LostSamples
from bench.convert.parts import Part
from bench.convert.types import Gate
from bench.words import counted

DIFFERS_DB: Final[Mapping[str, float]] = {"fp32": 40.0, "fp16": 25.0}
"""An SQNR below it is not that precision's rounding: something else is wrong. 10 dB for all other precisions."""
RUINED_DB: Final = 5.0
"""Below it a quantized file is not worth measuring. Of fp32 and fp16 none is that does not have what it must."""
POOR_DB: Final[Mapping[str, float]] = {"fp32": 60.0, "fp16": 40.0}
"""Below it outputs are worse than that precision usually gives; 20 dB for all other precisions."""
VARYING_DB: Final = 10.0
"""An output most of which is an offset (6000 and ten scores, 300 K) must still be that near in what varies."""
EQUAL: Final = 0.5
"""The share of labels, indices or masks that must be equal; below `AGREEING` they are poor."""
AGREEING: Final = 0.8
"""The share of samples of which the same class must come first, where it is known that outputs are classes."""


@dataclass(frozen=True)
class Grade:
    """Ok, or poor or differs and why; `short` is what made it poor, in a word or a number: `12.9 dB`, `part`,
    `sample`."""

    state: Literal["ok", "poor", "differs"]
    reason: str = ""
    short: str = ""


def differs_below_db(precision: str) -> float:
    """The SQNR in dB that outputs of a precision must have."""
    return DIFFERS_DB.get(precision, 10.0)


def refused_below_db(precision: str) -> float:
    """The SQNR in dB below which a file is not measured at all. Above it the reader sees what it gives, and how fast:
    a nearly binary mask loses much at its edges and little in use."""
    return DIFFERS_DB.get(precision, RUINED_DB)


def grade(found: Gate, precision: str, names: Sequence[str] = (), agreement: float | None = None) -> Grade:
    """What outputs that compare so with the reference's are worth.

    `names` are the outputs' names, where they are known; `agreement` is the share of equal arg-max of an output that
    holds a class's score per entry, None of any other.
    """
    least, usual = differs_below_db(precision), POOR_DB.get(precision, 20.0)
    if found.sqnr_db < least:
        return Grade("differs", f"SQNR {found.sqnr_db:.1f} dB against fp32, {precision} must have at least {least:g}")
    # What fp32 and fp16 make constant was not rounded away.
    lost = [part for part in found.poor if part.lost or (
        precision in DIFFERS_DB and part.kind == "constant" and not part.minor)]
    if lost:
        return Grade("differs", _listed("lost", lost, names))
    noisier = [each for each in found.samples if each.kind == "noisier"]
    if noisier and precision in DIFFERS_DB:  # no rounding is that much worse on some samples
        return Grade("differs", f"lost: {samples_text(noisier[0], names)}")
    unequal = f"only {100 * found.equal:.0f} % of the values of an output of integers are those of fp32"
    if found.equal < EQUAL:
        return Grade("differs", unequal)
    reasons: dict[str, str] = {}
    if found.sqnr_db < usual and not math.isinf(found.sqnr_db):
        reasons[f"{found.sqnr_db:.1f} dB"] = (
            f"SQNR {found.sqnr_db:.1f} dB against fp32, {precision} usually has {usual:g}")
    if found.varying_db < VARYING_DB:
        reasons["offset"] = f"about the mean of an output the SQNR is only {found.varying_db:.1f} dB"
    if found.equal < AGREEING:
        reasons["labels"] = unequal
    if found.poor:
        reasons["part"] = _listed("parts", found.poor, names)
    if found.samples:
        reasons["sample"] = samples_text(found.samples[0], names)
    if agreement is not None and agreement < AGREEING:
        reasons[f"{100 * agreement:.0f} %"] = (
            f"only {100 * agreement:.0f} % of samples have the same class first as fp32")
    if not reasons:
        return Grade("ok")
    return Grade("poor", f"poor outputs: {'; '.join(reasons.values())}", next(iter(reasons)))


def samples_text(lost: LostSamples, names: Sequence[str] = ()) -> str:
    """`output 'mass', 3 of 8 samples: 2.1 dB on sample 5 alone, with far more noise than the others`."""
    why = "with far more noise than the others" if lost.kind == "noisier" else "the largest values hide it"
    return (f"output {_name(lost.output, names)}, {lost.count} of {lost.size} samples: {lost.sqnr_db:.1f} dB on sample "
            f"{lost.sample} alone, {why}")


def part_text(part: Part, names: Sequence[str] = ()) -> str:
    """`output 'boxes', index 4 to 5 of axis 1 (6): constant 0 where fp32 has 0.0003 to 0.99`.

    Axes are those of the output as the model gives it, counted from 0.
    """
    indices = str(part.first) if part.first == part.last else f"{part.first} to {part.last}"
    where = f"output {_name(part.output, names)}, index {indices} of axis {part.axis} ({part.size})"
    if part.kind == "noise":
        return f"{where}: {part.sqnr_db:.1f} dB"
    return f"{where}: {part.kind} {part.value:g} where fp32 has {part.low:.3g} to {part.high:.3g}"


def _name(output: int, names: Sequence[str]) -> str:
    return repr(names[output]) if output < len(names) else str(output)


def _listed(word: str, parts: Sequence[Part], names: Sequence[str]) -> str:
    more = f", and {counted(len(parts) - 1, 'more part')}" if len(parts) > 1 else ""
    return f"{word}: {part_text(parts[0], names)}{more}"
