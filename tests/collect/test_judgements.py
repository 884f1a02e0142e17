"""Results as plain values, as the store keeps them, and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.collect import judgements
from bench.collect.cells import run_info
from bench.collect.plain import from_plain, to_plain
from bench.results import CellResult, Check, Cores, DeviceSummary, Judgement, Latency, Outcome, Steadiness
from tests.fakes.fake_cells import fake_run
from tests.fakes.results import device, hostile, lost_cell, ok_cell, typical

JUDGEMENT = Judgement("red", (
    Outcome("latency_p90", "m@pixel", "broken", "at most +5 % against last-green", "+9.1 %", ""),
    Outcome("accuracy_drop", "m@pixel", "not judged", "at most 1.0pp", "", "it was not scored")), "20260101-aaaa",
    ("a note",))


def there_and_back(value: CellResult | DeviceSummary) -> object:
    return from_plain(type(value), json.loads(json.dumps(to_plain(value))))


def test_a_judgement_is_read_back_as_it_was_kept() -> None:
    plain = json.loads(json.dumps(judgements.to_json(JUDGEMENT)))
    assert judgements.from_json(plain) == JUDGEMENT
    assert judgements.from_json(judgements.to_json(Judgement("none"))) == Judgement("none")


def test_a_run_tells_how_it_was_judged_and_that_it_was_not() -> None:
    assert run_info(fake_run()).judgement is None
    assert run_info(fake_run(judgement=judgements.to_json(JUDGEMENT))).judgement == JUDGEMENT


@pytest.mark.parametrize("value", [
    *typical().cells, *hostile().cells, *typical().devices, *hostile().devices, lost_cell("failed", "killed", "device"),
    replace(ok_cell(), cores=Cores("big", (4, 5)), checks=(Check("enough trials", "passed", "5 trials"),),
            steadiness=(Steadiness("pace", 5, 0, ""),), circumstances={"os": "x"}, warnings=("a", "b"),
            retry_medians_ms=(1.5, 2.5), baseline_medians_ms=(1.0,), source="s" * 64, trial_seconds=1.25),
    replace(ok_cell(), cores=Cores((4, 5), (4, 5)), latency_ms=Latency(p50=0.1 + 0.2)),
], ids=lambda value: type(value).__name__)
def test_every_result_comes_back_equal(value: CellResult | DeviceSummary) -> None:
    assert there_and_back(value) == value


def test_texts_are_not_taken_for_lists_of_letters() -> None:
    back = there_and_back(replace(ok_cell(), cores=Cores("big", (1,))))
    assert isinstance(back, CellResult) and back.cores is not None and back.cores.wanted == "big"


def test_what_has_its_default_is_not_kept() -> None:
    kept = to_plain(lost_cell("failed", "killed", "device"))
    assert "latency_ms" not in kept and "warnings" not in kept and kept["reason"] == "killed"


def test_a_field_of_another_version_is_refused() -> None:
    with pytest.raises(TypeError, match="nonsense"):
        from_plain(DeviceSummary, to_plain(device()) | {"nonsense": 1})
