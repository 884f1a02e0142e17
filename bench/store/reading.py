"""From rows to records, with care: what came from a device is held against `bench.messages` once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Text, case, cast, func

from bench.errors import InfrastructureError
from bench.messages.stored import kept_session, kept_trial
from bench.store.records import SessionRecord, TrialRecord

_NOTHING: Final[dict[str, Any]] = {
    "phases": {}, "memory": {}, "versions": {}, "warm_up": None, "cpu_ns": None, "findings": None, "samples": None,
    "sample_count": 0, "median_ns": None, "conditions": [], "outputs": None, "accuracy": None}


def trial_of(row: Mapping[str, Any]) -> TrialRecord:
    """The trial in a row. One of which no number may be made, as an earlier version may have kept it, is a trial that
    failed, and says so."""
    values = dict(row)
    number = values.pop("id")
    try:
        return TrialRecord(**(values | kept_trial(values)))
    except InfrastructureError as error:
        reason = f"what the store has of it (row {number} of its trials) is no measurement: {error.message}"
        settings = values["settings"] if isinstance(values["settings"], dict) else {}
        failed = {"settings": settings, "state": "failed", "fault": "infrastructure", "reason": reason}
        return TrialRecord(**(values | _NOTHING | failed))


def session_of(row: Mapping[str, Any]) -> SessionRecord:
    """The session in a row; what is not understood of the device is not known."""
    return SessionRecord(**{**row, **kept_session(row)})


def readings_of(told: object) -> list[dict[str, Any]]:
    """Those of a trial's readings that are mappings, with whatever is in them."""
    return [seen for seen in told if isinstance(seen, dict)] if isinstance(told, list) else []


def json_text(column: Any) -> Any:
    """A column's JSON as text; `{}` where it is none."""
    return case((func.json_valid(column), cast(column, Text)), else_="{}")


def json_at(column: Any, path: str, *types: str) -> Any:
    """What a column's JSON has at a path, if it is of these types of SQLite's; NULL else, and where it is no JSON."""
    fits = func.json_valid(column) & func.json_type(column, path).in_(types)
    return case((func.json_valid(column), case((fits, func.json_extract(column, path)))))
