"""`bench compare` from the command line, over stored nights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.errors import BenchError
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights

CELLS = [NightCell([4.0, 4.0, 4.8], model="slower"), NightCell([4.0, 4.0, 4.0], model="same"),
         NightCell([2.0, 2.0, 2.0], model="same", precision="int8"),
         NightCell([4.0, 4.0, 4.0], model="same", device="board")]
Compare = Callable[..., tuple[int, str]]


def under(night: int) -> Circumstances:
    """Another system on the first night."""
    return Circumstances({"os": "Debian 11"} if night == 0 else {})


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Runs the verb; its exit code and what it printed, or the error."""
    write_nights(tmp_path / "s.sqlite", CELLS, trials=6, trial_sd=0.004, circumstances=under)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["compare", *words, "--store", str(tmp_path / "s.sqlite")])
        if isinstance(done.exception, BenchError):
            return done.exception.exit_code, str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout
    return run


def test_it_is_a_question_and_no_gate_but_where_it_is_to_be_one(compare: Compare) -> None:
    code, text = compare("previous", "last")
    assert code == 0 and "Worse (1)" in text and "slower fp32 onnxruntime/cpu" in text
    assert compare("previous", "last", "--exit-code")[0] == 1
    assert compare("last", "previous", "--exit-code")[0] == 0, "better"
    assert compare("previous", "last", "--exit-code", "-m", "same")[0] == 0


def test_nights_that_were_not_measured_alike_are_refused_with_what_would_let_them_pass(compare: Compare) -> None:
    code, text = compare(run_id(0), "last")
    assert code == 2
    assert "os Debian 11, kernel 6.1.0 → Debian 12, kernel 6.1.0: 4 cells" in text and "--despite os compares" in text
    code, text = compare(run_id(0), "last", "--despite", "os")
    assert code == 0 and "compared despite os Debian 11" in text and "Worse (1)" in text
    assert "compared despite os" in compare(run_id(0), "last", "--despite", "all")[1]


def test_a_mistake_is_answered_with_the_nearest(compare: Compare) -> None:
    for words, said in ((("previous", "lasst"), "did you mean 'last'"),
                        (("previous", "last", "--despite", "ox"), "did you mean 'os'"),
                        (("previous", "last", "--margin", "x"), "wanted a percentage above 0"),
                        (("previous", "last", "--margin", "0%"), "wanted a percentage above 0"),
                        (("previous", "last", "--chart", "c.pnk"), "did you mean '.png'"),
                        (("previous", "last", "-m", "sam"), "neither side has a model 'sam', did you mean 'same'"),
                        (("previous", "last", "-d", "bord"), "did you mean 'board'"),
                        (("phone", "board", "-m", "slower"), "have no cell in common")):
        code, text = compare(*words)
        assert code == 2 and said in text, text


def test_devices_and_variants_of_a_run_are_compared(compare: Compare) -> None:
    code, text = compare("phone", "board", "-m", "same", "--all")
    assert code == 0 and "Same (1)" in text and "before  device phone" in text
    code, text = compare("fp32", "int8")
    assert code == 0 and "Better (1)" in text and f"run     {run_id(2)}" in text


def test_a_wider_margin_is_told_with_the_method(compare: Compare) -> None:
    code, text = compare("previous", "last", "--margin", "30%", "--format", "json")
    found = json.loads(text)
    assert code == 0 and found["margin"] == 0.3
    assert {pair["latency"]["call"] for pair in found["pairs"]} == {"same"}


def test_markdown_goes_to_standard_output_and_the_chart_to_its_file(compare: Compare, tmp_path: Path) -> None:
    code, text = compare("previous", "last", "--format", "md", "--chart", str(tmp_path / "out" / "c.svg"))
    assert code == 0 and text.startswith("### 4 cells compared: 1 worse, 3 cannot tell\n")
    assert "slower fp32 onnxruntime/cpu" in (tmp_path / "out" / "c.svg").read_text(encoding="utf-8")


def test_without_matplotlib_the_chart_names_the_extra(compare: Compare, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, text = compare("previous", "last", "--chart", str(tmp_path / "c.png"))
    assert code == 2 and "pip install 'bench[report]'" in text
