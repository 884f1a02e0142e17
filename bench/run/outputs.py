"""Judging what a device computed: the output check of every trial, and accuracy on the labelled set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import protocol
from bench.convert import encoding, gate, measures
from bench.convert.grades import grade, part_text
from bench.convert.types import Artifact
from bench.convert.varying import each, other_shape, paired, parts_of, unpacked, varies
from bench.datasets import metrics, npz
from bench.datasets.shapes import item_bytes
from bench.errors import DeviceError, InfrastructureError, ModelError
from bench.models.spec import TensorSpec
from bench.run import repeat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.labelled import Labelled

    Arrays = Sequence[NDArray[Any]]

FALL_DB = 10.0
"""A device whose SQNR is this much below the host's for the same file is worth a warning."""
LEAST_DB = -999.0
"""Stands for minus infinity, which JSON has not."""
MARGIN_BYTES = 1 << 20
"""Of a file of outputs: headers, and outputs that are small anyway."""
WIDEST_BYTES = 8
"""Of a value whose type numpy does not have."""
SAME_DB = 60.0
"""Above this, differences in SQNR are rounding."""


_UNCOMPARED: Mapping[str, None] = {"max_abs": None, "cosine": None, "sqnr_db": None, "agreement": None}


@dataclass(frozen=True)
class Computed:
    """What a device computed: each output on all samples, as float32 (n, *shape), quantized ones dequantized; and where
    the first sample's outputs were others when it was run once more after all of them, None where they were not."""

    outputs: list[NDArray[Any]]
    difference: str | None


def largest(reference: Arrays, specs: Sequence[TensorSpec]) -> int:
    """How many bytes the file of outputs may have. Twice what the reference's shapes make of it, for a device whose
    outputs have others is told so by its outputs."""
    values = (sum(part.size for part in array) + max(part.size for part in array) for array in reference)
    return MARGIN_BYTES + 2 * sum(int(count) * item_bytes(spec.dtype, WIDEST_BYTES)
                                  for count, spec in zip(values, specs, strict=True))


def read_outputs(path: Path, specs: Sequence[TensorSpec], count: int) -> Computed:
    """The outputs of `count` samples in `path`, written as `bench.protocol` says.

    Raises DeviceError: they are not those of the model; InfrastructureError: no agent writes such a file.
    """
    try:
        arrays = npz.read_npz(path)
        own = {name: array for name, array in arrays.items() if not name.startswith(protocol.REPEATED)}
        outputs = unpacked(own)
    except (ModelError, ValueError) as error:
        raise InfrastructureError(f"what the device gave: {error}") from None
    repeated = [array for place in range(len(specs))
                if (array := arrays.get(f"{protocol.REPEATED}{place}")) is not None]
    anew = len(arrays) - len(own)
    if not len(outputs) == len(repeated) == len(specs) == anew:
        raise DeviceError(f"the device gave {len(outputs)} outputs and {anew} of the first sample run again, "
                          f"the model has {len(specs)}")
    for place, (array, again, spec) in enumerate(zip(outputs, repeated, specs, strict=True)):
        dtypes = {part.dtype.name for part in (*parts_of(array), again)}
        if dtypes != {spec.dtype}:
            found = ", ".join(sorted(dtypes - {spec.dtype}))
            raise DeviceError(f"output {place} is {found} on the device, the file declares {spec.dtype}")
        if array.shape[:1] != (count,) or again.shape[:1] != (1,):
            found = f"{list(array.shape)} on the device, and {list(again.shape)} of the first sample run again"
            raise InfrastructureError(f"output {place} has shape {found}: wanted {count} samples and 1")
    return Computed([_decoded(array, spec) for array, spec in zip(outputs, specs, strict=True)],
                    repeat.difference(outputs, repeated))


def _decoded(output: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    return each(lambda part: encoding.decode(part, spec), output)


def check(outputs: Arrays, reference: Arrays, artifact: Artifact, *, scored: int = 0,
          classes: bool = False) -> dict[str, Any]:
    """The verdict on a trial's outputs against the fp32 reference on the host, as it is stored.

    `state` is one of `bench.results.OutputState`, with the `reason` when it is not ok: outputs differ when they have
    another shape, are not finite, are constant where the reference is not, or are further from it than the artifact's
    precision explains (`bench.convert.grades`). They are unknown where the gate could not compare them either (then
    only shape and finiteness are judged), or all are zero. `ok` is whether they may be used, None where that is
    unknown. `warning` names a device that computes worse than the host did. Of several outputs the worst counts;
    `agreement` is of the one that is `scored`. `classes`: that one holds the scores of classes.
    """
    problem = _problem(outputs, reference)
    if problem is not None:
        return {**_UNCOMPARED, "ok": False, "state": "differs", "reason": problem}
    untold = artifact.gate.not_compared or _silent([*outputs, *reference])
    if untold:
        return {**_UNCOMPARED, "ok": None, "state": "unknown", "reason": untold}
    found, names = gate.compare(reference, outputs), [spec.name for spec in artifact.outputs]
    agreement = measures.agreement(reference[scored], outputs[scored])
    graded = grade(found, artifact.precision, names, agreement if classes else None)
    sqnr, worst = max(found.sqnr_db, LEAST_DB), found.worst
    verdict: dict[str, Any] = {
        "ok": graded.state != "differs", "state": graded.state, "max_abs": found.max_abs, "cosine": found.cosine,
        "sqnr_db": measures.db_to_json(sqnr), "agreement": agreement,
        "part": worst and part_text(worst, names), "part_sqnr_db": worst and worst.sqnr_db}
    verdict |= {name: text for name, text in (("reason", graded.reason), ("short", graded.short)) if text}
    if graded.state != "differs" and min(sqnr, SAME_DB) < min(artifact.gate.sqnr_db, SAME_DB) - FALL_DB:
        verdict["warning"] = (f"outputs are worse than on the host: SQNR {sqnr:.1f} dB against "
                              f"{artifact.gate.sqnr_db:.1f} dB")
    return verdict


def accuracy(outputs: Arrays, labelled: Labelled, reference: Arrays) -> dict[str, Any]:
    """The score of the output that the labels are for, and the fp32 reference's, as they are stored."""
    metric, labels, place = labelled.metric, labelled.labels, labelled.output
    return {"metric": metric, "value": metrics.score(metric, rows_of(outputs[place]), labels), "count": len(labels),
            "reference": metrics.score(metric, rows_of(reference[place]), labels)}


def rows_of(output: NDArray[Any]) -> NDArray[Any]:
    """The output without its axes of size one (a batch of one): (samples, 1, classes) becomes (samples, classes)."""
    return output.reshape(len(output), *[size for size in output.shape[1:] if size != 1])


def _silent(outputs: Arrays) -> str:
    """Why equal outputs prove nothing; empty where they do."""
    if any(part.any() for array in outputs for part in parts_of(array)):
        return ""
    return "the fp32 model gives nothing but zeros on these inputs, which shows nothing: give inputs that it reacts to"


def _problem(outputs: Arrays, reference: Arrays) -> str | None:
    import numpy as np

    for position, (output, wanted) in enumerate(zip(outputs, reference, strict=True)):
        if varies(output, wanted):
            other = other_shape(wanted, output)
            if other is not None:
                return f"output {position} {other}"
            output, wanted = paired(output, wanted)
        if output.shape != wanted.shape:
            return f"output {position} has shape {list(output.shape[1:])}, the reference {list(wanted.shape[1:])}"
        if measures.strange_count(wanted, output):
            told = f"output {position} holds NaN or infinity"
            return f"{told}, or not where the reference does" if measures.has_infinities(wanted) else told
        wanted, output = measures.without_infinities(wanted, output)
        if output.size > 1 and np.ptp(output) == 0 and np.ptp(wanted) != 0:
            return f"output {position} is the constant {output.flat[0]:g}"
    return None
