"""The gate: no artifact is used before it has run here and its outputs were compared with the fp32 reference.

It exists because converters fail silently: some write the file unchanged, some ruin its outputs, all exit with 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.convert import lost_samples, parts
from bench.convert.execute import Samples, read_samples, run_file
from bench.convert.grades import grade, refused_below_db
from bench.convert.late_state import order_of_calls
from bench.convert.measures import (
    cosine,
    equal_share,
    has_infinities,
    max_abs,
    sqnr_db,
    strange_count,
    varying_sqnr_db,
    without_infinities,
)
from bench.convert.recipe import Work
from bench.convert.sameness import same
from bench.convert.types import Gate, uncompared
from bench.convert.varying import other_shape, paired, unpacked, varies
from bench.convert.wire import Passed
from bench.errors import ConfigError, MissingExtra, ModelError
from bench.models.spec import ModelInfo

Array = npt.NDArray[np.generic]

REVISION = 10
"""Rises whenever the gate would decide otherwise: cached decisions of an older one are then not used."""

EXACT = ("fp32", "fp16", "bf16")
"""Precisions whose outputs show state however little it moves them."""
UNSHRUNK, WEIGHTY_BYTES = 0.9, 100_000
"""A quantized file that keeps more than this part of its base's size; smaller bases are mostly graph, not weights."""


def check(work: Work, format_: str, reference: Path, verification: Path) -> Passed:
    """What the artifact `work.output` is, once it has passed.

    `reference` is an .npz with the fp32 outputs ("0", "1", ...) on the samples of `verification`, none of which was
    calibrated on. A file that lost a part of an output passes with a warning: it is measured, and shown as what it is.
    Raises ModelError when the file was not quantized, does not run, or gives outputs of another shape, not finite, or
    ruined, or lost the model's state.
    """
    info = _open(work.output, format_)
    _check_quantized(info, work)
    samples = read_samples(verification, work.inputs)
    executed = run_file(info, work.inputs, samples)
    with np.load(reference, allow_pickle=False) as arrays:
        wanted = unpacked(arrays)
    _check_shapes(wanted, executed.values)
    if work.probe is not None and work.probe.random:
        gate = uncompared(f"the model draws random numbers ({', '.join(work.probe.random)})")
        return Passed(executed.inputs, executed.places, executed.outputs, gate, tuple(_unshrunk(work)))
    rows = _other_rows(wanted, executed.values)
    if rows and work.precision not in EXACT:
        # Rounding moves values over a threshold: other rows are what such a file gives, and no fault of its making.
        return Passed(executed.inputs, executed.places, executed.outputs, uncompared(rows), (rows, *_unshrunk(work)))
    if rows:
        raise ModelError(rows)
    gate = compare(wanted, executed.values)
    found = grade(gate, work.precision, [spec.name for spec in executed.outputs])
    least_db = refused_below_db(work.precision)
    if gate.sqnr_db < least_db:
        raise ModelError(f"{_lost_state(work)}outputs ruined: SQNR {gate.sqnr_db:.1f} dB against fp32, "
                         f"{work.precision} must have at least {least_db:g} to be measured")
    if work.precision in EXACT and _lost_state(work) and _repeats(info, work, samples):
        raise ModelError(f"{_lost_state(work)}it gives the same outputs again on the same input, the model does not")
    return Passed(executed.inputs, executed.places, executed.outputs, gate,
                  (*([found.reason] if found.reason else []), *_unshrunk(work)))


def _lost_state(work: Work) -> str:
    """What a refusal begins with where outputs are most likely wrong because the export lost the model's state."""
    state = work.probe.state if work.probe is not None else ()
    return f"lost the state that the model keeps between calls ({', '.join(state)}): " if state else ""


def _repeats(info: ModelInfo, work: Work, samples: Samples) -> bool:
    """Whether the file gives the same outputs on the first sample wherever it comes among calls on which the model's
    own outputs depend."""
    assert work.probe is not None
    turns = order_of_calls(len(samples[work.inputs[0].name]), work.probe.calls)
    values = run_file(info, work.inputs, {name: array[turns] for name, array in samples.items()}).values
    return all(same([array[0] for array in values], [array[turn] for array in values])
               for turn, sample in enumerate(turns) if sample == 0)


def compare(wanted: Sequence[Array], found: Sequence[Array]) -> Gate:
    """The worst output's SQNR (dB), cosine and largest difference, and the worst parts of all of them.

    Integer outputs (labels, counts) have no signal to speak of: their ratio counts only when a model has no others.
    Of those that are no pixels (of more than 8 bits, and masks) counts how many values are equal. Formulas:
    `bench.convert.measures`, `bench.convert.parts`, `bench.convert.lost_samples`.
    """
    pairs = dict(enumerate(without_infinities(*paired(*pair)) for pair in zip(wanted, found, strict=True)))
    real = {place: pair for place, pair in pairs.items() if np.issubdtype(pair[0].dtype, np.floating)}
    judged = (real or pairs).values()
    lost = [lost_samples.look_for(place, *pair) for place, pair in real.items()]
    looked = [parts.look_at(place, *pair) for place, pair in real.items()]
    labels = [pair for pair in pairs.values() if pair[0].dtype.kind == "b" or (
        pair[0].dtype.kind in "iu" and pair[0].dtype.itemsize > 1)]
    return Gate(sqnr_db=min(sqnr_db(*pair) for pair in judged), cosine=min(cosine(*pair) for pair in judged),
                max_abs=max(max_abs(*pair) for pair in judged),
                poor=tuple(sorted((part for each in looked for part in each.poor), key=parts.worst_first)),
                worst=min((each.worst for each in looked if each.worst), key=parts.worst_first, default=None),
                varying_db=min((varying_sqnr_db(*pair) for pair in real.values()), default=math.inf),
                equal=min((equal_share(*pair) for pair in labels), default=1.0),
                samples=tuple(each for each in lost if each))


def _open(path: Path, format_: str) -> ModelInfo:
    from bench.models.open import open_model

    try:
        return open_model(path, expected=format_)
    except MissingExtra:
        raise
    except ConfigError as error:
        # Nobody wrote this file by hand: what is wrong with it is the converter's.
        raise ModelError(f"the converter wrote something else: {error.message}") from error


def _check_quantized(info: ModelInfo, work: Work) -> None:
    if work.precision == "fp32":
        return
    if work.base is not None and work.base.read_bytes() == work.output.read_bytes():
        raise ModelError("not quantized: the converter wrote the fp32 file unchanged")
    # By its operators, however small a share of the weights they read, or by what most of its weights are.
    held = {info.computes_in or info.precision, info.precision}
    if held == {"fp32"}:
        raise ModelError(f"not quantized: all weights and activations in the {work.precision} file are still fp32")
    if work.precision not in held:
        raise ModelError(f"asked for {work.precision}, the file that was made holds {' and '.join(sorted(held))}")


def _check_shapes(wanted: Sequence[Array], found: Sequence[Array]) -> None:
    if len(wanted) != len(found):
        raise ModelError(f"the file gives {len(found)} outputs, the model {len(wanted)}")
    for place, (reference, value) in enumerate(zip(wanted, found, strict=True)):
        by_sample = varies(reference, value)
        other = None if by_sample else other_shape(reference, value)
        if other is not None:
            raise ModelError(f"output {place} {other}")
        pairs = zip(reference, value, strict=True) if by_sample else [(reference, value)]
        strange = sum(strange_count(*pair) for pair in pairs)
        if strange:
            other = ", or finite ones where the model's are infinite" if has_infinities(reference) else ""
            raise ModelError(f"outputs not finite: output {place} has {strange} NaN or infinite values{other}")


def _other_rows(wanted: Sequence[Array], found: Sequence[Array]) -> str:
    """Where an output that varies by sample has another shape than the model's; empty where none has."""
    for place, (reference, value) in enumerate(zip(wanted, found, strict=True)):
        other = other_shape(reference, value) if varies(reference, value) else None
        if other is not None:
            return f"output {place} {other}"
    return ""


def _unshrunk(work: Work) -> list[str]:
    """A warning where a quantized file is about as large as its base."""
    base_bytes = work.base.stat().st_size if work.base is not None else 0
    if work.precision == "fp32" or base_bytes < WEIGHTY_BYTES:
        return []
    share = work.output.stat().st_size / base_bytes
    if share <= UNSHRUNK:
        return []
    return [f"the file has {100 * share:.0f} % of the fp32 file's size: most weights may have stayed fp32"]
