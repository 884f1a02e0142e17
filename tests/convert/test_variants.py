from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.convert.process import Limits
from bench.convert.recipe import Recipe
from bench.convert.types import Artifact, Refusal
from bench.convert.variants import Event, Request, convert, default_jobs
from tests.fakes import recipes as dying
from tests.fakes.onnx_files import job_for, write_net, write_samples
from tests.fakes.workbench import Bench

UseRecipes = Callable[[Sequence[Recipe]], None]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return write_net(tmp_path / "net.onnx")


def test_one_base_serves_all_its_precisions_and_the_second_run_starts_no_child(workbench: Bench, net: Path) -> None:
    first = workbench.convert(job_for(net), "int8-dynamic", "int8")
    assert all(isinstance(result, Artifact) and not result.cached for result in first)
    assert workbench.counts() == {"started": 3, "made": 3}
    second = workbench.convert(job_for(net), "int8-dynamic", "int8")
    assert workbench.counts() == {"cached": 2}
    assert [replace(result, cached=False) for result in second if isinstance(result, Artifact)] == first


def test_a_change_of_weights_calibration_or_tools_converts_anew_and_a_new_name_does_not(
        workbench: Bench, net: Path, use_recipes: UseRecipes, tmp_path: Path) -> None:
    use_recipes(dying.one("prints_garbage", precision="int8-dynamic"))
    workbench.artifact(job_for(net), "int8-dynamic")
    workbench.artifact(job_for(net, model="another name"), "int8-dynamic")
    assert workbench.counts()["cached"] == 1
    workbench.artifact(job_for(net, seed=2), "int8-dynamic")
    assert workbench.counts()["made"] == 2
    workbench.artifact(job_for(write_net(tmp_path / "other.onnx", seed=5)), "int8-dynamic")
    assert workbench.counts()["made"] == 2
    use_recipes(dying.one("prints_garbage", precision="int8-dynamic", tools=("onnx", "numpy")))
    workbench.artifact(job_for(net), "int8-dynamic")
    assert workbench.counts() == {"cached": 1, "started": 1, "made": 1}


def test_the_artifact_has_the_name_of_the_model_that_asked(workbench: Bench, net: Path) -> None:
    assert workbench.artifact(job_for(net, model="a"), "fp32").model == "a"
    assert workbench.artifact(job_for(net, model="b"), "fp32").model == "b"


def test_a_moved_file_is_the_same_model(workbench: Bench, net: Path, tmp_path: Path) -> None:
    workbench.artifact(job_for(net), "fp32")
    (tmp_path / "elsewhere").mkdir()
    workbench.artifact(job_for(net.rename(tmp_path / "elsewhere" / "renamed.onnx")), "fp32")
    assert workbench.counts() == {"cached": 1}


@pytest.mark.parametrize(("function", "reason"), [
    ("crashes", "crashed: signal 11 (SIGSEGV) while converting"),
    ("raises", "RuntimeError: op 'Frobnicate' is not supported"),
    ("exits", "SystemExit: converter gave up"),
    ("writes_nothing", "the converter ended without an error and wrote no file"),
    ("copies", "not quantized: the converter wrote the fp32 file unchanged"),
])
def test_whatever_a_converter_does_becomes_one_line_and_the_others_go_on(
        function: str, reason: str, workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one(function))
    base, broken = workbench.convert(job_for(net), "fp32", "int8")
    assert isinstance(base, Artifact)
    assert isinstance(broken, Refusal)
    assert (broken.reason, broken.fault) == (reason, "model")
    assert not list(workbench.cache.work.iterdir())


def test_a_file_of_no_format_is_refused_at_the_gate(workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("writes_rubbish"))
    assert workbench.refusal(job_for(net), "int8").fault == "model"


def test_ruined_outputs_are_refused_with_their_ratio(workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("ruins_outputs", precision="int8-dynamic"))
    reason = workbench.refusal(job_for(net), "int8-dynamic").reason
    assert reason.startswith("outputs ruined: SQNR -")
    assert reason.endswith("dB against fp32, int8-dynamic must have at least 5 to be measured")


def test_another_quantization_than_the_one_asked_for_is_refused(
        workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("prints_garbage"))
    assert workbench.refusal(job_for(net), "int8").reason == "asked for int8, the file that was made holds int8-dynamic"


def test_what_is_printed_to_fd_1_is_the_log_and_disturbs_nothing(
        workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("prints_garbage", precision="int8-dynamic"))
    artifact = workbench.artifact(job_for(net), "int8-dynamic")
    log = (artifact.path.parent / "log.txt").read_bytes()
    assert b"native noise" in log and b"python noise" in log


def test_a_hanging_converter_is_killed_and_tried_again_next_time(
        workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("hangs"))
    workbench.artifact(job_for(net), "fp32")
    workbench.limits = Limits(timeout_s=3, memory_mib=4096)
    assert workbench.refusal(job_for(net), "int8").reason == "no result within 3 s while converting"
    workbench.refusal(job_for(net), "int8")
    assert workbench.counts() == {"cached": 1, "started": 1, "refused": 1}


def test_a_converter_that_eats_memory_is_killed(workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("eats_memory"))
    workbench.artifact(job_for(net), "fp32")
    workbench.limits = Limits(timeout_s=60, memory_mib=300)
    reason = workbench.refusal(job_for(net), "int8").reason
    assert reason.startswith("killed: used ") and reason.endswith("limit 300 MiB while converting")


def test_a_refusal_that_would_come_again_is_remembered_with_its_log(
        workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("raises"))
    first = workbench.refusal(job_for(net), "int8")
    second = workbench.refusal(job_for(net), "int8")
    assert workbench.counts() == {"cached": 1}
    assert second == first
    assert "Traceback" in second.log


def test_without_its_base_a_variant_is_refused_for_the_bases_reason(
        workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    base, derived = dying.one("copies")
    use_recipes([replace(base, function="tests.fakes.recipes:raises"), derived])
    refusal = workbench.refusal(job_for(net), "int8")
    assert refusal.reason == ("its fp32 onnx file could not be made: RuntimeError: op 'Frobnicate' is not supported")
    assert workbench.counts() == {"started": 1, "refused": 2}


def test_a_model_that_does_not_run_is_refused_for_every_variant(workbench: Bench, net: Path) -> None:
    job = job_for(net)
    wrong = replace(job.inputs[0], shape=(1, 3, 2, 2))
    write_samples(job.calibration, (wrong,))
    for result in workbench.convert(replace(job, inputs=(wrong,)), "fp32", "int8"):
        assert isinstance(result, Refusal)
        assert result.reason.startswith("the model 'net' does not run: ")
    assert workbench.counts() == {"refused": 2}


def test_a_missing_tool_is_told_with_its_extra_and_no_child(
        workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("copies", tools=("no-such-tool",)))
    refusal = workbench.refusal(job_for(net), "int8")
    assert "needs the package 'no-such-tool', which is not installed" in refusal.reason
    assert "pip install 'bench[onnx]'" in refusal.reason
    assert refusal.fault == "config"
    assert workbench.counts() == {"refused": 1}


def test_a_quantized_source_is_taken_as_it_is_and_no_other_way(workbench: Bench, net: Path, tmp_path: Path) -> None:
    made = workbench.artifact(job_for(net), "int8")
    job = job_for(made.path.rename(tmp_path / "int8.onnx"), precision="int8")
    artifact = workbench.artifact(job, "int8")
    assert artifact.sha256 == made.sha256 and artifact.gate.sqnr_db == float("inf")
    assert workbench.refusal(job, "fp16").reason == (
        "source is already int8: it is only taken as it is, possible: onnx (int8)")


def test_an_interrupt_kills_the_children_and_leaves_no_half_entry(
        workbench: Bench, net: Path, use_recipes: UseRecipes) -> None:
    use_recipes(dying.one("says_where_and_hangs"))
    job = job_for(net)
    workbench.artifact(job, "fp32")
    kept = set(workbench.cache.entries.iterdir())

    def interrupt(event: Event) -> None:
        if event.kind == "started":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert([Request(job, "onnx", "int8")], workbench.cache, workbench.limits, 1, interrupt)
    assert set(workbench.cache.entries.iterdir()) == kept
    assert not list(workbench.cache.work.iterdir())


def test_the_same_request_twice_is_made_once(workbench: Bench, net: Path) -> None:
    job = job_for(net)
    assert len(workbench.convert(job, "fp32", "fp32")) == 2
    assert workbench.counts() == {"started": 1, "made": 1}


def test_the_files_own_tensors_come_with_the_artifact(workbench: Bench, tmp_path: Path) -> None:
    artifact = workbench.artifact(job_for(write_net(tmp_path / "dynamic.onnx", dynamic=True)), "int8")
    assert [(spec.name, spec.shape, spec.dtype) for spec in artifact.inputs] == [("image", (1, 3, 12, 12), "float32")]
    assert [(spec.name, spec.shape, spec.dtype) for spec in artifact.outputs] == [("scores", (1, 10), "float32")]
    assert artifact.gate.sqnr_db > 20 and artifact.gate.cosine > 0.99 and np.isfinite(artifact.gate.max_abs)


def test_there_is_always_room_for_one_child() -> None:
    assert default_jobs() >= 1
