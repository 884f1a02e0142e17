"""A run in some forty lines of Markdown: what a comment on a change can hold, the verdict first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.report import facts
from bench.report.comparison import shift_lines
from bench.report.comparison import summary as compared
from bench.report.judgement import headline, said
from bench.report.morning import Morning
from bench.report.rows import unmeasured
from bench.report.text import markdown_cell, visible
from bench.results import RunResult

LONGEST_LINE: Final = 300
"""Characters before they are escaped, which makes them five times as long at most: all lines fit into a comment."""


def to_comment(morning: Morning) -> str:
    """The verdict, what broke, what cannot be told, devices that moved as a whole, what failed, and the run's id.

    At most 40 lines and 60,000 characters; of more, a line says how many. Ends in a newline.
    """
    result = morning.result
    lines = [title(result), "", counts(morning), "", *_list("Broken", broken(result), 8),
             *_list("Cannot be told", untold(result), 5), *_list("Devices that moved as a whole", shifts(morning), 3),
             *_list("Failed", failed(result), 5)]
    return "\n".join([*lines, f"Run {safe(result.run.id)}: `bench report` with this id shows all of it."]) + "\n"


def title(result: RunResult) -> str:
    """A heading: the suite and the verdict."""
    judgement = result.run.judgement
    said = headline(judgement) if judgement else facts.progress(result) or "not judged"
    return f"### {safe(result.run.suite)}: {safe(said)}"


def counts(morning: Morning) -> str:
    """One line: when, how much was measured, how that stands to the baseline, and the judgement's notes."""
    run, parts, told = morning.result.run, [facts.summary(morning.result.cells)], morning.comparison
    parts += [f"{compared(told)}, against run {told.before.run.id}"] if told else []
    notes = run.judgement.notes if run.judgement else ()
    return f"{safe(facts.when(run))}. " + ". ".join(safe(part) for part in (*parts, *notes)) + "."


def broken(result: RunResult) -> list[str]:
    """What is broken, a line each."""
    return [each.line for each in said(result, "broken")]


def untold(result: RunResult) -> list[str]:
    """What cannot be told or was not judged, a line each."""
    return [each.line for state in ("inconclusive", "not judged") for each in said(result, state)]


def shifts(morning: Morning) -> list[str]:
    """Devices that moved as a whole, a line each."""
    return shift_lines(morning.comparison) if morning.comparison else []


def failed(result: RunResult) -> list[str]:
    """What failed, cells with the same reason together, a line each."""
    groups = [group for group in unmeasured(result.cells) if group.status == "failed"]
    return [f"{facts.counted(len(group.cells), 'cell')} ({group.fault}): {group.reason}: {group.cells[0]}"
            + (", ..." if len(group.cells) > 1 else "") for group in groups]


def safe(text: str, longest: int = LONGEST_LINE) -> str:
    """`text` as the literal content of a line of Markdown."""
    return markdown_cell(visible(text, longest))


def _list(head: str, lines: Sequence[str], most: int) -> list[str]:
    """A list under a bold line, with a blank one after it; nothing for no lines."""
    if not lines:
        return []
    more = len(lines) - most
    return [f"**{head}** ({len(lines)})", *(f"- {safe(line)}" for line in lines[:most]),
            *([f"- … and {more} more"] if more > 0 else []), ""]
