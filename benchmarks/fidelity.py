"""Fidelity: the p50 of a real trial against that of a bare loop around the same runtime, both in fresh processes.

Pairs are taken round-robin over all files, the order within a pair turned round every time, so that a drift of the
machine meets both sides alike. A figure is the median over pairs of the difference within a pair. A pair of which
either process had to share its core with others while it sampled says nothing of `bench`: it is taken again.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.bundles.agent import build_agent
from bench.deadline import Deadline
from bench.errors import BenchError
from bench.messages.trial import TrialError
from bench.session import Session, open_session
from bench.stats import percentile
from bench.transports.local import LocalTransport
from benchmarks.figures import LEAST_COUNT, Aim, Figure, Part, spread
from benchmarks.setting import Setting
from benchmarks.subjects import Subject, make_subjects

TITLE = "Fidelity: p50 by bench against a bare loop around the same runtime"
BARE = Path(__file__).with_name("bare.py")
SLOW_NS = 1e6
"""From here on the aim is a ratio, below it a difference."""
RATIO = Aim(0.99, 1.01)
DIFFERENCE_US = Aim(-2.0, 2.0)
TRIAL_WITHIN_S = 120.0
MODES = 1.3
"""When processes of one side differ by this factor, the file runs in several modes; see docs/benchmarks.md."""
LEAST_CORE = 0.97
"""CPU time over wall time of the samples: with less, other work has had the core in between."""


@dataclass(frozen=True)
class Pace:
    """How long a process warms up and measures; how often each file is tried, and how often more within `budget_s`."""

    warm_up_s: float
    sample_s: float
    least_rounds: int
    most_rounds: int
    budget_s: float
    min_samples: int = 30


FULL = Pace(0.15, 0.25, LEAST_COUNT, 100, 0.0)
QUICK = Pace(0.1, 0.2, 3, 3, 60.0)
QUICK_MODELS = ("mlp", "fashion")


@dataclass(frozen=True)
class Side:
    """One process: its median in ns, and the share of a core that it had while it sampled."""

    p50_ns: float
    core: float


@dataclass
class Pairs:
    """A file's undisturbed pairs so far, as medians in ns, and how many were disturbed."""

    subject: Subject
    bench_ns: list[float] = field(default_factory=list)
    bare_ns: list[float] = field(default_factory=list)
    disturbed: int = 0
    problem: str | None = None

    def add(self, bench: Side, bare: Side) -> None:
        """Keep the pair, unless either process was disturbed."""
        if min(bench.core, bare.core) < LEAST_CORE:
            self.disturbed += 1
        else:
            self.bench_ns.append(bench.p50_ns)
            self.bare_ns.append(bare.p50_ns)

    @property
    def slow(self) -> bool:
        """Whether the bare loop takes 1 ms or more."""
        return percentile(self.bare_ns, 50) >= SLOW_NS

    def values(self) -> list[float]:
        """By pair: the ratio of a slow file, the difference in us of a fast one."""
        both = zip(self.bench_ns, self.bare_ns, strict=True)
        return [bench / bare if self.slow else (bench - bare) / 1e3 for bench, bare in both]

    def figure(self) -> Figure:
        """The file's own figure."""
        return _figure(self.subject.name, self.values(), self.slow, f"bare {percentile(self.bare_ns, 50) / 1e6:.3g} ms")

    def modes(self) -> str | None:
        """A line that tells of a file whose undisturbed processes differ a lot among themselves, on whichever side."""
        steady = all(max(side) < MODES * min(side) for side in (self.bench_ns, self.bare_ns))
        if steady or len(self.bare_ns) < LEAST_COUNT:
            return None
        texts = [f"{name} {min(side) / 1e6:.3g} .. {max(side) / 1e6:.3g} ms"
                 for name, side in (("bench", self.bench_ns), ("bare", self.bare_ns))]
        return f"{self.subject.name}: processes differ among themselves: {', '.join(texts)}"

    def wants_more(self, pace: Pace) -> bool:
        """Whether it has too few pairs yet, or more of them may still tell what these do not."""
        if self.problem is not None:
            return False
        return len(self.bare_ns) < min(LEAST_COUNT, pace.most_rounds) or self.figure().verdict == "cannot tell"


def _figure(name: str, values: list[float], slow: bool, note: str) -> Figure:
    if slow:
        return Figure(name, spread(values), "", 4, RATIO, note)
    return Figure(name, spread(values), " us", 2, DIFFERENCE_US, note)


def pooled(table: list[Pairs]) -> list[Figure]:
    """Figures over all pairs of a runtime's slow files and of its fast ones: what is common to them is the tool's."""
    figures = []
    for runtime, slow in itertools.product(dict.fromkeys(pairs.subject.cell.runtime for pairs in table), (False, True)):
        alike = [pairs for pairs in table if pairs.subject.cell.runtime == runtime and pairs.slow == slow]
        if alike:
            name = f"{runtime}, all files {'from 1 ms on' if slow else 'below 1 ms'}"
            values = [value for pairs in alike for value in pairs.values()]
            figures.append(_figure(name, values, slow, f"{len(alike)} files"))
    return figures


def measure(setting: Setting) -> Part:
    """A figure for every file; what could not be converted or run is a remark."""
    pace = QUICK if setting.quick else replace(FULL, budget_s=setting.minutes * 60)
    subjects, remarks = make_subjects(setting, QUICK_MODELS if setting.quick else None)
    table = [Pairs(subject) for subject in subjects]
    transport = LocalTransport()
    with open_session(transport, build_agent(setting.folder), sys.executable,
                      str(setting.folder / "device")) as session:
        for subject in subjects:
            for file in (subject.artifact, subject.inputs):
                transport.push(file.path, f"{session.hello.workdir}/files/{file.name}", Deadline(TRIAL_WITHIN_S))
        _take_pairs(table, pace, session, setting.tell)
    remarks += [f"{pairs.subject.name}: {pairs.problem or 'other work disturbed every pair'}" for pairs in table
                if pairs.problem is not None or not pairs.bare_ns]
    measured = [pairs for pairs in table if pairs.bare_ns]
    remarks += [line for line in (pairs.modes() for pairs in measured) if line]
    figures = tuple(pairs.figure() for pairs in measured)
    raw = [{"name": pairs.subject.name, "bench_ns": pairs.bench_ns, "bare_ns": pairs.bare_ns,
            "disturbed": pairs.disturbed} for pairs in table]
    return Part("fidelity", TITLE, (*figures, *pooled(measured)), (*remarks, *_summary(figures, table, pace)),
                raw={"pairs": raw})


def _take_pairs(table: list[Pairs], pace: Pace, session: Session, tell: Callable[[str], None]) -> None:
    """Round after round; after the least number of rounds only while there is time, for what is still open."""
    budget = Deadline(pace.budget_s)
    for number in range(pace.most_rounds):
        wanting = [pairs for pairs in table if pairs.wants_more(pace)]
        if wanting:
            tell(f"round {number + 1}: {len(wanting)} files")
        for pairs in wanting:
            if number >= pace.least_rounds and budget.passed():
                return
            _take_pair(pairs, number, pace, session)


def _take_pair(pairs: Pairs, number: int, pace: Pace, session: Session) -> None:
    sides = [lambda: _by_bench(pairs.subject, number, pace, session), lambda: _by_bare_loop(pairs.subject, pace)]
    order = (0, 1) if number % 2 == 0 else (1, 0)
    try:
        found = {side: sides[side]() for side in order}
    except (BenchError, TrialError) as error:
        pairs.problem = str(error)
    except subprocess.SubprocessError as error:
        pairs.problem = f"the bare loop failed: {error}"
    else:
        pairs.add(found[0], found[1])


def _by_bench(subject: Subject, number: int, pace: Pace, session: Session) -> Side:
    """A trial as `bench run` asks for it; the warm-up takes its time and no longer, as the bare one's."""
    cell = subject.cell
    name = f"{cell.model}-{cell.precision}-{cell.runtime}-{number}"
    warm_up_ns = int(pace.warm_up_s * 1e9)
    report = session.trial({
        "trial": name, "kind": "latency", "runtime": cell.runtime, "delegate": cell.delegate, "threads": cell.threads,
        "options": {}, "artifact": subject.artifact.name, "inputs": subject.inputs.name, "deadline_s": TRIAL_WITHIN_S,
        "measure": {"min_samples": pace.min_samples, "min_ns": int(pace.sample_s * 1e9), "warmup_min_runs": 1,
                    "warmup_min_ns": warm_up_ns, "warmup_max_ns": warm_up_ns}})
    session.forget(name)
    worked_ns = sum(report.cpu_ns.values()) if report.cpu_ns else 0
    return Side(percentile(report.samples_ns, 50), worked_ns / report.phases["samples_ns"])


def _by_bare_loop(subject: Subject, pace: Pace) -> Side:
    """A bare loop. Raises SubprocessError."""
    task = {"runtime": subject.cell.runtime, "artifact": str(subject.artifact.path),
            "inputs": str(subject.inputs.path), "warm_up_ns": int(pace.warm_up_s * 1e9),
            "min_ns": int(pace.sample_s * 1e9), "min_samples": pace.min_samples}
    done = subprocess.run([sys.executable, str(BARE), json.dumps(task)], capture_output=True, text=True, check=True,
                          timeout=TRIAL_WITHIN_S)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Side(float(answer["p50_ns"]), float(answer["core"]))


def _summary(figures: tuple[Figure, ...], table: list[Pairs], pace: Pace) -> tuple[str, ...]:
    counts = {word: sum(figure.verdict == word for figure in figures)
              for word in ("within aim", "outside", "cannot tell")}
    disturbed, taken = sum(pairs.disturbed for pairs in table), sum(len(pairs.bare_ns) for pairs in table)
    return (", ".join(f"{count} {word}" for word, count in counts.items()) + f" of {len(table)} files",
            f"{disturbed} of {disturbed + taken} pairs were disturbed by other work (under {LEAST_CORE:.0%} of a core "
            "while sampling) and are not in the figures",
            f"each process: {pace.warm_up_s:g} s of warm-up, then {pace.sample_s:g} s and {pace.min_samples} samples "
            "at least; one thread",
            "aim: 0.99 .. 1.01 from 1 ms on, -2 .. 2 us below")
