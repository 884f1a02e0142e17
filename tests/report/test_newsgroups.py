"""News by kind: what is said of cells, and of which."""

from __future__ import annotations

from dataclasses import replace

from bench.judge.types import History
from bench.report.morning import Morning
from bench.report.newsgroups import find_groups
from bench.results import Outputs, RunResult
from tests.fakes.mornings import series
from tests.fakes.results import ok_cell, run_info


def test_a_cell_with_wrong_outputs_has_not_recovered_however_fast_it_is() -> None:
    right, wrong = ok_cell(model="right"), replace(ok_cell(model="wrong"), outputs=Outputs("differs"))
    told = Morning(RunResult(run_info(), (right, wrong)), None,
                   History(tuple(series(cell, "recovered", place) for place, cell in enumerate((right, wrong)))))
    groups = {group.title: [item.cell for item in group.items] for group in find_groups(told)}
    assert groups["Recovered"] == [right.cell] and groups["Wrong outputs"] == [wrong.cell]
