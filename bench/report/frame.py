"""Results as a pandas data frame, and as CSV and Parquet made from it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from bench.errors import MissingExtra
from bench.report.flat import TEXT, TRUTH, WHOLE, columns, records
from bench.report.morning import Morning
from bench.report.text import csv_cell

if TYPE_CHECKING:
    import pandas as pd


def frame(morning: Morning) -> pd.DataFrame:
    """One row a cell, columns as `bench.report.flat` names them, each with a type that knows "missing".

    Raises MissingExtra without pandas.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtra("pandas", "report", "a table of results") from error
    table = pd.DataFrame(records(morning), columns=columns())
    return table.astype({name: _dtype(name) for name in table.columns})


def to_csv(morning: Morning) -> str:
    """The frame as CSV; text that a spreadsheet would run as a formula is quoted. Raises MissingExtra (pandas)."""
    table = frame(morning)
    for name in TEXT:
        table[name] = table[name].map(csv_cell, na_action="ignore")
    return table.to_csv(index=False, lineterminator="\n")


def to_parquet(morning: Morning) -> bytes:
    """The frame as a Parquet file. Raises MissingExtra without pandas or pyarrow."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingExtra("pyarrow", "parquet", "a Parquet file") from error
    table = frame(morning)
    buffer = BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _dtype(column: str) -> str:
    if column in TEXT:
        return "string"
    return "Int64" if column in WHOLE else "boolean" if column in TRUTH else "Float64"
