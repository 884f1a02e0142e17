"""`bench report`: a stored run as HTML, Markdown, CSV, Parquet, JSON or JUnit XML."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import STORE, StorePath, newest_run, opened


class Format(StrEnum):
    """The formats there are."""

    html = "html"
    md = "md"
    csv = "csv"
    parquet = "parquet"
    json = "json"
    junit = "junit"
    summary = "summary"
    comment = "comment"


def add_to(app: typer.Typer) -> None:
    @app.command()
    def report(
        run: Annotated[str | None, typer.Argument(help="A run's id or its beginning; without one, the newest that came "
                                                       "to its end.")] = None,
        store: StorePath = STORE,
        format_: Annotated[Format, typer.Option("--format", help="The report's format.")] = Format.html,
        output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; "
                          "default: beside the store (html, parquet) or standard output (all others).")] = None,
    ) -> None:
        """Report a run: one self-contained HTML file, or what other tools read.

        junit is XML for a build server, summary a step summary of GitHub Actions, comment a short one on a change.
        """
        from bench.report import report as render
        from bench.report.morning import gather
        from bench.report.write import write_report
        with opened(store) as source:
            morning = gather(source, newest_run(source, run))
        content = render(morning, format_.value)
        if output is None and format_ in (Format.html, Format.parquet):
            output = store.parent / f"{morning.result.run.id}.{format_.value}"
        if output is None:
            sys.stdout.write(content if isinstance(content, str) else content.decode())
        else:
            write_report(content, output)
            print(output)
