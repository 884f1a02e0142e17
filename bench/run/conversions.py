"""A suite's variants without any device: what `bench convert` shows."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.config.load import LoadedSuite
from bench.convert import measures, variants
from bench.convert.cache import Cache
from bench.convert.process import Limits
from bench.convert.types import Artifact, Gate, Refusal
from bench.convert.variants import Request
from bench.errors import ConfigError
from bench.plan import asked_for, hindrance, warnings_of
from bench.run.events import Event, Notify
from bench.run.prepare import OpenedModel, Unusable, open_models
from bench.run.variants import event_of
from bench.words import FORMAT_OF_RUNTIME


def convert_suite(suite: LoadedSuite, cache: Cache, notify: Notify) -> list[Artifact | Refusal]:
    """Every variant that the suite asks for, made or refused, in the suite's order."""
    config = suite.config
    limits = Limits(config.convert.timeout, config.convert.memory_mib)
    found: list[Artifact | Refusal | Request] = []
    models = open_models(suite, cache)
    for name, model in models.items():
        for input_, words in model.words.items() if isinstance(model, OpenedModel) else ():
            notify(Event("note", f"{name}: input {input_}: {words}"))
        for format_ in (FORMAT_OF_RUNTIME[runtime] for runtime in config.runtimes):
            for precision in asked_for(config.precisions, model.planned.precision):
                reason = hindrance(model.planned, format_, precision)
                if isinstance(model, OpenedModel) and reason is None:
                    found.append(Request(model.job, format_, precision))
                else:
                    found.append(Refusal(name, format_, precision, str(reason), model.planned.fault))
    requests = [item for item in found if isinstance(item, Request)]
    made = variants.convert(requests, cache, limits, variants.default_jobs(), lambda event: notify(event_of(event)))
    return [_with_warnings(made[item], models[item.job.model]) if isinstance(item, Request) else item for item in found]


def _with_warnings(result: Artifact | Refusal, model: OpenedModel | Unusable) -> Artifact | Refusal:
    """The artifact with what is to be said of its model and its calibration."""
    if isinstance(result, Refusal):
        return result
    said = warnings_of(model.planned, result.format, result.precision)
    return replace(result, warnings=(*said, *result.warnings))


def copy_to(folder: Path, results: Sequence[Artifact | Refusal]) -> None:
    """Copy every artifact to `folder` as MODEL-PRECISION.SUFFIX. Raises ConfigError when that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for result in results:
            if isinstance(result, Artifact):
                target = folder / f"{result.model}-{result.precision}{result.path.suffix}"
                temporary = target.with_name(target.name + ".part")
                shutil.copyfile(result.path, temporary)
                temporary.replace(target)
    except OSError as error:
        raise ConfigError(f"cannot write to {folder}: {error.strerror}", hint="name another folder") from error


def described(result: Artifact | Refusal) -> dict[str, Any]:
    """The result as JSON: unknown values are null."""
    row: dict[str, Any] = {"model": result.model, "format": result.format, "precision": result.precision}
    if isinstance(result, Refusal):
        return {**row, "status": "refused", "reason": result.reason, "fault": result.fault}
    return {**row, "status": "made", "reason": None, "fault": None, "path": str(result.path), "sha256": result.sha256,
            "bytes": result.size_bytes, **_compared(result.gate), "cached": result.cached,
            "warnings": list(result.warnings)}


def _compared(gate: Gate) -> dict[str, Any]:
    if gate.not_compared:
        return {"sqnr_db": None, "cosine": None, "max_abs": None, "not_compared": gate.not_compared}
    return {"sqnr_db": measures.db_to_json(gate.sqnr_db), "cosine": gate.cosine, "max_abs": gate.max_abs,
            "not_compared": None}
