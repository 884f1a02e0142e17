"""Conversions in a test: a cache of its own, and what happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bench.convert.cache import Cache
from bench.convert.process import Limits
from bench.convert.types import Artifact, ModelJob, Refusal
from bench.convert.variants import Event, Request, convert


@dataclass
class Bench:
    """Converts into a cache of its own and remembers what happened."""

    cache: Cache
    limits: Limits = field(default_factory=lambda: Limits(timeout_s=120, memory_mib=4096))
    events: list[Event] = field(default_factory=list)

    def convert(self, job: ModelJob, *precisions: str, format_: str = "onnx",
                jobs: int = 2) -> list[Artifact | Refusal]:
        self.events.clear()
        requests = [Request(job, format_, precision) for precision in precisions]
        results = convert(requests, self.cache, self.limits, jobs, self.events.append)
        return [results[request] for request in requests]

    def artifact(self, job: ModelJob, precision: str, format_: str = "onnx") -> Artifact:
        (result,) = self.convert(job, precision, format_=format_)
        assert isinstance(result, Artifact), result
        return result

    def refusal(self, job: ModelJob, precision: str, format_: str = "onnx") -> Refusal:
        (result,) = self.convert(job, precision, format_=format_)
        assert isinstance(result, Refusal), result
        return result

    def counts(self) -> Counter[str]:
        return Counter(event.kind for event in self.events)
