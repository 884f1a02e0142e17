"""`bench history`: each cell's p50 over runs, where it changed and how it stands."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import STORE, StorePath, opened

if TYPE_CHECKING:
    from bench.judge.types import History
    from bench.store.store import Store

MOST_RUNS = 200
"""Finding changes takes the cube of the runs."""


class Format(StrEnum):
    """The formats there are."""

    text = "text"
    md = "md"
    json = "json"
    csv = "csv"


def add_to(app: typer.Typer) -> None:
    @app.command()
    def history(
        model: Annotated[str | None, typer.Argument(help="A model; without one, all.")] = None,
        device: Annotated[str | None, typer.Option("-d", "--device", metavar="NAME", help="Only this device.")] = None,
        suite: Annotated[str | None, typer.Option("--suite", metavar="NAME", help="Only runs of this suite.")] = None,
        runs: Annotated[int, typer.Option("--runs", metavar="N", min=1, max=MOST_RUNS,
                                          help="The newest so many runs.")] = 60,
        format_: Annotated[Format, typer.Option("--format", help="The output's format.")] = Format.text,
        chart: Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Also draw the series, as .svg or "
                                                   ".png.")] = None,
        store: StorePath = STORE,
    ) -> None:
        """Show each cell's p50 over runs: where it changed, with which versions, and how it stands now.

        When most cells of a device change together, that is said once.
        """
        from bench.judge.history import read_history
        from bench.report.comparison_chart import chart_format
        suffix = chart_format(chart) if chart else ""
        with opened(store) as source:
            found = read_history(source, model=model, device=device, suite=suite, most_runs=runs)
            if not found.series:
                _refuse_unknown(source, model, device, suite)
        _show(found, format_)
        if chart is not None:
            _draw(found, chart, suffix)


def _refuse_unknown(store: Store, model: str | None, device: str | None, suite: str | None) -> None:
    """Raises ConfigError: what was asked for is not there."""
    from bench.errors import ConfigError
    from bench.words import nearest

    planned = store.planned()
    for kind, wanted, known in (("model", model, {name for _, _, name in planned}),
                                ("device", device, {name for _, name, _ in planned}),
                                ("suite", suite, {run.suite for run in store.runs()})):
        if wanted is not None and wanted not in known:
            raise ConfigError(f"{store.path} holds no {kind} {wanted!r}{nearest(wanted, sorted(known))}")
    raise ConfigError(f"{store.path} holds no measured cell of that kind",
                      hint="bench run measures; bench report shows why cells were not measured")


def _show(found: History, format_: Format) -> None:
    from bench.report import history_text

    render = {Format.text: history_text.to_text, Format.md: history_text.to_markdown,
              Format.json: history_text.to_json, Format.csv: history_text.to_csv}
    sys.stdout.write(render[format_](found))


def _draw(found: History, path: Path, suffix: str) -> None:
    from bench.report.history_chart import chart
    from bench.report.write import write_report

    write_report(chart(found, suffix), path)
    print(f"chart: {path}", file=sys.stderr)
