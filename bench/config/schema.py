"""JSON schemas of what `bench` reads and writes, made from the very classes it reads and writes them with."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

from pydantic import TypeAdapter

from bench.config.base import Strict
from bench.config.devices import DevicesConfig
from bench.config.load import OWN
from bench.config.quantities import DURATION_PATTERN, format_duration
from bench.config.suite import SuiteConfig
from bench.results import Badge, RunResult

Which = Literal["devices", "suite", "results"]

RESULTS_VERSION: Final = 1
NOT_IN_JSON: Final = ("cell", "trial_medians_ms", "trial_p90s_ms", "trial_loads_ms", "trial_peak_rss_mib",
                      "baseline_medians_ms", "retry_medians_ms", "baseline_run", "quantiles_ms", "circumstances",
                      "source", "trial_seconds", "outliers", "steadiness", "behaviour", "left_out", "retry_disturbed",
                      "tried", "baseline_p90s_ms", "retry_p90s_ms", "baseline_loads_ms", "retry_loads_ms",
                      "baseline_peak_rss_mib", "retry_peak_rss_mib")
"""Fields of CellResult that the store and the charts use, and the JSON leaves out. So it does with conditions."""


def json_schema(which: Which) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of devices.yaml, of a suite, or of `bench run --json`."""
    if which == "results":
        title, schema = "bench: results", _results_schema()
    else:
        model: type[Strict] = DevicesConfig if which == "devices" else SuiteConfig
        title, schema = f"bench: {which}", model.model_json_schema()
        schema["patternProperties"] = {f"^{OWN}": {"description": "A section of your own: a place for anchors."}}
    finished: dict[str, Any] = _finish(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **finished, "title": title}


def _results_schema() -> dict[str, Any]:
    """RunResult as written: one object with the schema's version beside the result's own fields."""
    schema = TypeAdapter(RunResult).json_schema(mode="serialization")
    for field in NOT_IN_JSON:
        del schema["$defs"]["CellResult"]["properties"][field]
    del schema["$defs"]["DeviceSummary"]["properties"]["conditions"]
    schema["$defs"]["CellResult"]["properties"]["badge"] = {
        "anyOf": [{"enum": list(get_args(Badge)), "type": "string"}, {"type": "null"}],
        "description": "What the checks say together; null of a cell that was not measured."}
    schema["$defs"]["CellResult"]["properties"]["disturbed"] = {
        "anyOf": [{"type": "string"}, {"type": "null"}],
        "description": "In how many trials that count others took the processor, and how; null for in none."}
    outputs = schema["$defs"]["Outputs"]
    outputs["properties"] = {"ok": {
        "anyOf": [{"type": "boolean"}, {"type": "null"}],
        "description": "Whether they may be used: false where they differ, null where that is unknown."},
        **outputs["properties"]}
    for part in schema["$defs"].values():
        part["required"] = list(part["properties"])  # unknown values are written, as null
    version = {"const": RESULTS_VERSION, "type": "integer", "description": "The version of this format."}
    comparison = {"anyOf": [{"type": "object"}, {"type": "null"}],
                  "description": "With the run that it stands against, as `bench compare` writes it; null without one."}
    schema["properties"] = {"schema": version, **schema["properties"], "comparison": comparison}
    schema["required"] = list(schema["properties"])
    schema["description"] = "The result of a run. Unknown values are null; durations are in ms, memory in MiB."
    return schema


def _finish(node: Any) -> Any:
    """`node` with defaults of durations as text, no keys beside patterned ones, one-line descriptions, no titles."""
    if isinstance(node, list):
        return [_finish(child) for child in node]
    if not isinstance(node, dict):
        return node
    done = {key: _finish(child) for key, child in node.items() if not (key == "title" and isinstance(child, str))}
    if node.get("pattern") == DURATION_PATTERN and isinstance(node.get("default"), float):
        done["default"] = format_duration(node["default"])
    if "$ref" in node and isinstance(node.get("default"), dict):
        del done["default"]  # the parts' own defaults say the same
    if "patternProperties" in node:
        done["additionalProperties"] = False
    if isinstance(node.get("description"), str):
        done["description"] = " ".join(node["description"].split())
    return done
