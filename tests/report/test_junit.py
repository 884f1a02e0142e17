from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from bench.report import report
from bench.report.junit import to_junit
from bench.report.morning import Morning
from bench.results import Judgement, Outcome, RunResult
from tests.fakes.mornings import hostile_morning, judgement, morning
from tests.fakes.results import lost_cell, ok_cell, run_info, typical

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def read(found: Morning) -> ElementTree.Element:
    """The report, once it fits the schema."""
    text = to_junit(found)
    SCHEMA.validate(text)
    return ElementTree.fromstring(text)


def one(state: str, run_state: Any, **changes: Any) -> ElementTree.Element:
    """The case of an expectation of a single cell that is in that state."""
    cell = ok_cell()
    outcome: Any = Outcome("latency_p50", cell.cell, state, "at most 20 ms", "30 ms", "too slow")  # type: ignore[arg-type]
    result = RunResult(run_info(judgement=Judgement(run_state, (outcome,))), (cell,))
    return read(Morning(result)).findall("testsuite/testcase")[1]


def test_a_mornings_report_fits_the_schema_and_counts_its_cases() -> None:
    told = morning()
    root = read(told)
    cases = root.findall("testsuite/testcase")
    assert len(cases) == len(told.result.cells) + len(judgement(told.result).outcomes)
    for suite in root:
        mine = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(mine)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == sum(case.find(tag) is not None for case in mine)
    assert [suite.attrib["hostname"] for suite in root] == ["this-machine", "board-qemu"]


def test_hostile_names_stay_text() -> None:
    told = hostile_morning()
    cells = tuple(replace(cell, threads=place + 2) for place, cell in enumerate(told.result.cells))
    root = read(replace(told, result=replace(told.result, cells=cells)))
    shown = ElementTree.tostring(root, encoding="unicode")
    assert "<script" not in shown and "\\x00" in shown and "\x1b" not in shown


@given(st.text(max_size=30))
def test_any_text_of_a_model_makes_xml(text: str) -> None:
    cell = replace(lost_cell("failed", text, "model"), model=text or "m", device=text or "d")
    read(Morning(RunResult(run_info(), (cell,))))


@pytest.mark.parametrize(("fault", "tag"), [("model", "failure"), ("device", "failure"), ("infrastructure", "error"),
                                            ("bug", "error")])
def test_a_failed_cell_is_a_failure_of_its_faults_type_and_the_labs_an_error(fault: str, tag: str) -> None:
    case = read(Morning(RunResult(run_info(), (lost_cell("failed", "it broke", fault),)))).find("testsuite/testcase")
    assert case is not None and (problem := case.find(tag)) is not None
    assert problem.attrib == {"message": "it broke", "type": fault} and problem.text == "it broke"


def test_a_skipped_cell_is_skipped_with_its_reason() -> None:
    case = read(Morning(RunResult(run_info(), (lost_cell("skipped", "no kernel", "model"),)))).find(
        "testsuite/testcase/skipped")
    assert case is not None and case.attrib == {"message": "no kernel"}


def test_wrong_outputs_are_a_failure() -> None:
    kinds = [each.attrib["type"] for each in read(Morning(typical())).findall("testsuite/testcase/failure")]
    assert "outputs" in kinds


def test_a_broken_expectation_is_a_failure_that_says_by_how_much() -> None:
    case = one("broken", "red")
    failure = case.find("failure")
    assert case.attrib["name"] == "fp32 onnxruntime/cpu: latency_p50 at most 20 ms"
    assert case.attrib["classname"] == "vision.this-machine.mobilenet"
    assert failure is not None and failure.attrib == {"message": "30 ms: too slow", "type": "broken"}


@pytest.mark.parametrize("state", ["inconclusive", "not judged"])
def test_what_could_not_be_told_is_never_a_passed_case(state: str) -> None:
    red, green = one(state, "red").find("failure"), one(state, "green").find("skipped")
    assert red is not None and red.attrib["type"] == state
    assert green is not None and green.attrib["message"] == f"{state}: 30 ms: too slow"


def test_a_kept_expectation_passes() -> None:
    assert [child.tag for child in one("kept", "green")] == ["system-out"]


def test_times_warnings_and_facts_are_told() -> None:
    cell = replace(ok_cell(), trial_seconds=2.5, trials=4, warnings=("load was high",))
    root = read(Morning(RunResult(run_info(), (cell,), typical().devices[:1])))
    case, out = root.find("testsuite/testcase"), root.find("testsuite/testcase/system-out")
    assert case is not None and case.attrib["time"] == "10.000" == root[0].attrib["time"]
    assert out is not None and out.text is not None and "load was high" in out.text
    properties = {each.attrib["name"]: each.attrib["value"] for each in root.iter("property")}
    assert properties["run"] == "20261121-031500-7f3a" and properties["onnxruntime"] == "1.23.2"


def test_the_format_is_one_of_the_reports() -> None:
    assert report(morning(), "junit") == to_junit(morning())
