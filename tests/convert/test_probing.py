"""The probe as a cached task, what the reference outputs owe to it, and what exports make of what it found."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.convert import probing, reference
from bench.convert.behaviour import UNSEEN_RANDOM
from bench.convert.probe import Probe, ordered
from bench.convert.process import Limits
from bench.convert.types import ModelJob
from bench.errors import ModelError
from bench.models.spec import Source, TensorSpec
from tests.fakes.workbench import Bench

ROOT = Path(__file__).parents[2]
LIMITS = Limits(timeout_s=120, memory_mib=4096)
SAMPLES = 16


def job_of(folder: Path, factory: str, *names: str) -> ModelJob:
    """A factory of tests.fakes.forwards with samples that it is calibrated and probed on."""
    return _job(folder, Source("torch", f"tests.fakes.forwards:{factory}", ROOT, factory), names)


def file_job(folder: Path, path: Path) -> ModelJob:
    return _job(folder, Source("onnx", str(path), folder, path.name), ("x",))


def _job(folder: Path, source: Source, names: tuple[str, ...]) -> ModelJob:
    random, path = np.random.default_rng(1), folder / "samples.npz"
    np.savez(path, **{name: random.normal(size=(SAMPLES, 1, 4)).astype(np.float32) for name in names})
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    inputs = tuple(TensorSpec(name, (1, 4), "float32") for name in names)
    return ModelJob("net", source, inputs, path, sha256, path, sha256)


def probed(job: ModelJob, workbench: Bench) -> ModelJob:
    """The job as it is when its model has been opened: with what the probe found, inputs in forward's order."""
    found = probing.probe(job, workbench.cache, LIMITS)
    return replace(job, inputs=ordered(job.inputs, found.order), probe=found)


def test_a_second_probe_and_the_references_start_no_process(workbench: Bench, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    first = probed(job_of(tmp_path, "ordinary", "third", "first", "second"), workbench)
    assert [spec.name for spec in first.inputs] == ["first", "second", "third"]

    def none_more(*_: object) -> None:
        raise AssertionError("a child was started")

    for module in (probing, reference):
        monkeypatch.setattr(module, "perform", none_more)
    assert probed(job_of(tmp_path, "ordinary", "third", "first", "second"), workbench) == first
    path = reference.reference_outputs(first, first.verification, first.verification_sha256, workbench.cache, LIMITS)
    with np.load(path) as outputs:
        assert outputs["0"].shape == (SAMPLES, 1, 4)


def test_a_model_that_does_not_run_is_an_error_with_its_own_words(workbench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"does not run: TypeError: .*forward\(\) missing 1 required") as caught:
        probed(job_of(tmp_path, "ordinary", "a", "b"), workbench)
    assert "Traceback" in caught.value.log


def test_names_that_do_not_fit_are_told_and_not_raised_so_that_they_can_be_kept(workbench: Bench,
                                                                               tmp_path: Path) -> None:
    found = probed(job_of(tmp_path, "ordinary", "first", "b", "c"), workbench).probe
    assert found is not None and "forward takes first, second, third" in found.mismatch


@pytest.mark.slow
@pytest.mark.parametrize(("factory", "format_"), [
    ("optional", "onnx"), ("optional", "torchscript"), ("keyword_only", "executorch"), ("keyword_only", "tflite")])
def test_inputs_bound_by_name_convert_to_every_format(workbench: Bench, tmp_path: Path, factory: str,
                                                      format_: str) -> None:
    job = probed(job_of(tmp_path, factory, "third", "first", "second"), workbench)
    assert workbench.artifact(job, "fp32", format_).gate.sqnr_db > 100


@pytest.mark.slow
@pytest.mark.parametrize(("factory", "format_"), [("normalising", "torchscript"), ("rectifying", "executorch")])
def test_a_network_that_writes_to_its_input_is_exported_with_a_copy(workbench: Bench, tmp_path: Path, factory: str,
                                                                    format_: str) -> None:
    job = probed(job_of(tmp_path, factory, "x"), workbench)
    assert job.probe is not None and job.probe.changed_inputs == ("x",)
    artifact = workbench.artifact(job, "fp32", format_)
    assert artifact.gate.sqnr_db > 100 and len(artifact.outputs) == 1
    if format_ == "torchscript":
        from bench.agents.runtimes import torch as runtime

        loaded, given = runtime.load(str(artifact.path), "cpu", 1, {}), np.ones((1, 4), np.float32)
        loaded.bind([given])
        loaded.invoke()
        assert np.array_equal(given, np.ones((1, 4), np.float32))


@pytest.mark.slow
def test_a_file_that_keeps_the_state_passes_and_one_that_lost_it_is_refused_for_that(workbench: Bench,
                                                                                    tmp_path: Path) -> None:
    job = probed(job_of(tmp_path, "remembering", "x"), workbench)
    assert job.probe is not None and job.probe.state == ("memory",)
    # They begin as a fresh instance does: what the exporter ran to look at the model has left nothing behind.
    assert workbench.artifact(job, "fp32", "torchscript").gate.sqnr_db > 100
    lost = workbench.refusal(job, "fp32", "onnx")
    assert lost.reason.startswith("lost the state that the model keeps between calls (memory): ")


@pytest.mark.slow
@pytest.mark.parametrize("factory", ["smoothing", "late"])
def test_a_file_that_lost_state_which_hardly_shows_is_refused(workbench: Bench, tmp_path: Path, factory: str) -> None:
    job = probed(job_of(tmp_path, factory, "x"), workbench)
    assert job.probe is not None and "memory" in job.probe.state
    assert workbench.artifact(job, "fp32", "torchscript").gate.sqnr_db > 100
    assert "it gives the same outputs again" in workbench.refusal(job, "fp32", "onnx").reason


@pytest.mark.slow
def test_noise_is_not_compared_and_every_precision_is_made(workbench: Bench, tmp_path: Path) -> None:
    job = probed(job_of(tmp_path, "noisy", "x"), workbench)
    for precision in ("fp32", "int8"):
        artifact = workbench.artifact(job, precision)
        assert artifact.gate.not_compared == "the model draws random numbers (randn_like)"
        assert np.isnan(artifact.gate.sqnr_db)
    assert workbench.artifact(job, "fp32").cached


def noise_nodes(place: str) -> tuple[list[onnx.NodeProto], list[onnx.FunctionProto]]:
    """m -> y with noise in the graph itself, in a branch, or in a function."""
    noise = [helper.make_node("RandomNormalLike", ["m"], ["n"]), helper.make_node("Add", ["m", "n"], ["y"])]
    if place == "graph":
        return noise, []
    if place == "function":
        made = helper.make_function("own", "Noise", ["m"], ["y"], noise, [helper.make_opsetid("", 17)])
        return [helper.make_node("Noise", ["m"], ["y"], domain="own")], [made]
    inner = [helper.make_node("RandomNormalLike", ["m"], ["n"]), helper.make_node("Add", ["m", "n"], ["z"])]
    branch = helper.make_graph(inner, "b", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4])])
    return [helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)], []


def noise_file(folder: Path, place: str) -> Path:
    nodes, functions = noise_nodes(place)
    float_ = TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), *nodes], "g",
        [helper.make_tensor_value_info("x", float_, [1, 4])], [helper.make_tensor_value_info("y", float_, [1, 4])],
        [numpy_helper.from_array(np.eye(4, dtype=np.float32), "w"), numpy_helper.from_array(np.array(True), "yes")])
    model = helper.make_model(graph, functions=functions,
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own", 1)])
    model.ir_version = 9
    path = folder / f"{place}.onnx"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("place", ["graph", "branch", "function"])
def test_noise_in_an_onnx_file_is_named_wherever_it_is_drawn(workbench: Bench, tmp_path: Path, place: str) -> None:
    found = probed(file_job(tmp_path, noise_file(tmp_path, place)), workbench).probe
    assert found is not None and found.random == ("RandomNormalLike",) and not found.state
    assert [(spec.name, spec.shape) for spec in found.outputs] == [("y", (1, 4))]


def test_weak_noise_on_few_values_of_an_onnx_file_is_named(workbench: Bench, tmp_path: Path) -> None:
    float_ = TensorProto.FLOAT
    noisy = [helper.make_node("RandomNormalLike", ["m"], ["n"], scale=0.01),
             helper.make_node("Mul", ["n", "on"], ["l"]), helper.make_node("Add", ["m", "l"], ["y"])]
    made = helper.make_function("own", "Noise", ["m", "on"], ["y"], noisy, [helper.make_opsetid("", 17)])
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "far"], ["m"]), helper.make_node("Noise", ["m", "on"], ["y"], domain="own")],
        "g", [helper.make_tensor_value_info("x", float_, [1, 4])], [helper.make_tensor_value_info("y", float_, [1, 4])],
        [numpy_helper.from_array(np.array([[600, 600, 600, 0]], np.float32), "far"),
         numpy_helper.from_array(np.array([[0, 0, 0, 1]], np.float32), "on")])
    model = helper.make_model(graph, functions=[made],
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own", 1)])
    model.ir_version = 9
    onnx.save(model, tmp_path / "weak.onnx")
    found = probed(file_job(tmp_path, tmp_path / "weak.onnx"), workbench).probe
    assert found is not None and found.random == ("RandomNormalLike",) and not found.state


def test_dropout_that_is_off_draws_nothing(workbench: Bench, tmp_path: Path) -> None:
    float_ = TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Dropout", ["x", "ratio", "off"], ["y"])], "g",
        [helper.make_tensor_value_info("x", float_, [1, 4])], [helper.make_tensor_value_info("y", float_, [1, 4])],
        [numpy_helper.from_array(np.array(0.5, np.float32), "ratio"), numpy_helper.from_array(np.array(False), "off")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, tmp_path / "dropout.onnx")
    found = probed(file_job(tmp_path, tmp_path / "dropout.onnx"), workbench).probe
    assert found is not None and found.random == () and UNSEEN_RANDOM not in found.random
    assert found == Probe(found.outputs, ("x",))
