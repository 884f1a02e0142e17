"""The report as one HTML file: its data, its script and its style within it, nothing from elsewhere, opens offline."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from bench import __version__
from bench.report import device, facts
from bench.report.definitions import COLUMNS
from bench.report.morning import Morning
from bench.report.news import baseline_name, find_news
from bench.report.page import page_data
from bench.report.rows import unmeasured
from bench.report.text import visible
from bench.results import DeviceSummary, RunResult

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

STYLES: Final = ("base", "first", "tables", "charts", "detail", "print")
SCRIPTS: Final = ("words", "data", "state", "dom", "axes", "theme", "spark", "filters", "table", "heat", "scatter",
                  "ladder", "faceoff", "conditions", "distribution", "detail", "main")
"""Names of the files in templates/page, in the order that they need one another."""


@dataclass(frozen=True)
class DeviceSection:
    """A device with its facts; `timeline` is its place among the page's devices, from 1, and 0 for one of which no
    summary was stored."""

    name: str
    emulated: bool
    facts: str
    warnings: list[str]
    conditions: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    timeline: int


def to_html(morning: Morning) -> str:
    """The whole file as text, ending in a newline.

    A policy in it lets nothing be loaded, and no script run but the page's own: it names the hashes of its script and
    style (Content Security Policy Level 3, section 2.3.1).
    """
    from markupsafe import Markup

    result = morning.result
    script, style = _script(), _joined("css", STYLES)
    return _template().render(
        run=result.run, suite=visible(result.run.suite), when=facts.when(result.run), version=__version__,
        notes=[visible(note) for note in result.run.notes], summary=facts.summary(result.cells),
        settings=facts.settings(result.run.settings), host=facts.settings(result.run.host), news=find_news(morning),
        models=len({cell.model for cell in result.cells}), lost=unmeasured(result.cells),
        lost_count=sum(cell.status != "ok" for cell in result.cells), devices=_devices(result),
        definitions=[*COLUMNS, *_method(morning)], counted=facts.counted, visible=visible,
        script=Markup(script), style=Markup(style), script_hash=_hash(script), style_hash=_hash(style),
        data=embedded(page_data(morning))) + "\n"


def embedded(data: object) -> Markup:
    """`data` as JSON for a script element: ASCII, and nothing in it can end the element or open a comment.

    Source: HTML Living Standard, section 4.12.1.3, restrictions for contents of script elements.
    """
    from markupsafe import Markup

    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _method(morning: Morning) -> list[tuple[str, str]]:
    """How changes were judged, as one more definition."""
    told = morning.comparison
    return [("change", f"Against {baseline_name(told)}: {visible(told.method, 2000)}.")] if told else []


def _devices(result: RunResult) -> list[DeviceSection]:
    found = {summary.name: _section(summary, place, result) for place, summary in enumerate(result.devices, 1)}
    for cell in result.cells:
        found.setdefault(cell.device, DeviceSection(visible(cell.device), cell.emulated, "the device stated no facts",
                                                    [], [], [], 0))
    return list(found.values())


def _section(found: DeviceSummary, place: int, result: RunResult) -> DeviceSection:
    cells = [cell for cell in result.cells if cell.device == found.name]
    versions = facts.settings(found.versions) + device.other_facts(found)
    return DeviceSection(visible(found.name), found.emulated, device.facts_line(found, cells), device.warnings(found),
                         device.conditions(found.conditions), versions, place)


def _script() -> str:
    """All scripts as one, with no names of its own outside."""
    return f"(() => {{\n\"use strict\";\n{_joined('js', SCRIPTS)}}})();"


@lru_cache(maxsize=4)
def _joined(ending: str, names: tuple[str, ...]) -> str:
    folder = files("bench.report") / "templates" / "page"
    return "".join((folder / f"{name}.{ending}").read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("bench.report"), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("page.html.j2")
