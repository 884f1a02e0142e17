from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.errors import ConfigError
from bench.judge.types import CellPair, Comparison, Verdict
from bench.report import comparison as told
from bench.report.comparison_chart import MOST_ROWS, chart_format, forest
from bench.report.comparison_json import dumps
from bench.report.comparison_markdown import to_markdown
from bench.report.comparison_terminal import page
from bench.results import CellResult
from tests.fakes.compared import ALIKE, compared, lost, night, timed
from tests.fakes.results import HOSTILE

GOLDEN = Path(__file__).parent.parent / "golden" / "comparison.txt"


def printed(comparison: Comparison, *, every: bool = False, width: int = 100) -> str:
    out = StringIO()
    Console(file=out, width=width, force_terminal=False, highlight=False).print(page(comparison, every=every))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def worded(comparison: Comparison) -> Comparison:
    """The same, where the verdicts' own sentences do not matter."""
    def plain(verdict: Verdict) -> Verdict:
        return replace(verdict, reason=f"why it is {verdict.call}; what holds everywhere")

    pairs = tuple(replace(pair, latency=plain(pair.latency), memory=pair.memory and plain(pair.memory))
                  for pair in comparison.pairs)
    return replace(comparison, pairs=pairs, method="as stated elsewhere")


def shifted() -> Comparison:
    """A device that slowed by 9 % under another system, and one cell of it that slowed much more."""
    before = [timed(model, precision) for model in ("mobilenet", "resnet", "unet") for precision in ("fp32", "int8")]
    after = [timed(cell.model, cell.precision, ratio=1.5 if place == 5 else 1.09, turn=place,
                   circumstances={**ALIKE, "os": "Android 16"}) for place, cell in enumerate(before)]
    return compared(before, after, despite=frozenset({"os"}))


def hostile() -> Comparison:
    """Every text that a model, a device or a converter could choose is an attack."""
    before, after = [], []
    for name in HOSTILE:
        usual, slow = timed(), timed(ratio=1.2, turn=1, source=name)
        for place, (one, other) in enumerate((
                (usual, slow), (replace(usual, circumstances={"os": name}), replace(usual, circumstances={"os": ""})),
                (usual, replace(lost(usual), reason=name)))):
            same = {"model": f"{name}{place}", "device": name, "delegate": name, "cell": f"{place}{name}"}
            before.append(replace(one, **same))  # type: ignore[arg-type]
            after.append(replace(other, **same))  # type: ignore[arg-type]
        before.append(replace(usual, model=name, cell=name, threads=9))
    return compared(before, after)


def test_the_text_is_as_agreed() -> None:
    """After a wanted change: write what is printed here to the golden file, and read the difference."""
    assert printed(worded(night())) == GOLDEN.read_text(encoding="utf-8")


def test_the_text_fits_into_100_columns_uncut() -> None:
    for comparison in (night(), shifted()):
        text = printed(comparison, every=True)
        assert max(map(len, text.splitlines())) <= 100 and "…" not in text


def test_equal_cells_are_counted_and_listed_on_demand() -> None:
    same = night()
    assert "Same (1): --all lists them" in printed(same) and "unet fp32" not in printed(same)
    assert "unet fp32" in printed(same, every=True)


def test_a_device_that_moved_is_named_first_and_its_cells_are_not_listed_as_worse() -> None:
    text = printed(shifted())
    assert text.index("device-wide: 5 of 6 cells of pixel-8 are slower") < text.index("Worse (1)")
    assert "Moved with their device (5)" in text and "6 worse (5 with their device)" in text
    rows = {row.name: row.verdict for section in told.sections(shifted()) for row in section.rows}
    assert rows["unet int8 onnxruntime/cpu"] == "worse"
    assert rows["unet fp32 onnxruntime/cpu"] == "worse, with its device"


def test_what_was_let_pass_is_said_everywhere() -> None:
    line = "compared despite os Android 15 → Android 16 (6 cells)"
    assert line in printed(shifted()) and line in to_markdown(shifted())
    assert json.loads(dumps(shifted()))["pairs"][0]["despite"] == [
        {"name": "os", "before": "Android 15", "after": "Android 16"}]


def test_what_cannot_be_told_says_what_would_settle_it() -> None:
    text = " ".join(printed(night()).split())
    assert re.search(r"yolo fp32 onnxruntime/cpu: .* about \d+ more trials each would tell, ", text)


def test_refused_cells_are_listed_with_what_differs_and_what_would_let_them_pass() -> None:
    found = night()
    assert told.refused_lines(found) == ["os Android 15 → Android 16: 1 cell: tiny fp32 onnxruntime/cpu"]
    assert told.let_pass(found.refused) == "os"


def test_the_json_is_complete_and_unknown_values_are_null() -> None:
    found = json.loads(dumps(night()))
    assert set(found) == {field.name for field in fields(Comparison)} | {"schema"}
    pair = next(pair for pair in found["pairs"] if pair["before"]["model"] == "yolo")
    assert set(pair) == {field.name for field in fields(CellPair)} | {"cell", "moved_with_device"}
    assert set(pair["latency"]) == {field.name for field in fields(Verdict)}
    assert set(pair["after"]) == {field.name for field in fields(CellResult)} | {"badge"}
    assert pair["latency"]["call"] == "cannot tell" and pair["latency"]["more_trials"] > 0
    assert pair["after"]["cores"] is None and found["pairs"][0]["latency"]["more_trials"] is None


def test_hostile_names_are_inert() -> None:
    text, markdown, plain = printed(hostile(), width=300), to_markdown(hostile()), dumps(hostile())
    assert not set(text) & set("\x1b\x00\u202e\ud800") and "\\x1b[31mred" in text and "Broke" in text
    assert all(character.isprintable() or character == "\n" for character in text + markdown)
    assert "<" not in markdown and "@" not in markdown and "](" not in markdown.replace("\\](", "")
    assert plain.isascii() and json.loads(plain)
    columns = {len(re.findall(r"(?<!\\)\|", line)) - 1 for line in markdown.splitlines() if line.startswith("|")}
    assert columns == {len(told.HEADINGS)}


def test_a_large_comparison_still_fits_into_a_comment() -> None:
    before = [timed(f"m{number}") for number in range(1000)]
    after = [timed(f"m{number}", ratio=1.2 if number % 2 else 1.05, sd=0.05, turn=number % 6) for number in range(1000)]
    assert len(to_markdown(compared(before, after))) < 65_536


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_chart_is_the_same_for_the_same_comparison(suffix: str) -> None:
    first = forest(night(), suffix)
    assert first == forest(night(), suffix)
    assert first.startswith(b"<?xml" if suffix == ".svg" else b"\x89PNG")


def test_the_chart_names_cells_verdicts_and_margin_and_leaves_out_the_smallest_changes() -> None:
    text = forest(night(), ".svg").decode()
    for words in ("mobilenet fp32 onnxruntime/cpu", "worse", "cannot tell", "shaded: within 3 %"):
        assert words in text
    before = [timed(f"m{number}") for number in range(MOST_ROWS + 5)]
    after = [timed(cell.model, ratio=1 + 0.01 * place) for place, cell in enumerate(before)]
    text = forest(compared(before, after), ".svg").decode()
    assert "5 smaller changes left out" in text and ">m64 fp32" in text and ">m0 fp32" not in text


def test_hostile_names_do_nothing_in_a_chart() -> None:
    text = forest(hostile(), ".svg").decode()
    assert "<script" not in text and "<img" not in text and "&lt;img" in text


def test_a_chart_of_another_kind_is_refused_with_the_nearest() -> None:
    assert chart_format(Path("a.SVG")) == ".svg"
    with pytest.raises(ConfigError, match=r"'\.pngg'.*did you mean '\.png'"):
        chart_format(Path("a.pngg"))
    with pytest.raises(ConfigError, match="without an ending"):
        chart_format(Path("a"))
