"""A run as a step summary of GitHub Actions: Markdown with the verdict first and the details folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bench.report import comparison_markdown
from bench.report.comment import broken, counts, failed, safe, shifts, title, untold
from bench.report.facts import counted
from bench.report.judgement import said
from bench.report.markdown import to_markdown
from bench.report.morning import Morning

MOST_BYTES: Final = 1_000_000
"""A step's summary holds 1 MiB (docs.github.com, workflow commands: "Adding a job summary")."""
MOST_LINES: Final = 200
"""Of a list."""


def to_summary(morning: Morning) -> str:
    """The verdict, everything that is broken, not told, shifted or failed, then the comparison, the measurements and
    what was kept, folded. Ends in a newline; what does not fit is left out, and a line says so."""
    room = MOST_BYTES
    blocks: list[str] = []
    left_out = 0
    for block in _blocks(morning):
        room -= len(block.encode()) + 2
        blocks += [block] if room > 0 else []
        left_out += room <= 0
    note = [f"_{counted(left_out, 'part')} left out for length; the HTML report holds all._"] if left_out else []
    return "\n\n".join([*blocks, *note]) + "\n"


def _blocks(morning: Morning) -> Iterator[str]:
    result = morning.result
    yield title(result)
    yield counts(morning)
    yield from _list("Broken", broken(result))
    yield from _list("Cannot be told", untold(result))
    yield from _list("Devices that moved as a whole", shifts(morning))
    yield from _list("Failed", failed(result))
    if morning.comparison is not None:
        yield _folded("Compared with the baseline", comparison_markdown.to_markdown(morning.comparison))
    yield _folded("Everything that was measured", to_markdown(result))
    kept = [each.line for each in said(result, "kept")]
    if kept:
        yield _folded(f"{counted(len(kept), 'expectation')} kept", "\n".join(_items(kept)))
    yield f"Run {safe(result.run.id)}"


def _list(head: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"#### {head} ({len(lines)})\n\n" + "\n".join(_items(lines))


def _items(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_LINES
    return [f"- {safe(line)}" for line in lines[:MOST_LINES]] + ([f"- … and {more} more"] if more > 0 else [])


def _folded(head: str, text: str) -> str:
    """A blank line on both sides of the text, or it is not read as Markdown."""
    return f"<details><summary>{head}</summary>\n\n{text.strip()}\n\n</details>"
