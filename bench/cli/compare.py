"""`bench compare`: two runs, devices, runtimes or variants, and what may be said of their difference."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import STORE, DeviceNames, StorePath, newest_run, opened

if TYPE_CHECKING:
    from bench.judge.types import Comparison

LEAST_WIDTH = 100
SIDE = ("last, previous, last-green, a run's id or its beginning, a date (2026-11-21), a git commit, branch or tag; "
        "or of one run a device, a runtime (tflite, tflite/builtin) or a variant (int8, onnx/int8, MODEL, MODEL/int8). "
        "run:, date:, git:, device:, runtime: or variant: before it says which is meant.")


class Format(StrEnum):
    """The formats there are."""

    text = "text"
    md = "md"
    json = "json"


def add_to(app: typer.Typer) -> None:
    @app.command()
    def compare(
        before: Annotated[str, typer.Argument(help=f"What to compare with: {SIDE}")],
        after: Annotated[str, typer.Argument(help="What is compared, named likewise.")],
        run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="The run whose devices, runtimes or "
                                                "variants are compared; without it, the newest.")] = None,
        despite: Annotated[str | None, typer.Option("--despite", metavar="NAMES", help="Circumstances that may differ, "
                                                    "such as os,runtime; all for all.")] = None,
        margin: Annotated[str, typer.Option("--margin", metavar="PERCENT", help="Differences within it are none."
                                            )] = "3%",
        format_: Annotated[Format, typer.Option("--format", help="The output's format.")] = Format.text,
        chart: Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Also draw the ratios with their "
                                                   "intervals, as .svg or .png.")] = None,
        every: Annotated[bool, typer.Option("--all", help="List the cells that are the same too.")] = False,
        exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when a cell is worse or broke."
                                                )] = False,
        device: DeviceNames = None,
        model: Annotated[list[str] | None, typer.Option("-m", "--model", metavar="NAME", help="Only this model; may be "
                                                        "given several times.")] = None,
        store: StorePath = STORE,
    ) -> None:
        """Compare two runs, or two devices, runtimes or variants of one run, cell by cell.

        Each cell is better, worse, the same, or it cannot be told yet. Cells that were not measured alike are refused,
        with what differs.
        """
        from bench.errors import EXIT_EXPECTATION
        from bench.judge.compare import compare_sides
        from bench.judge.guard import parse_despite
        from bench.judge.sides import find_sides
        share, names = _fraction(margin), parse_despite(despite)
        suffix = _suffix(chart)
        with opened(store) as source:
            if run is None and "last" in (before, after):
                newest_run(source, None)
            sides = find_sides(source, before, after, run)
            found = compare_sides(source, *sides, despite=names, margin=share, devices=device or (), models=model or ())
        _refuse_empty(found)
        _show(found, format_, every=every)
        if chart is not None:
            _draw(found, chart, suffix)
        if exit_code and _is_worse(found):
            raise typer.Exit(EXIT_EXPECTATION)


def _fraction(text: str) -> float:
    """`3%` or `3` as 0.03. Raises ConfigError."""
    from bench.errors import ConfigError

    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)\s*%?", text.strip())
    if not found or not 0 < float(found[1]) <= 100:
        raise ConfigError(f"--margin: wanted a percentage above 0 and at most 100, such as 3%, found {text!r}")
    return float(found[1]) / 100


def _suffix(chart: Path | None) -> str:
    """Checked before anything is read, so that a mistake costs no time."""
    from bench.report.comparison_chart import chart_format

    return chart_format(chart) if chart else ""


def _refuse_empty(found: Comparison) -> None:
    """Raises ConfigError where no cell could be compared."""
    from bench.errors import ConfigError
    from bench.report.comparison import let_pass, lone_lines, refused_lines

    if found.pairs or found.broke or found.mended:
        return
    if found.refused:
        listed = "".join(f"\n  {line}" for line in refused_lines(found))
        raise ConfigError(f"not compared, since the two were not measured alike:{listed}",
                          hint=f"--despite {let_pass(found.refused)} compares them all the same, and says so")
    listed = "".join(f"\n  {line}" for line in lone_lines(found))
    raise ConfigError(f"{found.before.kind} {found.before.label!r} and {found.after.label!r} have no cell in common "
                      f"that was measured on both{listed}")


def _show(found: Comparison, format_: Format, *, every: bool) -> None:
    if format_ is Format.json:
        from bench.report.comparison_json import dumps

        sys.stdout.write(dumps(found))
    elif format_ is Format.md:
        from bench.report.comparison_markdown import to_markdown

        sys.stdout.write(to_markdown(found))
    else:
        from rich.console import Console

        from bench.report.comparison_terminal import page

        console = Console(highlight=False)
        Console(width=max(console.width, LEAST_WIDTH), highlight=False).print(page(found, every=every))


def _draw(found: Comparison, path: Path, suffix: str) -> None:
    from bench.report.comparison_chart import forest
    from bench.report.write import write_report

    write_report(forest(found, suffix), path)
    print(f"chart: {path}", file=sys.stderr)


def _is_worse(found: Comparison) -> bool:
    return any(not cell.lab_failed for cell in found.broke) or any(
        verdict and verdict.call == "worse" for pair in found.pairs for verdict in (pair.latency, pair.memory))
