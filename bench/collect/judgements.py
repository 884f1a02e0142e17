"""How a run was judged, as the store keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.collect.plain import from_plain, to_plain
from bench.results import Judgement
from bench.store.records import Json


def to_json(judgement: Judgement) -> Json:
    """As plain values."""
    plain: Json = to_plain(judgement)
    return plain


def from_json(plain: Mapping[str, Any]) -> Judgement:
    """The judgement of these values."""
    return from_plain(Judgement, plain)
