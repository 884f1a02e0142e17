"""Reports of a run: HTML, Markdown, CSV, Parquet, JSON, and a table for the terminal."""

from __future__ import annotations

from typing import Final

from bench.errors import ConfigError
from bench.results import RunResult
from bench.words import nearest

FORMATS: Final = ("html", "md", "csv", "parquet", "json")


def report(result: RunResult, format: str) -> str | bytes:
    """The report in one of `FORMATS`: text, or bytes for parquet.

    Raises ConfigError for another format, MissingExtra where csv or parquet lack pandas or pyarrow.
    """
    match format:
        case "html":
            from bench.report.html import to_html

            return to_html(result)
        case "md":
            from bench.report.markdown import to_markdown

            return to_markdown(result)
        case "csv":
            from bench.report.frame import to_csv

            return to_csv(result)
        case "parquet":
            from bench.report.frame import to_parquet

            return to_parquet(result)
        case "json":
            from bench.report.json import dumps

            return dumps(result)
    raise ConfigError(f"no report format {format!r}{nearest(format, FORMATS)}")
