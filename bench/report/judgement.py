"""How a run was judged, in words: what is broken first, then what cannot be told, then how much was kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.judge.identity import history_notes
from bench.report.facts import counted
from bench.report.rows import label
from bench.report.text import visible
from bench.results import CellResult, Judgement, Outcome, RunResult

if TYPE_CHECKING:
    from rich.console import Group

MOST_SHOWN: Final = 40
"""Outcomes of a kind on a terminal."""
MOST_RUNS: Final = 3
"""Baselines that are named."""
WORDS: Final = {"broken": "broken", "inconclusive": "cannot tell", "not judged": "not judged"}
_STYLES: Final = {"broken": "bold red", "inconclusive": "bold yellow", "not judged": "bold yellow"}


@dataclass(frozen=True)
class Said:
    """An outcome with the names of its cell, all of it safe for one line."""

    state: str
    cell: str
    expectation: str
    limit: str
    found: str
    reason: str

    @property
    def line(self) -> str:
        """`latency_p90 of m int8 tflite/xnnpack on d: +14 %, at most +5 % against last-green: reason`."""
        found = "" if self.found == "-" else f"{self.found}, "
        return f"{self.expectation} of {self.cell}: {found}{self.limit}: {self.reason}"


def headline(judgement: Judgement) -> str:
    """`red: 2 broken, 1 cannot be told, 31 kept`."""
    if judgement.state == "none":
        return "nothing was judged" if judgement.notes else "the suite expects nothing"
    counts = {state: sum(outcome.state == state for outcome in judgement.outcomes)
              for state in ("broken", "inconclusive", "not judged", "kept")}
    words = {"broken": "broken", "inconclusive": "cannot be told", "not judged": "not judged", "kept": "kept"}
    return f"{judgement.state}: " + ", ".join(f"{count} {words[state]}" for state, count in counts.items() if count)


def said(result: RunResult, state: str) -> list[Said]:
    """The outcomes in that state, in the suite's order."""
    cells = {cell.cell: cell for cell in result.cells}
    outcomes = result.run.judgement.outcomes if result.run.judgement else ()
    return [_said(outcome, cells.get(outcome.cell)) for outcome in outcomes if outcome.state == state]


def terminal(result: RunResult) -> Group:
    """The judgement for a terminal, with what is to be known of the suite's history; nothing of a run whose suite
    expects nothing, but that."""
    from rich.console import Group
    from rich.text import Text

    judgement, known = result.run.judgement, history_notes(result.run.host)
    history = [Text("history ", style="yellow").append(visible(note), style="default") for note in known]
    if judgement is None or (judgement.state == "none" and not judgement.notes):
        return Group(*history)
    lines = [Text(), Text(f"expectations {headline(judgement)}{_against(judgement)}", style="bold")]
    for state, style in _STYLES.items():
        lines += [Text(f"{WORDS[state]} ", style=style).append(text, style="default")
                  for text in _some(said(result, state))]
    kept = sum(outcome.state == "kept" for outcome in judgement.outcomes)
    lines += [Text(f"{counted(kept, 'expectation')} kept", style="green")] if kept else []
    lines += [Text("note ", style="yellow").append(visible(note), style="default") for note in judgement.notes]
    return Group(*lines, *history)


def _against(judgement: Judgement) -> str:
    """` (against run A)`: the runs that its outcomes were held against, not one that it merely knew."""
    used = list(dict.fromkeys(outcome.baseline for outcome in judgement.outcomes if outcome.baseline))
    runs = sorted(used) or ([judgement.baseline] if judgement.baseline else [])
    if len(runs) > MOST_RUNS:
        return f" (against {len(runs)} runs, the newest {visible(runs[-1])})"
    return f" (against run{'s' if len(runs) > 1 else ''} {', '.join(map(visible, runs))})" if runs else ""


def name(cell: CellResult) -> str:
    """A cell by its names: `mobilenet int8 tflite/xnnpack on pixel-8`."""
    return f"{label(cell)} on {visible(cell.device)}"


def _some(lines: Sequence[Said]) -> Iterable[str]:
    more = len(lines) - MOST_SHOWN
    return [each.line for each in lines[:MOST_SHOWN]] + ([f"{more} more; the report holds all"] if more > 0 else [])


def _said(outcome: Outcome, cell: CellResult | None) -> Said:
    return Said(outcome.state, name(cell) if cell else visible(outcome.cell), visible(outcome.expectation),
                visible(outcome.limit), visible(outcome.found), visible(outcome.reason))
