"""`bench history`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.errors import ConfigError
from tests.fakes.nights import NightCell, run_id, write_nights
from tests.fakes.runs import Place


@pytest.fixture
def nights(place: Place) -> Place:
    """A store of 12 nights in which the model net became slower in the eighth."""
    rng = np.random.default_rng(0)
    slower, steady = (list(5 * np.exp(rng.normal(0, 0.01, 12))) for _ in range(2))
    slower[7:] = [1.2 * value for value in slower[7:]]
    write_nights(place.store, [NightCell(slower), NightCell(steady, model="other"), NightCell(steady, device="board")])
    return place


def test_history_shows_a_models_cells_where_they_changed_and_draws_them(nights: Place) -> None:
    done = nights.bench("history", "net", "--chart", "out/h.svg")
    assert done.returncode == 0, done.stderr
    assert "sustained" in done.stdout and f"2026-01-08  {run_id(7)}" in done.stdout
    assert "other/" not in done.stdout and done.stdout.splitlines()[0] == "board"
    assert (nights.folder / "out" / "h.svg").read_text().startswith("<?xml") and "out/h.svg" in done.stderr


def test_history_of_one_device_and_few_runs_as_json(nights: Place) -> None:
    done = CliRunner().invoke(app, ["history", "-d", "phone", "--runs", "3", "--suite", "vision", "--format", "json",
                                    "--store", str(nights.store)])
    found = json.loads(done.stdout)["series"]
    assert {series["model"] for series in found} == {"net", "other"}
    assert [len(series["points"]) for series in found] == [3, 3] and found[0]["state"] == "short"


@pytest.mark.parametrize(("arguments", "said"), [
    (("nett",), "holds no model 'nett', did you mean 'net'? (known: net, other)"),
    (("-d", "fone"), "holds no device 'fone', did you mean 'phone'?"),
    (("--suite", "vison"), "holds no suite 'vison', did you mean 'vision'?"),
    (("other", "-d", "board"), "holds no measured cell of that kind"),
    (("--chart", "h.pdf"), "no chart can be written as '.pdf'")])
def test_what_is_not_there_is_named_with_the_nearest(nights: Place, arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, ["history", *arguments, "--store", str(nights.store)])
    assert isinstance(done.exception, ConfigError) and said in str(done.exception) and done.stdout == ""
