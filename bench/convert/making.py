"""One variant: what its key is, how it is made in a child, what its entry in the cache says."""

from __future__ import annotations

import platform
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.convert import binding, gate, recipes
from bench.convert.cache import LOG, Cache, Entry, commit, disk_errors, key_of, work_folder
from bench.convert.process import Limits
from bench.convert.recipe import Recipe, Work
from bench.convert.reference import FRAMEWORK
from bench.convert.task import perform
from bench.convert.tools import PACKAGE_OF_FORMAT, located, source_identity, versions_of
from bench.convert.types import Artifact, ModelJob, Refusal
from bench.convert.wire import Failure, passed_from_json, tensors_to_json, work_to_json
from bench.errors import BenchError, ModelError
from bench.words import SUFFIX_OF_FORMAT


@dataclass(frozen=True)
class Variant:
    """A variant that a recipe can make: `key` names its result, `base` is the variant it starts from."""

    job: ModelJob
    recipe: Recipe
    key: str
    tools: dict[str, str]
    base: Variant | None

    @property
    def format(self) -> str:
        return self.recipe.format

    @property
    def precision(self) -> str:
        return self.recipe.precision


def variant_of(job: ModelJob, format_: str, precision: str) -> Variant:
    """The variant and, in it, what it starts from; nothing is made.

    Raises ModelError when no recipe makes it, MissingExtra when a tool is not installed.
    """
    recipe = recipes.find(job.source.kind, format_, precision, job.precision)
    if recipe is None:
        raise ModelError(recipes.why_not(job.source.kind, format_, precision, job.precision))
    base = variant_of(job, format_, recipe.base) if recipe.base else None
    tools = versions_of(recipe.extra, *recipe.tools, PACKAGE_OF_FORMAT[format_],
                        purpose=f"making {precision} {format_} files")
    key = key_of({
        "recipe": [recipe.function, recipe.revision, format_, precision], "gate": gate.REVISION,
        "start": base.key if base else {**source_identity(job.source), **_behaviour(job)},
        "inputs": tensors_to_json(job.inputs),
        # Also where the recipe is not calibrated: exporters run on the first of these samples.
        "calibration": job.calibration_sha256, "verification": job.verification_sha256,
        "tools": tools, "python": platform.python_version_tuple()[:2], "machine": platform.machine()})
    return Variant(job, recipe, key, tools, base)


def make(variant: Variant, base: Path | None, reference: Path, cache: Cache, limits: Limits,
         stop: threading.Event | None) -> Entry | Refusal:
    """Make the variant in a child and keep it. A failure that would come again is kept too: it is not tried twice."""
    started = time.monotonic()
    try:
        with work_folder(cache) as folder, disk_errors(cache.root):
            made = folder / "entry"
            made.mkdir()
            output = made / f"model{SUFFIX_OF_FORMAT[variant.format]}"
            answer = perform(_job(variant, base, reference, output), folder, made / LOG, limits, stop)
            facts = {"model": variant.job.model, "format": variant.format, "precision": variant.precision,
                     "tools": variant.tools, "seconds": round(time.monotonic() - started, 3)}
            if not isinstance(answer, Failure):
                return commit(cache, variant.key, made, {**facts, "passed": answer}, output)
            refusal = refused(variant, answer.reason, answer.fault, (made / LOG).read_text(errors="replace"))
            if answer.lasting:
                output.unlink(missing_ok=True)
                commit(cache, variant.key, made, {**facts, "reason": answer.reason, "fault": answer.fault}, None)
            return refusal
    except BenchError as error:
        return refused(variant, error.message, error.fault)


def result_of(variant: Variant, entry: Entry, *, cached: bool) -> Artifact | Refusal:
    """What an entry of the cache says of the variant."""
    facts = entry.facts
    if entry.file is None:
        return refused(variant, facts["reason"], facts["fault"], entry.log.read_text(errors="replace"))
    return replace(artifact_of(entry), model=variant.job.model, cached=cached)


def artifact_of(entry: Entry) -> Artifact:
    """The file of an entry that holds one, under the name of the model that it was first made for."""
    assert entry.file is not None
    facts, passed = entry.facts, passed_from_json(entry.facts["passed"])
    return Artifact(facts["model"], facts["format"], facts["precision"], entry.file, entry.sha256, entry.size_bytes,
                    entry.key, passed.inputs, passed.places, passed.outputs, passed.gate, facts["tools"],
                    facts["seconds"], True, passed.warnings)


def refused(variant: Variant, reason: str, fault: Any, log: str = "") -> Refusal:
    """The refusal of a variant, for that reason."""
    return Refusal(variant.job.model, variant.format, variant.precision, reason, fault, log)


def _behaviour(job: ModelJob) -> dict[str, Any]:
    """What decides beside the source how its module is bound and wrapped, and what the gate makes of its outputs."""
    bound = {"binding": binding.REVISION} if job.source.kind in FRAMEWORK else {}
    found = job.probe
    if found is None:
        return bound
    told = {"copied": found.changed_inputs, "state": found.state, "random": found.random}
    flattened = {} if found.plain else {"result": "its tensors"}
    return {**bound, **flattened, **{word: list(names) for word, names in told.items() if names}}


def _job(variant: Variant, base: Path | None, reference: Path, output: Path) -> dict[str, Any]:
    job = variant.job
    work = Work(located(job.source), job.inputs, variant.precision, base, job.calibration.resolve(), output,
                job.probe)
    return {"task": "variant", "function": variant.recipe.function, "work": work_to_json(work),
            "format": variant.format, "reference": str(reference),
            "verification": str(job.verification.resolve()), "extra": variant.recipe.extra,
            "purpose": f"making {variant.precision} {variant.format} files"}
