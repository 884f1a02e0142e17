"""Make many variants: from the cache where they are there, else in parallel children, bases before what needs them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.agents.probes.conditions import available_memory
from bench.convert.cache import Cache, Entry, look_up
from bench.convert.making import Variant, make, refused, result_of, variant_of
from bench.convert.process import Limits
from bench.convert.reference import reference_outputs
from bench.convert.types import Artifact, ModelJob, Refusal
from bench.errors import BenchError
from bench.units import MIB

CHILD_MIB = 3072
"""What a usual converter needs, torch and all: so many children run at once as the memory has room for."""


@dataclass(frozen=True)
class Request:
    """One variant of one model."""

    job: ModelJob
    format: str
    precision: str


@dataclass(frozen=True)
class Event:
    """Progress: a variant (asked for, or the base of one that is) was taken up or settled, after `seconds` of work."""

    kind: Literal["started", "cached", "made", "refused"]
    request: Request
    seconds: float = 0.0
    reason: str = ""


OnEvent = Callable[[Event], None]
Result = Artifact | Refusal


def convert(requests: Sequence[Request], cache: Cache, limits: Limits, jobs: int,
            on_event: OnEvent) -> dict[Request, Result]:
    """An artifact or a refusal for every request; nothing that a converter does stops the others.

    `jobs` children run at once; `on_event` is called in this thread. On an exception here (Ctrl-C too) the children are
    killed before it passes on.
    """
    variants, results = _variants(requests, on_event)
    settled, missing = _split(variants.values(), cache, on_event)
    if missing:
        settled.update(_make_all(missing, settled, cache, limits, jobs, on_event))
    results.update({request: _named(settled[variant.key], request) for request, variant in variants.items()})
    return {request: results[request] for request in requests}


def cached(requests: Sequence[Request], cache: Cache, on_event: OnEvent) -> dict[Request, Result]:
    """As `convert`, of what needs no work: what is in the cache, and what is refused without a try."""
    variants, results = _variants(requests, on_event)
    settled, _ = _split(variants.values(), cache, on_event)
    results.update({request: _named(settled[variant.key], request) for request, variant in variants.items()
                    if variant.key in settled})
    return results


def _variants(requests: Sequence[Request], on_event: OnEvent) -> tuple[dict[Request, Variant], dict[Request, Result]]:
    """How each request is made, and refusals of those that cannot be."""
    variants: dict[Request, Variant] = {}
    refusals: dict[Request, Result] = {}
    for request in dict.fromkeys(requests):
        try:
            variants[request] = variant_of(request.job, request.format, request.precision)
        except BenchError as error:
            refusals[request] = Refusal(request.job.model, request.format, request.precision,
                                        f"{error.message} ({error.hint})" if error.hint else error.message, error.fault)
            on_event(Event("refused", request, reason=error.message))
    return variants, refusals


def default_jobs() -> int:
    """How many children this machine has cores and memory for, at least 1."""
    available = available_memory()
    room = len(os.sched_getaffinity(0)) if available is None else available // MIB // CHILD_MIB
    return max(1, min(len(os.sched_getaffinity(0)), room))


def _split(variants: Iterable[Variant], cache: Cache, on_event: OnEvent) -> tuple[dict[str, Result], list[Variant]]:
    """What is in the cache, by key, and what must be made: bases that are missing too, before what needs them."""
    settled: dict[str, Result] = {}
    missing: dict[str, Variant] = {}

    def visit(variant: Variant) -> None:
        if variant.key in settled or variant.key in missing:
            return
        entry = look_up(cache, variant.key)
        if entry is not None:
            settled[variant.key] = result_of(variant, entry, cached=True)
            on_event(_event("cached", variant, settled[variant.key], 0.0))
            return
        if variant.base is not None:
            visit(variant.base)
        missing[variant.key] = variant

    for variant in variants:
        visit(variant)
    return settled, list(missing.values())


def _make_all(missing: list[Variant], settled: dict[str, Result], cache: Cache, limits: Limits, jobs: int,
              on_event: OnEvent) -> dict[str, Result]:
    stop = threading.Event()
    limits = replace(limits, threads=max(1, len(os.sched_getaffinity(0)) // jobs))
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="convert") as pool:
        try:
            models = {_model_key(variant.job): variant.job for variant in missing}
            futures = {key: pool.submit(_reference, job, cache, limits, stop) for key, job in models.items()}
            references = {key: future.result() for key, future in futures.items()}
            return _Round(pool, jobs, cache, limits, stop, references, dict(settled)).run(missing, on_event)
        except BaseException:
            stop.set()
            raise


@dataclass
class _Round:
    """One round of making: `settled` grows until everything in it is."""

    pool: ThreadPoolExecutor
    jobs: int
    cache: Cache
    limits: Limits
    stop: threading.Event
    references: dict[str, Path | BenchError]
    settled: dict[str, Result]

    def run(self, missing: list[Variant], on_event: OnEvent) -> dict[str, Result]:
        waiting = list(missing)
        running: dict[Future[Entry | Refusal], tuple[Variant, float]] = {}
        while waiting or running:
            for variant in [item for item in waiting if item.base is None or item.base.key in self.settled]:
                if len(running) == self.jobs:
                    break
                waiting.remove(variant)
                hindrance = self._hindrance(variant)
                if hindrance is not None:
                    self.settled[variant.key] = hindrance
                    on_event(_event("refused", variant, hindrance, 0.0))
                    continue
                on_event(Event("started", _request(variant)))
                running[self.pool.submit(self._make, variant)] = (variant, time.monotonic())
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                variant, started = running.pop(future)
                made = future.result()
                result = made if isinstance(made, Refusal) else result_of(variant, made, cached=False)
                self.settled[variant.key] = result
                on_event(_event("made", variant, result, time.monotonic() - started))
        return self.settled

    def _hindrance(self, variant: Variant) -> Refusal | None:
        """Why a variant need not be tried: its model does not run, or what it starts from could not be made."""
        reference = self.references[_model_key(variant.job)]
        if isinstance(reference, BenchError):
            return refused(variant, reference.message, reference.fault)
        base = self.settled[variant.base.key] if variant.base else None
        if isinstance(base, Refusal):
            return refused(variant, f"its {base.precision} {base.format} file could not be made: {base.reason}",
                           base.fault, base.log)
        return None

    def _make(self, variant: Variant) -> Entry | Refusal:
        reference = self.references[_model_key(variant.job)]
        base = self.settled[variant.base.key] if variant.base else None
        assert isinstance(reference, Path) and not isinstance(base, Refusal)
        return make(variant, base.path if base else None, reference, self.cache, self.limits, self.stop)


def _reference(job: ModelJob, cache: Cache, limits: Limits, stop: threading.Event) -> Path | BenchError:
    try:
        return reference_outputs(job, job.verification, job.verification_sha256, cache, limits, stop=stop)
    except BenchError as error:
        return error


def _model_key(job: ModelJob) -> str:
    return f"{job.source.sha256} {job.source.location} {job.inputs} {job.calibration_sha256} {job.verification_sha256}"


def _request(variant: Variant) -> Request:
    return Request(variant.job, variant.format, variant.precision)


def _event(kind: Literal["cached", "made", "refused"], variant: Variant, result: Result, seconds: float) -> Event:
    if isinstance(result, Refusal):
        return Event("cached" if kind == "cached" else "refused", _request(variant), seconds, result.reason)
    return Event(kind, _request(variant), seconds)


def _named(result: Result, request: Request) -> Result:
    """The result under the name of the model that asked: two suites may share one."""
    return replace(result, model=request.job.model)
