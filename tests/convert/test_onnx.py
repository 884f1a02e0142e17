"""The ONNX target on real nets, with real exporters, quantizers and onnxruntime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.convert.onnx import as_is
from bench.convert.recipe import Work
from bench.convert.types import Artifact, ModelJob, Refusal
from bench.errors import ModelError
from bench.models.spec import Source, TensorSpec
from tests.fakes.files import save_onnx
from tests.fakes.onnx_files import job_for, write_net, write_samples
from tests.fakes.workbench import Bench

REPOSITORY = Path(__file__).parents[2]
IMAGE = (TensorSpec("image", (1, 3, 16, 16), "float32"),)
TOKENS = (TensorSpec("tokens", (1, 12), "int64"), TensorSpec("offset", (), "float32"))


def torch_job(folder: Path, factory: str, inputs: tuple[TensorSpec, ...] = IMAGE) -> ModelJob:
    samples = folder / f"{factory}.npz"
    sha256 = write_samples(samples, inputs)
    source = Source("torch", f"tests.fakes.nets:{factory}", REPOSITORY, factory)
    others = samples.with_name(f"{factory}-others.npz")
    return ModelJob(factory, source, inputs, samples, sha256, others, write_samples(others, inputs, count=4, seed=2))


def op_types(path: Path) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load(str(path)).graph.node}


def with_weights_beside(path: Path, place: str) -> Path:
    """The net with its last weights in weights.bin, held by a Constant node, or by the branches of an If."""
    import onnx
    from onnx import helper

    model = onnx.load(str(path))
    tensor = next(each for each in model.graph.initializer if each.name == "w3")
    model.graph.initializer.remove(tensor)
    onnx.external_data_helper.set_external_data(tensor, "weights.bin", offset=0, length=len(tensor.raw_data))
    (path.parent / "weights.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.name = "own"
    if place == "constant":
        model.graph.node.insert(0, helper.make_node("Constant", [], ["w3"], value=tensor))
    else:
        held = helper.make_graph([helper.make_node("Identity", ["own"], ["out"])], "held", [],
                                 [helper.make_tensor_value_info("out", tensor.data_type, tensor.dims)], [tensor])
        yes = helper.make_tensor("yes", onnx.TensorProto.BOOL, [], [True])
        model.graph.initializer.append(yes)
        model.graph.node.insert(0, helper.make_node("If", ["yes"], ["w3"], then_branch=held, else_branch=held))
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(("precision", "least_db", "op"), [
    ("fp16", 50, "Cast"), ("int8-dynamic", 30, "ConvInteger"), ("int8", 25, "QuantizeLinear"),
    ("int8-weight", 40, "MatMulNBits"), ("int4-weight", 15, "MatMulNBits")])
def test_every_precision_of_an_onnx_file_passes_the_gate(precision: str, least_db: float, op: str, workbench: Bench,
                                                         tmp_path: Path) -> None:
    artifact = workbench.artifact(job_for(write_net(tmp_path / "net.onnx")), precision)
    assert artifact.gate.sqnr_db > least_db
    assert op in op_types(artifact.path)
    assert [spec.dtype for spec in (*artifact.inputs, *artifact.outputs)] == ["float32", "float32"]


@pytest.mark.parametrize("precision", ["int4-weight", "int8-weight"])
def test_weight_only_of_a_net_without_matrix_products_says_that_nothing_was_quantized(
        precision: str, workbench: Bench, tmp_path: Path) -> None:
    reason = workbench.refusal(job_for(write_net(tmp_path / "net.onnx", gemm=False)), precision).reason
    assert reason.startswith("not quantized: no MatMul or Gemm with constant 2-D weights")
    assert reason.endswith("(the net has Clip, Conv)")


def test_an_onnx_source_with_its_weights_in_another_file_is_taken_in(workbench: Bench, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(str(write_net(tmp_path / "net.onnx")))
    split = tmp_path / "split.onnx"
    onnx.save(model, str(split), save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert workbench.artifact(job_for(split), "fp32").gate.sqnr_db == float("inf")


@pytest.mark.parametrize("place", ["branch", "constant"])
def test_weights_beside_the_file_are_taken_in_wherever_the_graph_holds_them(place: str, workbench: Bench,
                                                                            tmp_path: Path) -> None:
    path = with_weights_beside(write_net(tmp_path / "net.onnx"), place)
    assert workbench.artifact(job_for(path), "fp32").gate.sqnr_db == float("inf")


@pytest.mark.parametrize("precision", ["fp16", "int8-dynamic", "int8", "int8-weight", "int4-weight"])
def test_an_old_file_with_its_weights_among_its_inputs_is_quantized(precision: str, workbench: Bench,
                                                                    tmp_path: Path) -> None:
    import onnx

    model = onnx.load(str(write_net(tmp_path / "net.onnx")))
    model.ir_version = 3
    model.graph.input.extend(onnx.helper.make_tensor_value_info(each.name, each.data_type, each.dims)
                             for each in model.graph.initializer)
    onnx.save(model, str(tmp_path / "old.onnx"))
    artifact = workbench.artifact(job_for(tmp_path / "old.onnx"), precision)
    assert artifact.gate.sqnr_db > 10 and [spec.name for spec in artifact.inputs] == ["image"]


@pytest.mark.slow
def test_a_torch_net_becomes_onnx_in_every_precision_from_one_export(workbench: Bench, tmp_path: Path) -> None:
    job = torch_job(tmp_path, "small")
    results = workbench.convert(job, "fp32", "fp16", "int8-dynamic", "int8", "int8-weight", "int4-weight")
    assert all(isinstance(result, Artifact) for result in results), results
    assert workbench.counts() == {"started": 6, "made": 6}
    fp32, int8 = results[0], results[3]
    assert isinstance(fp32, Artifact) and isinstance(int8, Artifact)
    assert fp32.gate.sqnr_db > 100 and int8.gate.sqnr_db > 25
    assert [spec.name for spec in fp32.inputs] == ["image"] and [spec.name for spec in fp32.outputs] == ["output"]


@pytest.mark.slow
def test_integer_and_scalar_inputs_and_two_outputs_are_exported(workbench: Bench, tmp_path: Path) -> None:
    job = torch_job(tmp_path, "two_inputs", TOKENS)
    fp32, int4 = workbench.convert(job, "fp32", "int4-weight")
    assert isinstance(fp32, Artifact) and isinstance(int4, Artifact), (fp32, int4)
    assert [(spec.name, spec.shape, spec.dtype) for spec in fp32.inputs] == [
        ("tokens", (1, 12), "int64"), ("offset", (), "float32")]
    assert [(spec.name, spec.shape) for spec in fp32.outputs] == [("output_0", (1, 12, 64)), ("output_1", (1, 12))]


@pytest.mark.slow
def test_a_branch_on_values_is_not_frozen_by_tracing_but_refused_in_the_exporters_words(
        workbench: Bench, tmp_path: Path) -> None:
    refusal = workbench.refusal(torch_job(tmp_path, "branching"), "fp32")
    assert refusal.reason.startswith("no ONNX exporter takes the model: trace: it branches on values")
    assert "export_program: " in refusal.reason and "data-dependent" in refusal.reason


@pytest.mark.slow
def test_an_exported_program_becomes_onnx(workbench: Bench, tmp_path: Path) -> None:
    import torch

    from tests.fakes.nets import small

    file = tmp_path / "small.pt2"
    torch.export.save(torch.export.export(small(), (torch.rand(1, 3, 16, 16),)), str(file))
    job = replace(torch_job(tmp_path, "small"), source=Source("exported", file.name, tmp_path, "exported"))
    artifact = workbench.artifact(job, "fp32")
    assert artifact.gate.sqnr_db > 100
    assert [spec.name for spec in artifact.inputs] == ["image"]


@pytest.mark.slow
def test_a_factory_that_raises_is_the_models_fault_and_is_tried_again(workbench: Bench, tmp_path: Path) -> None:
    job = torch_job(tmp_path, "broken")
    for _ in range(2):
        (refusal,) = workbench.convert(job, "fp32")
        assert isinstance(refusal, Refusal)
        assert "the weights are on the other machine" in refusal.reason and refusal.fault == "model"
        assert workbench.counts() == {"refused": 1}


def test_weights_beside_the_file_that_do_not_fit_into_one_are_refused(tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_onnx(tmp_path / "net.onnx", external="net.bin")
    size = path.stat().st_size + (tmp_path / "net.bin").stat().st_size
    work = Work(Source("onnx", "net.onnx", tmp_path, "0"), (), "fp32", None, tmp_path / "none", tmp_path / "out.onnx")
    monkeypatch.setattr("bench.convert.onnx.LARGEST_BYTES", size - 1)
    with pytest.raises(ModelError, match=f"{size:,} bytes, one ONNX file can have at most"):
        as_is(work)
    assert not work.output.exists()
    monkeypatch.setattr("bench.convert.onnx.LARGEST_BYTES", size)
    as_is(work)
    assert work.output.is_file()
