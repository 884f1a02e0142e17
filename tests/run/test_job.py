"""Whole runs in this process: real converters, the real agent, onnxruntime on this machine."""

from __future__ import annotations

import numpy as np
import pytest

from bench.collect.circumstances import NAMES
from bench.results import CellResult
from bench.store.store import Store
from tests.fakes.files import save_onnx, save_tflite, torch_files
from tests.fakes.runs import Place, labelled

DYNAMIC = "open: {source: {onnx: open.onnx}, inputs: {image: {shape: [2, 3, 12, 12]}}}"


def _one(place: Place) -> CellResult:
    (cell,) = place.result().cells
    return cell


def test_a_run_measures_every_cell_and_finishes(place: Place) -> None:
    place.suite(precisions="[fp32, int8]")
    stored = place.run()
    assert stored.run.state == "finished" and stored.run.finished is not None
    result = place.result()
    assert [(cell.precision, cell.status, cell.trials) for cell in result.cells] == [
        ("fp32", "ok", 2), ("int8", "ok", 2)]
    for cell in result.cells:
        assert cell.outputs is not None and cell.outputs.state == "ok"
        assert cell.latency_ms.p50 and cell.load_ms and cell.first_inference_ms and cell.memory_mib.peak_rss
        assert cell.samples >= 6 and cell.artifact is not None
        assert set(NAMES) - set(cell.circumstances) <= {
            "governor", "power-mode", "charging", "contention"}, "what a PC, or trials as short as these, may not tell"
    assert result.cells[0].outputs is not None and result.cells[0].outputs.max_abs == 0
    assert [trial.number for trial in stored.trials] == [1, 1, 2, 2], "round-robin over the cells"
    assert len({trial.cell for trial in stored.trials[:2]}) == 2


def test_a_second_run_converts_nothing_pushes_nothing_and_measures_the_same_files(place: Place) -> None:
    place.net(seed=11)
    place.suite(precisions="[fp32, int8-dynamic]")
    first = place.run()
    assert place.kinds("converted") == 2
    assert sum(session.pushed_bytes for session in first.sessions) > 0
    second = place.run()
    assert place.kinds("convert", "converted") == 0 and place.kinds("cached") == 2
    assert sum(session.pushed_bytes for session in second.sessions) == 0
    assert second.run.id != first.run.id
    assert [cell.artifact for cell in second.cells] == [cell.artifact for cell in first.cells]
    assert len(place.stored().trials) == 4, "the first run's trials are its own"


def test_a_run_that_is_taken_up_again_is_not_judged_any_more_until_it_has_ended(place: Place) -> None:
    place.suite()
    first = place.run()
    with Store(place.store) as store:
        store.set_judgement(first.run.id, {"state": "green"})
    again = place.run(earlier=first)
    assert (again.run.id, again.run.state, again.run.judgement) == (first.run.id, "finished", None)


def test_accuracy_is_scored_on_the_device_over_the_whole_labelled_set(place: Place) -> None:
    place.suite(f"net: {{source: {{onnx: net.onnx}}, dataset: {labelled(place.folder)}}}")
    stored = place.run()
    assert [(trial.kind, trial.number) for trial in stored.trials] == [
        ("latency", 1), ("latency", 2), ("accuracy", 1)]
    cell = _one(place)
    assert cell.accuracy is not None
    assert (cell.accuracy.metric, cell.accuracy.count, cell.accuracy.drop) == ("top1", 12, 0.0)
    assert cell.accuracy.value == _score(place)


def _score(place: Place) -> float:
    """The network's accuracy by a bare loop around the runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(place.folder / "net.onnx"), providers=["CPUExecutionProvider"])
    images, labels = np.load(place.folder / "x.npy"), np.load(place.folder / "y.npy")
    scores = np.stack([session.run(None, {"image": image[None]})[0][0] for image in images])
    return float((scores.argmax(-1) == labels).mean())


def test_an_open_batch_is_what_the_suite_answers(place: Place) -> None:
    place.net("open.onnx", dynamic=True)
    place.suite(DYNAMIC)
    place.run()
    cell = _one(place)
    assert (cell.status, cell.batch, cell.circumstances["input-shape"]) == ("ok", 2, "image 2x3x12x12")


def test_several_inputs_of_several_types_and_several_outputs(place: Place) -> None:
    _write_two_inputs(place)
    place.suite("two: {source: {onnx: two.onnx}, inputs: {scale: {value: 2.5}, tokens: {range: [0, 50]}}}")
    place.run()
    cell = _one(place)
    assert cell.status == "ok", cell.reason
    assert cell.outputs is not None and cell.outputs.state == "ok" and cell.outputs.max_abs == 0


def test_values_reach_their_inputs_whatever_the_order_in_which_the_suite_names_them(place: Place) -> None:
    _write_two_inputs(place)
    place.suite("two: {source: {onnx: two.onnx}, inputs: {tokens: {value: [[7, 3]]}, scale: {value: 10}}}")
    stored = place.run()
    assert _one(place).status == "ok"
    (kept,) = (place.workdir / "files").glob("*.npz")
    with np.load(kept) as arrays:
        assert arrays["0"].tolist()[0] == 10.0 and arrays["1"].tolist()[0] == [[7, 3]], "the file's order"
    assert stored.trials[0].outputs is not None and stored.trials[0].outputs["ok"]


def _write_two_inputs(place: Place) -> None:
    """scale () float32, tokens (1, 2) int64 -> picked (1, 2, 4) and total (): a table's rows times the scale."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    table = np.arange(200, dtype=np.float32).reshape(50, 4)
    nodes = [helper.make_node("Gather", ["table", "tokens"], ["rows"]),
             helper.make_node("Mul", ["rows", "scale"], ["picked"]),
             helper.make_node("ReduceSum", ["picked"], ["total"], keepdims=0)]
    graph = helper.make_graph(
        nodes, "two", [helper.make_tensor_value_info("scale", TensorProto.FLOAT, []),
                       helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, 2])],
        [helper.make_tensor_value_info("picked", TensorProto.FLOAT, [1, 2, 4]),
         helper.make_tensor_value_info("total", TensorProto.FLOAT, [])], [numpy_helper.from_array(table, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(place.folder / "two.onnx"))


def test_onnx_and_tflite_files_are_measured_side_by_side(place: Place) -> None:
    save_tflite(place.folder / "t.tflite", open_batch=False)
    save_onnx(place.folder / "o.onnx")
    place.suite("t: {source: {tflite: t.tflite}}, o: {source: {onnx: o.onnx}, inputs: {x: {shape: [1, 4]}}}",
                runtimes="[onnxruntime, tflite]", runtime_options="{tflite: {delegates: [xnnpack, builtin]}}",
                threads="[1, 2]")
    stored = place.run()
    assert stored.run.state == "finished"
    found = {(cell.model, cell.runtime, cell.delegate, cell.threads): cell.status for cell in place.result().cells}
    assert found == {
        **{("t", "onnxruntime", "cpu", threads): "skipped" for threads in (1, 2)},
        **{("t", "tflite", delegate, threads): "ok" for delegate in ("xnnpack", "builtin") for threads in (1, 2)},
        **{("o", "onnxruntime", "cpu", threads): "ok" for threads in (1, 2)},
        **{("o", "tflite", delegate, threads): "skipped" for delegate in ("xnnpack", "builtin") for threads in (1, 2)}}


@pytest.mark.slow
def test_a_torchscript_file_with_a_scalar_and_two_outputs_is_measured(place: Place) -> None:
    torch_files(place.folder)
    place.suite("s: {source: {torchscript: script.pt}, inputs: {image: {shape: [1, 3, 8, 8], dtype: float32}, "
                "scale: {value: 2.0, shape: [], dtype: float32}}}", runtimes="[torch]")
    place.run()
    cell = _one(place)
    assert cell.status == "ok", cell.reason
    assert cell.outputs is not None and cell.outputs.state == "ok"
