"""Reports of a run: HTML, Markdown, CSV, Parquet, JSON, JUnit XML, and a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.errors import ConfigError
from bench.words import nearest

if TYPE_CHECKING:
    from bench.report.morning import Morning

FORMATS: Final = ("html", "md", "csv", "parquet", "json", "junit", "summary", "comment")


def report(morning: Morning, format: str) -> str | bytes:
    """The report in one of `FORMATS`: text, or bytes for parquet.

    Raises ConfigError for another format, MissingExtra where csv or parquet lack pandas or pyarrow.
    """
    match format:
        case "html":
            from bench.report.html import to_html

            return to_html(morning)
        case "md":
            from bench.report.markdown import to_markdown

            return to_markdown(morning.result)
        case "csv":
            from bench.report.frame import to_csv

            return to_csv(morning)
        case "parquet":
            from bench.report.frame import to_parquet

            return to_parquet(morning)
        case "json":
            from bench.report.json import dumps

            return dumps(morning)
        case "junit":
            from bench.report.junit import to_junit

            return to_junit(morning)
        case "summary":
            from bench.report.summary import to_summary

            return to_summary(morning)
        case "comment":
            from bench.report.comment import to_comment

            return to_comment(morning)
    raise ConfigError(f"no report format {format!r}{nearest(format, FORMATS)}")
