"""A run as JUnit XML, in the dialect that Jenkins, GitLab and GitHub's actions read: a case per cell, and one per
expectation held against it.

There is no one standard; elements and attributes are those of Ant's JUnit task and Jenkins' xunit plugin
(github.com/jenkinsci/xunit-plugin, junit-10.xsd).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from bench.report.facts import settings
from bench.report.morning import Morning
from bench.report.rows import engine
from bench.report.text import visible
from bench.results import CellResult, Outcome, RunResult
from bench.units import milliseconds

_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not (its production 2, Char)."""
LONGEST: Final = 10_000
_LAB: Final = ("infrastructure", "bug")
"""Faults that say nothing of the model or the device: errors, not failures."""


def to_junit(morning: Morning) -> str:
    """A suite per device: cells are cases of class SUITE.DEVICE.MODEL, their expectations cases of the same class.

    A failed cell is a failure of its fault's type, or an error where the host or `bench` is at fault; a skipped one is
    skipped with its reason, and so is one that is not measured yet. A broken expectation is a failure; an inconclusive
    one is one too where the run is red for it, else skipped: never a passed case. One that was not judged is a failure,
    an error or skipped as the suite's `on_not_judged` says fail, incomplete or pass. Times are those of a cell's
    trials, in seconds.
    """
    result = morning.result
    root = ElementTree.Element("testsuites", {"name": _text(result.run.suite)})
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in result.run.judgement.outcomes if result.run.judgement else ():
        outcomes[outcome.cell].append(outcome)
    for device in dict.fromkeys(cell.device for cell in result.cells):
        mine = [cell for cell in result.cells if cell.device == device]
        root.append(_suite(result, device, mine, outcomes))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(result: RunResult, device: str, cells: Sequence[CellResult],
           outcomes: dict[str, list[Outcome]]) -> ElementTree.Element:
    cases = [case for cell in cells
             for case in (_cell(result, cell), *(_expectation(result, cell, each) for each in outcomes[cell.cell]))]
    count = {tag: sum(case.find(tag) is not None for case in cases) for tag in ("failure", "error", "skipped")}
    suite = ElementTree.Element("testsuite", {
        "name": _text(f"{result.run.suite} on {device}"), "tests": str(len(cases)), "failures": str(count["failure"]),
        "errors": str(count["error"]), "skipped": str(count["skipped"]),
        "time": _seconds(sum(map(_time_s, cells))), "timestamp": result.run.started[:19], "hostname": _text(device)})
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("run", result.run.id), ("state", result.run.state), *_facts(result, device)):
        ElementTree.SubElement(properties, "property", {"name": _text(key), "value": _text(value)})
    suite.extend(cases)
    return suite


def _cell(result: RunResult, cell: CellResult) -> ElementTree.Element:
    case = _case(result, cell, "", _time_s(cell))
    reason = cell.reason or "no reason was stored"
    if cell.status in ("skipped", "pending"):
        ElementTree.SubElement(case, "skipped", {"message": _text(reason)})
    elif cell.status == "failed":
        _add(case, "error" if cell.fault in _LAB else "failure", reason, cell.fault or "unknown")
    elif cell.outputs and cell.outputs.wrong:
        _add(case, "failure", "its outputs differ from the fp32 reference", "outputs")
    said = [f"p50 {milliseconds(cell.latency_ms.p50)} ms, {cell.badge}"] if cell.status == "ok" else []
    said += [*cell.warnings, *(f"{check.name}: {check.reason}" for check in cell.checks if check.state == "failed")]
    if said:
        ElementTree.SubElement(case, "system-out").text = "\n".join(map(_text, said))
    return case


def _expectation(result: RunResult, cell: CellResult, outcome: Outcome) -> ElementTree.Element:
    case = _case(result, cell, f": {outcome.expectation} {outcome.limit}", 0.0)
    message = f"{outcome.found}: {outcome.reason}"
    judgement = result.run.judgement
    red = judgement is not None and judgement.state == "red"
    said = judgement.on_not_judged if judgement and outcome.state == "not judged" else None
    if outcome.state == "broken":
        _add(case, "failure", message, "broken")
    elif said in ("fail", "incomplete"):
        _add(case, "failure" if said == "fail" else "error", message, outcome.state)
    elif outcome.state != "kept" and red and said is None:
        _add(case, "failure", message, outcome.state)
    elif outcome.state != "kept":
        ElementTree.SubElement(case, "skipped", {"message": _text(f"{outcome.state}: {message}")})
    else:
        ElementTree.SubElement(case, "system-out").text = _text(message)
    return case


def _case(result: RunResult, cell: CellResult, what: str, seconds: float) -> ElementTree.Element:
    """A reader makes packages of a class's dots: those within names become underscores."""
    place = ".".join(_text(part).replace(".", "_") for part in (result.run.suite, cell.device, cell.model))
    title = f"{cell.precision} {cell.runtime}/{engine(cell)}{what}"
    return ElementTree.Element("testcase", {"name": _text(title), "classname": place, "time": _seconds(seconds)})


def _add(case: ElementTree.Element, tag: str, message: str, kind: str) -> None:
    ElementTree.SubElement(case, tag, {"message": _text(message), "type": _text(kind)}).text = _text(message)


def _facts(result: RunResult, device: str) -> list[tuple[str, str]]:
    """What the device said of itself, and its versions."""
    told = [summary for summary in result.devices if summary.name == device]
    return [pair for summary in told for pair in (*settings(summary.facts), *summary.versions.items())]


def _time_s(cell: CellResult) -> float:
    return (cell.trial_seconds or 0.0) * cell.trials


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _text(text: str) -> str:
    """`text` on one line, without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", visible(text, LONGEST))
