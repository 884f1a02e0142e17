"""How a model behaves when it is called, found by calling it on this host before anything is converted.

Converters, gates and devices all assume that a model is a function of its inputs. One child process runs the source a
few times and tells whether it is: does it keep state, draw random numbers, write into its inputs, and which of its
inputs is which. It also writes the reference outputs that every conversion needs, so that a framework is loaded once.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.convert.cache import LOG, Cache, commit, disk_errors, key_of, look_up, work_folder
from bench.convert.probe import Probe, ordered, probe_from_json
from bench.convert.process import Limits
from bench.convert.recipe import Work
from bench.convert.reference import error_of, keep_reference, reference_key
from bench.convert.task import perform
from bench.convert.tools import PACKAGES_OF_KIND, located
from bench.convert.types import ModelJob
from bench.convert.wire import Failure, work_to_json

REVISION = 4
"""Rises whenever a probe would tell something else: what an older one told is then not used."""


def probe(job: ModelJob, cache: Cache, limits: Limits, *, stop: threading.Event | None = None) -> Probe:
    """What the source does when it is called on the job's verification samples.

    The reference outputs of these are in the cache afterwards. Raises MissingExtra where the source's framework is not
    installed, ModelError (ConfigError, InfrastructureError by whose fault it is) when the model itself does not run or
    gives numbers that are not finite.
    """
    key = key_of({"probe": REVISION, "reference": reference_key(job, job.verification_sha256)})
    entry = look_up(cache, key)
    if entry is None:
        with work_folder(cache) as folder, disk_errors(cache.root):
            output = folder / "reference" / "outputs.npz"
            output.parent.mkdir()
            answer = perform(_job(job, output), folder, folder / LOG, limits, stop)
            if isinstance(answer, Failure):
                raise error_of(job.model, answer, (folder / LOG).read_text(errors="replace"))
            order = probe_from_json(answer).order
            if output.is_file():
                ours = replace(job, inputs=ordered(job.inputs, order))
                keep_reference(ours, job.verification_sha256, output, cache)
            made = folder / "entry"
            made.mkdir()
            (folder / LOG).replace(made / LOG)
            entry = commit(cache, key, made, {"model": job.model, "probe": answer}, None)
    return probe_from_json(entry.facts["probe"])


def _job(job: ModelJob, output: Path) -> dict[str, Any]:
    extra = PACKAGES_OF_KIND[job.source.kind][0]
    work = Work(located(job.source), job.inputs, "fp32", None, job.verification.resolve(), output)
    return {"task": "probe", "work": work_to_json(work), "extra": extra, "purpose": f"running {job.model}"}
