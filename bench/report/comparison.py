"""A comparison as text in sections and rows: what the terminal, Markdown and charts show of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.judge.identity import revision
from bench.judge.shifts import moved_with
from bench.judge.types import CellPair, Comparison, Difference, Refused, Shift, Verdict
from bench.report.facts import counted
from bench.report.rows import engine
from bench.report.text import visible
from bench.results import Badge, CellResult, RunInfo
from bench.units import milliseconds

UNKNOWN: Final = "-"
SAME, UNTOLD = "≈", "?"
MARKS: Final[dict[Badge, str]] = {"trusted": "✓", "unverified": "○", "not trusted": "✗"}
LEGEND: Final = (f"{SAME} same, {UNTOLD} cannot tell, {UNKNOWN} not known. Trust before and after: "
                 + ", ".join(f"{mark} {badge}" for badge, mark in MARKS.items()) + ".")
HEADINGS: Final = ("cell", "before ms", "after ms", "ratio", "95 % interval", "p", "verdict", "memory", "size",
                   "accuracy pp", "trust")
MOST_LISTED: Final = 20


@dataclass(frozen=True)
class Row:
    """A compared cell as text, in the order of `HEADINGS`; `detail` is what to know of it, `pair` the cell itself."""

    name: str
    before: str
    after: str
    ratio: str
    interval: str
    p: str
    verdict: str
    memory: str
    size: str
    accuracy: str
    trust: str
    detail: tuple[str, ...]
    pair: CellPair

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns, in the order of `HEADINGS`."""
        return (self.name, self.before, self.after, self.ratio, self.interval, self.p, self.verdict, self.memory,
                self.size, self.accuracy, self.trust)


@dataclass(frozen=True)
class Section:
    """Rows under a heading, the largest change first. `call` is their verdict on latency."""

    title: str
    call: str
    rows: tuple[Row, ...]


def sections(comparison: Comparison) -> tuple[Section, ...]:
    """Worse, moved with their device, better, cannot tell, same; cells of the same latency that need more or less
    memory are listed apart, before those in which nothing changed. Empty ones are left out."""
    groups: dict[str, list[CellPair]] = {name: [] for name in (
        "Worse", "Moved with their device", "Better", "Memory changed, latency the same", "Cannot tell", "Same")}
    for pair in comparison.pairs:
        groups[_group(pair, comparison.shifts)].append(pair)
    name = _namer(comparison)
    return tuple(Section(f"{title} ({len(pairs)})", title.lower(), tuple(
        _row(pair, name(pair.after), comparison.shifts) for pair in sorted(pairs, key=_size_of_change)))
        for title, pairs in groups.items() if pairs)


def summary(comparison: Comparison) -> str:
    """`12 cells compared: 1 worse, 2 better, 8 same, 1 cannot tell · 3 refused · 1 broke`."""
    calls = Counter(pair.latency.call for pair in comparison.pairs)
    shifted = Counter(pair.latency.call for pair in comparison.pairs if moved_with(pair, comparison.shifts))
    told = ", ".join(f"{calls[call]} {call}" + (f" ({shifted[call]} with their device)" if shifted[call] else "")
                     for call in ("worse", "better", "same", "cannot tell") if calls[call])
    memory = Counter(pair.memory.call for pair in comparison.pairs if pair.memory)
    told += "".join(f", memory {call} in {memory[call]}" for call in ("worse", "better") if memory[call])
    broke, mended = titles(comparison)
    rest = (("refused", comparison.refused), (broke.lower(), comparison.broke), (mended.lower(), comparison.mended),
            ("only before", comparison.only_before), ("only after", comparison.only_after),
            ("not measured yet", comparison.pending))
    parts = [f"{counted(len(comparison.pairs), 'cell')} compared" + (f": {told}" if told else "")]
    return " · ".join(parts + [f"{len(cells)} {name}" for name, cells in rest if cells])


def head_lines(comparison: Comparison) -> list[tuple[str, str]]:
    """What is compared, each line with its head: before, after, and of parts of one run that run."""
    before, after = comparison.before, comparison.after
    if before.kind == "run":
        return [("before", _run_line(before.run)), ("after", _run_line(after.run))]
    return [*((head, f"{side.kind} {visible(side.label)}") for head, side in (("before", before), ("after", after))),
            ("run", _run_line(after.run))]


def titles(comparison: Comparison) -> tuple[str, str]:
    """Of cells that only the one side, and only the other, has numbers of."""
    if comparison.before.kind == "run":
        return "Broke", "Mended"
    before, after = (f"Measured for {visible(side.label)} only" for side in (comparison.before, comparison.after))
    return before, after


def shift_lines(comparison: Comparison) -> list[str]:
    """Devices that moved as a whole."""
    return [f"device-wide: {visible(shift.reason)}" for shift in comparison.shifts]


def despite_lines(comparison: Comparison) -> list[str]:
    """Differences that were let pass, each with how many cells it concerns."""
    return _differing((item for pair in comparison.pairs for item in pair.despite), "compared despite")


def noted_lines(comparison: Comparison) -> list[str]:
    """What else is not the same, and may be why."""
    others = sorted(set(comparison.against.values()))
    own = [f"{counted(len(comparison.against), 'cell')} compared with the newest result that fits, of another run: "
           f"{', '.join(map(visible, others))}"] if others else []
    return own + [visible(remark, 300) for remark in comparison.remarks] + _differing(
        (item for pair in comparison.pairs for item in pair.noted), "also differs:")


def refused_lines(comparison: Comparison) -> list[str]:
    """Cells that were not compared, those with the same differences together."""
    name = _namer(comparison)
    groups: dict[tuple[Difference, ...], list[Refused]] = {}
    for item in comparison.refused:
        groups.setdefault(item.differences, []).append(item)
    return [f"{'; '.join(map(_difference, differences))}: {_listed([name(item.after) for item in items])}"
            for differences, items in groups.items()]


def turned_lines(comparison: Comparison) -> tuple[list[str], list[str]]:
    """Cells that broke, with the reason, and those that were mended."""
    name = _namer(comparison)
    broke = [f"{name(cell)}: {_why(cell)}" for cell in comparison.broke]
    return broke, [name(cell) for cell in comparison.mended]


def lone_lines(comparison: Comparison) -> list[str]:
    """Cells that only one side has."""
    sides = (("only before", comparison.only_before), ("only after", comparison.only_after))
    return [f"{side}: {_listed([visible(cell) for cell in cells])}" for side, cells in sides if cells]


def detail_lines(rows: Sequence[Row], most: int) -> list[str]:
    """What to know of the rows, those with the same to say together, and what holds for all of several said once."""
    told = [row for row in rows if row.detail]
    shared = [part for part in told[0].detail if all(part in row.detail for row in told)] if len(told) > 1 else []
    groups: dict[str, list[str]] = {}
    for row in told:
        groups.setdefault("; ".join(part for part in row.detail if part not in shared), []).append(row.name)
    lines = [f"{names[0] if len(names) == 1 else _listed(names)}: {text}" for text, names in groups.items() if text]
    more = len(lines) - most
    lines = lines[:most] + ([f"and {more} more of the kind"] if more > 0 else [])
    return lines + ([f"of {'these' if lines else 'all'}: {'; '.join(shared)}"] if shared else [])


def let_pass(refused: Iterable[Refused]) -> str:
    """What --despite would have to name for these cells to be compared: `os,runtime`."""
    return ",".join(dict.fromkeys(item.name for cell in refused for item in cell.differences))


def change(verdict: Verdict | None) -> str:
    """A verdict in a cell of a table: the change in %, or a mark where there is none or it cannot be told."""
    if verdict is None:
        return UNKNOWN
    if verdict.call in ("same", "cannot tell"):
        return SAME if verdict.call == "same" else UNTOLD
    return _percent(verdict.ratio)


def _run_line(run: RunInfo) -> str:
    """`20261121-031500-7f3a · vision · 2026-11-21 03:15 UTC · git 1a2b3c4d5e6f + changes`, and how it ended if not
    well."""
    commit = revision(run.host)
    parts = [visible(run.id), visible(run.suite), f"{visible(run.started)[:16].replace('T', ' ')} UTC",
             f"git {visible(commit)}" if commit else "git not known",
             {"finished": "", "running": "in progress"}.get(run.state, visible(run.state)),
             "--quick" if run.settings.get("quick") else ""]
    return " · ".join(filter(None, parts))


def _group(pair: CellPair, shifts: Sequence[Shift]) -> str:
    if moved_with(pair, shifts):
        return "Moved with their device"
    if pair.latency.call == "same" and pair.memory and pair.memory.call in ("worse", "better"):
        return "Memory changed, latency the same"
    return pair.latency.call.capitalize()


def _size_of_change(pair: CellPair) -> tuple[float, str]:
    ratio = pair.latency.ratio
    return -max(ratio, 1 / ratio), pair.after.cell


def _namer(comparison: Comparison) -> Callable[[CellResult], str]:
    """Names cells by what both sides have in common: without what they were chosen by, and without a lone device."""
    cells = [pair.after for pair in comparison.pairs] + [item.after for item in comparison.refused]
    cells += [*comparison.broke, *comparison.mended]
    chosen = {*comparison.before.part, *comparison.after.part}
    device = "device" not in chosen and len({cell.device for cell in cells}) > 1

    def name(cell: CellResult) -> str:
        parts = [visible(getattr(cell, field)) for field in ("model", "precision") if field not in chosen]
        at = engine(cell).replace(f", {cell.threads} threads", f" ×{cell.threads}")
        if chosen & {"runtime", "format"}:
            parts += [at.removeprefix(visible(cell.delegate)).strip(", ")]
        else:
            parts.append(f"{visible(cell.runtime)}/{at}")
        return " ".join(filter(None, parts)) + (f" on {visible(cell.device)}" if device else "") or "all"

    return name


def _row(pair: CellPair, name: str, shifts: Sequence[Shift]) -> Row:
    verdict = pair.latency
    before, after = _centres(pair)
    interval = UNKNOWN if verdict.low is None or verdict.high is None else f"{verdict.low:.3f}–{verdict.high:.3f}"
    shift = moved_with(pair, shifts)
    return Row(
        name, milliseconds(before), milliseconds(after), f"{verdict.ratio:.3f}", interval, _p(verdict.p),
        f"{verdict.call}, with its device" if shift else verdict.call, change(pair.memory),
        UNKNOWN if pair.size_ratio is None else SAME if pair.size_ratio == 1 else _percent(pair.size_ratio),
        _points(pair.accuracy_change), f"{MARKS[pair.before.badge]} {MARKS[pair.after.badge]}", _detail(pair), pair)


def _centres(pair: CellPair) -> tuple[float | None, float | None]:
    """The p50 of both sides; of trials taken in turn, theirs."""
    if pair.retried:
        from statistics import median

        return median(pair.after.baseline_medians_ms), median(pair.after.retry_medians_ms)
    return pair.before.latency_ms.p50, pair.after.latency_ms.p50


def _detail(pair: CellPair) -> tuple[str, ...]:
    """What to know of a pair beside its numbers; of one that cannot be told, why and what would settle it."""
    verdict = pair.latency
    parts = ["trials of both taken in turn on the same night"] if pair.retried else []
    parts += visible(verdict.reason).split("; ") if verdict.call == "cannot tell" else []
    if pair.memory and pair.memory.call in ("worse", "better"):
        parts.append(f"memory {pair.memory.call}: {visible(pair.memory.reason)}")
    failed = [check for check in (*pair.before.checks, *pair.after.checks) if check.state == "failed"]
    parts += [f"not trusted, {visible(check.name)}: {visible(check.reason)}" for check in failed]
    return tuple(dict.fromkeys(parts))


def _p(value: float | None) -> str:
    return UNKNOWN if value is None else "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _points(change: float | None) -> str:
    """A change of a score, a fraction, in percentage points."""
    return UNKNOWN if change is None else "0" if change == 0 else f"{100 * change:+.1f}"


def _percent(ratio: float) -> str:
    change = 100 * (ratio - 1)
    return f"{change:+.1f} %" if change < 100 else f"{change:+.0f} %"


def _differing(items: Iterable[Difference], head: str) -> list[str]:
    return [f"{head} {_difference(item)} ({counted(count, 'cell')})" for item, count in Counter(items).items()]


def _difference(item: Difference) -> str:
    return f"{visible(item.name)} {visible(item.before, 160)} → {visible(item.after, 160)}"


def _why(cell: CellResult) -> str:
    if cell.status == "ok":
        return "its outputs differ from the reference"
    return f"{cell.status} ({visible(cell.fault or 'unknown')}): {visible(cell.reason or 'no reason was stored')}"


def _listed(names: Sequence[str]) -> str:
    more = f", and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return f"{counted(len(names), 'cell')}: {', '.join(names[:MOST_LISTED])}{more}"
