"""A sample of what `python -m benchmarks damage` does: real nights in a store, damaged at chance places."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.damage import KINDS, PAGE, Known, bench, damaged, learn, sweep
from tests.fakes.runs import Place


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("nights")
    place = Place(folder, folder / "cache")
    place.net()
    place.suite(precisions="[fp32, int8]")
    place.devices()
    with pytest.MonkeyPatch.context() as patch:  # beside other tests short trials are disturbed, and make no history
        patch.setattr("bench.run.quiet.use_now", lambda *_: None)
        for _ in range(3):
            place.run()
    return learn(place.store)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_store_is_read_as_far_as_it_is_not_and_no_number_changes(known: Known, kind: str,
                                                                          tmp_path: Path) -> None:
    outcomes = list(sweep(known, kind, 2, tmp_path / "b.sqlite", seed=3))
    assert [outcome.problems for outcome in outcomes] == [(), ()]
    assert all(outcome.named for outcome in outcomes if outcome.missed)


def test_the_sweep_sees_a_number_that_changed(known: Known, tmp_path: Path) -> None:
    """That it can fail: the same nights, told to have been others."""
    run = max(known.runs)
    cells = {cell: {**told, "trials": 99} for cell, told in known.runs[run].items()}
    lying = Known(known.content, {**known.runs, run: cells}, known.points, known.model, known.cell)
    (outcome,) = sweep(lying, "bit", 1, tmp_path / "b.sqlite")
    assert any("is not what was measured" in problem for problem in outcome.problems)


def test_a_lost_page_of_trials_is_named_with_its_run(known: Known, tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    place = known.content.rindex(b"latency") // PAGE * PAGE
    path.write_bytes(known.content[:place] + bytes(PAGE) + known.content[place + PAGE:])
    code, out, _ = bench("store", "check", "--store", str(path))
    assert code == 3 and "what to do: 1." in out
    assert any(f"run {run}: " in out for run in known.runs), out


def test_every_kind_of_damage_changes_the_file(known: Known) -> None:
    import numpy as np

    for kind in KINDS:
        assert any(damaged(known.content, kind, np.random.default_rng(seed)) != known.content for seed in range(5))
