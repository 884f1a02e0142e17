"""Modules that keep state, draw random numbers or write to their inputs are found, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.convert.behaviour import UNSEEN_RANDOM, probed
from bench.convert.probe import Probe, probe_from_json, probe_to_json
from bench.convert.recipe import Work
from bench.convert.wire import work_to_json
from bench.errors import ModelError
from bench.models.spec import Source, SourceKind, TensorSpec
from bench.run.behaviour import remarks
from tests.fakes import behaviours
from tests.fakes.behaviours import DRAWING, HARMLESS, KEEPING, SHAPE, WRITING, Chain

ROOT = Path(__file__).parents[2]
INPUTS = (TensorSpec("x", SHAPE, "float32"),)
NAMED = {"held by an object": "held"}


def probe_of(folder: Path, location: str = "tests.fakes.behaviours:planned", kind: SourceKind = "torch") -> Probe:
    """What the probe tells of a source on four samples, found in this process."""
    samples, output = folder / "samples.npz", folder / "reference" / "outputs.npz"
    np.savez(samples, x=np.random.default_rng(0).normal(size=(4, *SHAPE)).astype(np.float32))
    output.unlink(missing_ok=True)
    output.parent.mkdir(exist_ok=True)
    work = Work(Source(kind, location, ROOT, "0"), INPUTS, "fp32", None, samples, output)
    return probed({"work": work_to_json(work)})


def fresh_outputs(folder: Path, steps: list[str]) -> list[np.ndarray]:
    torch.manual_seed(0)
    net = Chain(steps).eval()
    with np.load(folder / "samples.npz") as samples, torch.no_grad():
        return [net(torch.from_numpy(samples["x"][place].copy())).numpy().copy() for place in range(4)]


steps = st.tuples(st.lists(st.sampled_from(sorted(WRITING)), max_size=2),
                  st.lists(st.sampled_from([*sorted(DRAWING), *KEEPING, *HARMLESS]), max_size=3, unique=True),
                  st.lists(st.sampled_from(sorted(WRITING)), max_size=1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_a_network_does_beside_computing_is_found_and_nothing_else(
        tmp_path: Path, chosen: tuple[list[str], list[str], list[str]]) -> None:
    first, middle, last = chosen
    # What follows a step that makes a tensor of its own no longer writes to the input.
    behaviours.PLAN[:] = [*first, *middle, *last]
    found = probe_of(tmp_path)
    kept = {NAMED.get(step, step) for step in middle if step in KEEPING}
    assert set(found.state) == kept | ({"idle"} if kept and "idle counter" in middle else set())
    assert set(found.random) == {DRAWING[step] for step in middle if step in DRAWING}
    assert found.changed_inputs == (("x",) if first or (last and not middle) else ())
    assert found.same_again == (not kept) and found.same_fresh
    assert set(found.changing) == ({"idle"} if "idle counter" in middle and not kept else set())
    assert probe_from_json(json.loads(json.dumps(probe_to_json(found)))) == found
    if not found.random:
        with np.load(tmp_path / "reference" / "outputs.npz") as kept_outputs:
            wanted = fresh_outputs(tmp_path, behaviours.PLAN)
            assert np.allclose(kept_outputs["0"], np.stack(wanted), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("factory", ["outside", "numpy_noise"])
def test_randomness_from_outside_the_framework_has_no_operator_to_name(tmp_path: Path, factory: str) -> None:
    found = probe_of(tmp_path, f"tests.fakes.behaviours:{factory}")
    assert found.random == (UNSEEN_RANDOM,) and not found.state


def test_noise_of_a_generator_of_the_modules_own_is_noise_and_not_state(tmp_path: Path) -> None:
    found = probe_of(tmp_path, "tests.fakes.behaviours:own_generator")
    assert found.random == ("randn",) and not found.state


def test_a_draw_that_is_nearly_always_the_same_is_found_by_more_seeds(tmp_path: Path) -> None:
    assert probe_of(tmp_path, "tests.fakes.behaviours:seldom").random == ("multinomial",)


@pytest.mark.parametrize(("factory", "state", "random"), [
    ("steady_detector", (), ()), ("noisy_detector", (), ("rand_like",)), ("smoothing_detector", ("smooth",), ())])
def test_scores_beside_boxes_in_pixels_are_looked_at_for_themselves(
        tmp_path: Path, factory: str, state: tuple[str, ...], random: tuple[str, ...]) -> None:
    found = probe_of(tmp_path, f"tests.fakes.behaviours:{factory}")
    assert (found.state, found.random) == (state, random)
    assert found.repeats == (not state and not random)


@pytest.mark.parametrize(("factory", "state"), [
    ("late_deque", {"frames"}), ("late_ring", {"ring", "count"}), ("late_period", {"count"})])
def test_state_that_acts_after_several_calls_is_found(tmp_path: Path, factory: str, state: set[str]) -> None:
    found = probe_of(tmp_path, f"tests.fakes.behaviours:{factory}")
    assert set(found.state) == state and not found.random and not found.repeats and not found.changing


def test_what_changes_without_an_effect_is_told_and_not_blamed(tmp_path: Path) -> None:
    found = probe_of(tmp_path, "tests.fakes.behaviours:idle_ring")
    assert found.repeats and found.changing == ("ring",)
    told = list(remarks(found, INPUTS, labelled=False))
    assert len(told) == 1 and told[0].startswith(
        "changes ring when it is called; its outputs did not follow within 34 calls")


def test_a_count_of_batches_is_not_worth_a_word(tmp_path: Path) -> None:
    found = probe_of(tmp_path, "tests.fakes.behaviours:counts_batches")
    assert found.repeats and not list(remarks(found, INPUTS, labelled=False))


def test_inputs_whose_order_alone_decides_are_a_remark(tmp_path: Path) -> None:
    inputs = tuple(TensorSpec(name, (1, 4), "float32") for name in ("b", "a", "c"))
    np.savez(tmp_path / "samples.npz", **{spec.name: np.ones((2, 1, 4), np.float32) for spec in inputs})
    work = Work(Source("torch", "tests.fakes.forwards:nameless", ROOT, "0"), inputs, "fp32", None,
                tmp_path / "samples.npz", tmp_path / "outputs.npz")
    found = probed({"work": work_to_json(work)})
    told = list(remarks(found, inputs, labelled=False))
    assert len(told) == 1 and "its inputs are given in the suite's order (b, a, c)" in told[0]


def test_a_factory_that_makes_another_model_each_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="another model each time"):
        probe_of(tmp_path, "tests.fakes.behaviours:another_each_time")


def test_random_weights_from_numpy_are_the_same_in_every_process(tmp_path: Path) -> None:
    found = probe_of(tmp_path, "tests.fakes.behaviours:numpy_weights")
    assert not found.random and not found.state


def test_outputs_have_the_names_of_dicts_and_their_own_dtypes_and_weights_are_counted_by_dtype(tmp_path: Path) -> None:
    found = probe_of(tmp_path, "tests.fakes.behaviours:scores")
    assert [(spec.name, spec.shape, spec.dtype) for spec in found.outputs] == [
        ("scores", (1, 3), "float32"), ("boxes.0", (1, 6), "float32"), ("boxes.1", (1, 2), "bfloat16")]
    assert dict(found.weights) == {"float16": 2 * (18 + 3), "float32": 16}


class Kept(torch.nn.Module):
    """State in a buffer and in an attribute, and an input that is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("buffer", torch.zeros(SHAPE))
        self.attribute = torch.zeros(SHAPE)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x.relu_()
        self.buffer.add_(x)
        self.attribute = self.attribute + self.buffer
        return self.attribute + x


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("frozen", [False, True])
def test_a_torchscript_file_is_probed_like_a_factory(tmp_path: Path, frozen: bool) -> None:
    script = torch.jit.script(Kept().eval())
    (torch.jit.freeze(script) if frozen else script).save(str(tmp_path / "kept.pt"))
    found = probe_of(tmp_path, str(tmp_path / "kept.pt"), "torchscript")
    assert set(found.state) == {"buffer", "attribute"} and found.changed_inputs == ("x",) and not found.random
