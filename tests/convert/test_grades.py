from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bench.convert.grades import grade, part_text
from bench.convert.parts import Part
from bench.convert.types import Gate

SCORES = Part(0, 1, 4, 5, 6, "constant", 0.0, 0.0003, 0.998, 0.0, lost=True)
FEATURE = Part(1, 1, 17, 17, 64, "noise", 2.5, -1.0, 1.0, 0.0, lost=False)


def found(sqnr_db: float, *parts: Part) -> Gate:
    return Gate(sqnr_db, 0.99, 0.1, parts)


@pytest.mark.parametrize(("precision", "sqnr_db", "state"), [
    ("fp32", 39.9, "differs"), ("fp32", 40.0, "poor"), ("fp32", 60.0, "ok"), ("fp32", math.inf, "ok"),
    ("fp16", 24.9, "differs"), ("fp16", 25.0, "poor"), ("fp16", 40.0, "ok"),
    ("int8", 9.9, "differs"), ("int8", 12.9, "poor"), ("int8", 20.0, "ok"), ("int4-weight", 19.0, "poor"),
    ("int8-dynamic", -math.inf, "differs")])
def test_how_near_is_near_enough_depends_on_the_precision(precision: str, sqnr_db: float, state: str) -> None:
    graded = grade(found(sqnr_db), precision)
    assert graded.state == state
    assert (state == "ok") == (graded.reason == "")


def test_a_lost_part_differs_however_good_the_whole_is() -> None:
    graded = grade(found(51.1, SCORES), "int8", ["detections"])
    assert graded.state == "differs"
    assert graded.reason == ("lost: output 'detections', index 4 to 5 of axis 1 (6): constant 0 where fp32 has 0.0003 "
                             "to 0.998")


def test_a_poor_part_is_poor_and_further_ones_are_counted() -> None:
    graded = grade(found(31.0, FEATURE, FEATURE), "int8")
    assert graded.state == "poor"
    assert graded.reason == "poor outputs: parts: output 1, index 17 of axis 1 (64): 2.5 dB, and 1 more part"


def test_classes_that_seldom_come_first_as_in_fp32_are_poor() -> None:
    assert grade(found(30.0), "int8", agreement=0.75).state == "poor"
    assert "only 75 % of samples" in grade(found(30.0), "int8", agreement=0.75).reason
    assert grade(found(30.0), "int8", agreement=0.8).state == "ok"


def test_a_part_of_an_unnamed_output_is_named_by_its_place() -> None:
    assert part_text(FEATURE).startswith("output 1, index 17")


def test_what_fp32_makes_constant_was_not_rounded_away() -> None:
    confidence = Part(0, 2, 2, 2, 3, "constant", 22.0, 0.5, 1.0, 0.75, lost=False)
    assert grade(found(70.0, confidence), "fp32").state == grade(found(70.0, confidence), "fp16").state == "differs"
    assert grade(found(70.0, confidence), "int8").state == "poor"
    assert grade(found(70.0, replace(confidence, minor=True)), "fp32").state == "poor"


def test_labels_that_are_others_differ_beside_features_that_are_near() -> None:
    assert grade(replace(found(40.0), equal=0.0), "int8").state == "differs"
    assert "only 70 % of the values" in grade(replace(found(40.0), equal=0.7), "int8").reason
    assert grade(replace(found(40.0), equal=0.9), "int8").state == "ok"


def test_what_varies_must_be_near_where_most_of_an_output_is_an_offset() -> None:
    graded = grade(replace(found(59.5), varying_db=1.2), "int8")
    assert graded.state == "poor" and "about the mean of an output the SQNR is only 1.2 dB" in graded.reason
