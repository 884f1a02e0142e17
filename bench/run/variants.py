"""From planned cells to cells that can be measured: references, conversions, encoded inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.config.suite import SuiteConfig
from bench.convert import variants
from bench.convert.cache import LOG, Cache
from bench.convert.process import Limits
from bench.convert.types import Artifact, Refusal
from bench.convert.variants import Request
from bench.errors import BenchError, InfrastructureError
from bench.plan import unproven, warnings_of
from bench.run.chance import no_better_than_chance
from bench.run.events import Event, Notify
from bench.run.files import InputFile
from bench.run.prepare import OpenedModel, References, compute_references, encode_inputs
from bench.run.tasks import Ready
from bench.store.records import CellRecord

_KINDS: Mapping[str, Any] = {"started": "convert", "cached": "cached", "made": "converted", "refused": "refused"}


def make_ready(suite: SuiteConfig, cells: Sequence[CellRecord], models: Mapping[str, OpenedModel], cache: Cache,
               notify: Notify) -> tuple[list[Ready], list[CellRecord]]:
    """The planned cells with their artifacts, and those that cannot be made, as skipped with the reason.

    Raises KeyboardInterrupt, and InfrastructureError when the cache cannot be written.
    """
    limits = Limits(suite.convert.timeout, suite.convert.memory_mib)
    planned = [cell for cell in cells if cell.status == "planned"]
    references = {name: _references(models[name], cache, limits, notify)
                  for name in dict.fromkeys(cell.model for cell in planned)}
    requests = {cell.cell: Request(models[cell.model].job, cell.format, cell.precision) for cell in planned
                if isinstance(references[cell.model], References)}
    chance = {name: _chance(models[name], found, notify) for name, found in references.items()}
    results = variants.convert(list(dict.fromkeys(requests.values())), cache, limits, variants.default_jobs(),
                               lambda event: notify(event_of(event)))
    ready, skipped = [], []
    for cell in planned:
        model, reference = models[cell.model], references[cell.model]
        result = results[requests[cell.cell]] if isinstance(reference, References) else reference
        try:
            if isinstance(result, Artifact) and isinstance(reference, References):
                made = replace(cell, artifact=described(result, model, chance[cell.model]), log=_log(result))
                ready.append(_ready(made, result, model, reference, cache))
                continue
        except BenchError as error:
            result = error
        skipped.append(left_out(cell, result))
    return ready, skipped


def _references(model: OpenedModel, cache: Cache, limits: Limits, notify: Notify) -> References | BenchError:
    notify(Event("note", f"{model.name}: fp32 reference on this host"))
    try:
        return compute_references(model, cache, limits)
    except BenchError as error:
        return error


def _chance(model: OpenedModel, references: References | BenchError, notify: Notify) -> str | None:
    """The warning that the model itself scores no better than chance, where it does."""
    try:
        found = no_better_than_chance(model, references) if isinstance(references, References) else None
    except BenchError as error:
        found = f"it cannot be scored: {error.line}"
    if found is not None:
        notify(Event("note", f"warning: {model.name}: {found}"))
    return found


def left_out(cell: CellRecord, why: object) -> CellRecord:
    """The cell without an artifact; `why` is a Refusal or a BenchError."""
    if isinstance(why, Refusal):
        return replace(cell, status="skipped", reason=why.reason, fault=why.fault, log=why.log)
    assert isinstance(why, BenchError)
    return replace(cell, status="skipped", reason=why.line, fault=why.fault, log=why.log)


def _ready(cell: CellRecord, artifact: Artifact, model: OpenedModel, references: References, cache: Cache) -> Ready:
    labelled: InputFile | None = None
    if model.labelled_inputs is not None:
        labelled = encode_inputs(artifact, model.inputs, model.labelled_inputs, cache)
    return Ready(cell, artifact, model, references, encode_inputs(artifact, model.inputs, model.verification, cache),
                 labelled)


def described(artifact: Artifact, model: OpenedModel, chance: str | None) -> dict[str, Any]:
    """The artifact as the store keeps it with a cell."""
    from bench.convert.measures import db_to_json

    gate = artifact.gate
    variant = model.planned, artifact.format, artifact.precision
    return {"sha256": artifact.sha256, "bytes": artifact.size_bytes, "key": artifact.key,
            "source": model.source.sha256, "data": model.data_sha256, "tools": artifact.tools,
            "seconds": artifact.seconds,
            "warnings": [*([chance] if chance else []), *warnings_of(*variant), *artifact.warnings],
            "inputs": dict(model.origins), "unproven": unproven(*variant) or None, "chance": chance,
            "shapes": {spec.name: list(spec.shape) for spec in model.inputs},
            "gate": {"not_compared": gate.not_compared} if gate.not_compared else
                    {"sqnr_db": db_to_json(gate.sqnr_db), "cosine": gate.cosine, "max_abs": gate.max_abs}}


def _log(artifact: Artifact) -> str:
    try:
        return (artifact.path.parent / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InfrastructureError(f"the cache lost {artifact.path.parent.name[:12]} while it was in use "
                                  f"({error.strerror})", hint="run again, and bench gc only between runs") from error


def event_of(event: variants.Event) -> Event:
    """A conversion's progress as the run's."""
    request = event.request
    text = f"{request.job.model} {request.format} {request.precision}"
    return Event(_KINDS[event.kind], f"{text}: {event.reason}" if event.reason else text)
