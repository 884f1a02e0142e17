"""What the real worker runs a model on: a fresh one on every sample, and nothing that a model left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.datasets.npz import read_npz
from bench.messages.trial import TrialReport
from bench.session import Session
from tests.fakes.device import MEASURE, fake_trial, local_session, put

X = np.arange(6, dtype=np.float32).reshape(2, 3)
"""The two samples of a fake trial."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Session]]:
    folder = tmp_path_factory.mktemp("worker")
    with local_session(folder) as session:
        yield folder, session


def measured(here: tuple[Path, Session], behaviour: dict[str, Any], **changes: Any) -> tuple[TrialReport, Any, Any]:
    """The report, the outputs on all samples, and those of the first one run again."""
    folder, session = here
    report = session.trial(fake_trial(folder, {"latency_ms": 0, **behaviour}, **changes))
    arrays = read_npz(Path(report.outputs["file"]))
    session.forget("t1")
    assert list(arrays) == ["0", "repeated_0"]
    return report, arrays["0"], arrays["repeated_0"]


@pytest.mark.parametrize("kind", ["latency", "accuracy"])
def test_verification_begins_where_a_model_begins_and_ends_with_the_first_sample(here: Any, kind: str) -> None:
    _, outputs, repeated = measured(here, {"output": "count"}, kind=kind)
    assert outputs.tolist() == (X + np.array([[0], [1]])).tolist(), "they follow from this model's calls alone"
    assert repeated.tolist() == (X[:1] + 2).tolist()


def test_the_timed_model_is_gone_before_another_is_loaded(here: Any) -> None:
    report, outputs, _ = measured(here, {"output": "lives"})
    assert outputs.tolist() == (X + 1).tolist()
    assert {"load_ns", "first_ns", "reload_ns"} <= set(report.phases)


def test_an_accuracy_trial_loads_once_and_knows_its_first_inference(here: Any) -> None:
    report, *_ = measured(here, {"ms_per_unit": 5}, kind="accuracy")
    assert "reload_ns" not in report.phases and report.phases["first_ns"] < report.phases["verify_ns"]
    assert report.memory["peak_rss_bytes"] and report.findings["by_sample_ns"] is None


@pytest.mark.parametrize("since", [1, 2, 9])
def test_a_model_that_changes_its_input_is_timed_and_verified_on_what_was_meant(here: Any, since: int) -> None:
    """The first value of the first sample is 0: left as it was, an inference waits for nothing."""
    behaviour = {"adds": 1, "from": since, "ms_per_unit": 20}
    report, outputs, repeated = measured(here, behaviour, measure={**MEASURE, "min_samples": 12})
    assert report.findings["inputs_changed"]
    assert np.median(report.samples_ns) < 20e6
    assert outputs.tolist() == X.tolist() and repeated.tolist() == X[:1].tolist()


def test_a_model_that_leaves_its_input_alone_is_not_said_to_change_it(here: Any) -> None:
    report, *_ = measured(here, {})
    assert report.findings["inputs_changed"] is False and report.findings["cycle"] == 1


def test_each_sample_is_timed_equally_often(here: Any) -> None:
    report, *_ = measured(here, {"ms_per_unit": 4})
    first, second = report.findings["by_sample_ns"]
    assert 3 <= len(first) == len(second) <= 20
    assert np.median(second) - np.median(first) > 10e6, "the second sample's first value is 3"


def test_of_equal_samples_none_is_timed_apart(here: Any) -> None:
    folder, _ = here
    np.savez(folder / "same.npz", **{"0": np.ones((4, 3), np.float32)})
    name = put(folder, ".npz", (folder / "same.npz").read_bytes())
    report, outputs, _ = measured(here, {}, inputs=name)
    assert report.findings["by_sample_ns"] is None and len(outputs) == 4


def test_all_inputs_are_timed_by_turns_where_that_is_asked_for(here: Any) -> None:
    measure = {**MEASURE, "min_samples": 5, "inputs": "all"}
    report, outputs, _ = measured(here, {"ms_per_unit": 4}, measure=measure)
    times = np.reshape(report.samples_ns, (-1, 2))
    assert report.findings["cycle"] == 2 and len(times) >= 3
    assert (times[:, 1] > times[:, 0] + 8e6).all()
    assert outputs.tolist() == X.tolist()


def lite_file(folder: Path) -> str:
    """A file for the lite interpreter that normalises its input in place and counts its calls."""
    import torch

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x.sub_(1.0)
            self.calls.add_(1.0)
            return x * 2.0 + self.calls

    torch.jit.script(Model().eval())._save_for_lite_interpreter(str(folder / "m.ptl"))
    return put(folder, ".ptl", (folder / "m.ptl").read_bytes())


def test_pytorch_verifies_a_fresh_model_on_inputs_that_it_did_not_change(here: Any) -> None:
    folder, _ = here
    report, outputs, repeated = measured(here, {}, runtime="torch", artifact=lite_file(folder))
    assert report.findings["inputs_changed"]
    assert outputs.tolist() == ((X - 1) * 2 + np.array([[1], [2]])).tolist()
    assert repeated.tolist() == ((X[:1] - 1) * 2 + 3).tolist()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_executorch_verifies_a_fresh_model(here: Any) -> None:
    torch, exir = pytest.importorskip("torch"), pytest.importorskip("executorch.exir")

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, x: Any) -> Any:
            self.calls.add_(1.0)
            return (x - 1.0) * 2.0 + self.calls

    folder, _ = here
    program = exir.to_edge(torch.export.export(Model().eval(), (torch.zeros(3),))).to_executorch()
    name = put(folder, ".pte", bytes(program.buffer))
    _, outputs, repeated = measured(here, {}, runtime="executorch", delegate="xnnpack", artifact=name)
    assert outputs.tolist() == ((X - 1) * 2 + np.array([[1], [2]])).tolist()
    assert repeated.tolist() == ((X[:1] - 1) * 2 + 3).tolist()
