from __future__ import annotations

import re
from pathlib import Path

from bench.report import report
from bench.report.markdown import LONGEST
from bench.report.morning import Morning
from bench.report.text import markdown_cell, visible
from tests.fakes.results import HOSTILE, hostile, many, typical

GOLDEN = Path(__file__).parent.parent / "golden" / "report.md"
COLUMNS = 11


def test_the_markdown_is_as_agreed() -> None:
    """After a wanted change: write `report(Morning(typical()), "md")` to the golden file, and read the difference."""
    assert report(Morning(typical()), "md") == GOLDEN.read_text(encoding="utf-8")


def test_every_line_of_a_table_has_as_many_cells_as_its_head() -> None:
    lines = [line for line in str(report(Morning(hostile()), "md")).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) - 1 for line in lines} == {COLUMNS, 4}


def test_hostile_names_are_inert() -> None:
    text = str(report(Morning(hostile()), "md"))
    assert "<" not in text and "@" not in text and "\x1b" not in text and "\x00" not in text
    assert "](" not in text.replace("\\](", "")
    assert text.isascii() or all(character.isprintable() or character == "\n" for character in text)
    text.encode("utf-8")


def test_each_hostile_name_becomes_one_printable_line() -> None:
    for name in HOSTILE:
        assert visible(name).isprintable()
        assert "\n" not in markdown_cell(visible(name))


def test_a_long_text_is_cut_and_says_so() -> None:
    assert visible("x" * 1000).endswith("x…") and len(visible("x" * 1000)) == 400


def test_a_large_run_still_fits_into_a_comment() -> None:
    text = str(report(Morning(many(1000)), "md"))
    assert len(text) <= LONGEST + 200
    assert "left out for length" in text
