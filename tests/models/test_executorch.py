from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.convert import executorch as target
from bench.errors import ModelError
from bench.models.executorch import read
from tests.fakes.conversion import REPOSITORY, work_for

# Looked for, not imported: that takes seconds, also where these tests are not asked for.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"),
              pytest.mark.skipif(find_spec("executorch") is None, reason="needs executorch")]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The tagger network as programs: fp32, fp16, int8."""
    folder = tmp_path_factory.mktemp("programs")
    paths = {}
    for precision, function in {"fp32": target.fp32, "fp16": target.fp16, "int8": target.int8}.items():
        work = replace(work_for("tagger", folder), precision=precision, output=folder / f"{precision}.pte")
        function(work)
        paths[precision] = work.output
    return paths


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_inputs_and_outputs_are_those_that_the_runtime_tells(precision: str, programs: Mapping[str, Path]) -> None:
    from executorch.runtime import Runtime

    dtypes = {4: "int64", 5: "float16", 6: "float32"}
    meta = Runtime.get().load_program(programs[precision]).metadata("forward")
    told = [meta.input_tensor_meta(i) for i in range(meta.num_inputs())]
    told += [meta.output_tensor_meta(i) for i in range(meta.num_outputs())]
    info = read(programs[precision])
    assert [(spec.shape, spec.dtype) for spec in (*info.inputs, *info.outputs)] == [
        (tuple(tensor.sizes()), dtypes[tensor.dtype()]) for tensor in told]
    assert [spec.name for spec in (*info.inputs, *info.outputs)] == ["input_0", "input_1", "output_0", "output_1"]


def test_the_file_itself_is_described(programs: Mapping[str, Path]) -> None:
    from tests.fakes.target_nets import tagger

    info = read(programs["fp32"])
    assert info.sha256 == hashlib.sha256(programs["fp32"].read_bytes()).hexdigest()
    assert (info.format, info.version) == ("executorch", "schema ET12")
    assert info.size_bytes == programs["fp32"].stat().st_size
    assert info.parameters == sum(weight.numel() for weight in tagger().parameters())


def test_precision_and_weights_are_told_of_programs_without_delegates(tmp_path: Path) -> None:
    import torch
    from executorch.exir import to_edge

    from tests.fakes.target_nets import conv_only

    for half, precision in ((False, "fp32"), (True, "fp16")):
        image = torch.rand(1, 3, 16, 16)
        net, image = (conv_only().half(), image.half()) if half else (conv_only(), image)
        (tmp_path / "portable.pte").write_bytes(to_edge(torch.export.export(net, (image,))).to_executorch().buffer)
        info = read(tmp_path / "portable.pte")
        assert info.precision == precision
        assert info.parameters == sum(weight.numel() for weight in net.parameters())


def test_reading_needs_neither_torch_nor_executorch(programs: Mapping[str, Path]) -> None:
    script = f"""
import sys
from pathlib import Path
from bench.models.executorch import read
assert read(Path({str(programs["int8"])!r})).precision == "int8"
assert not {{"torch", "executorch"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pte").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(ModelError, match=r"model\.pte is not an ExecuTorch program"):
        read(tmp_path / "model.pte")


def test_a_program_cut_short_is_refused_at_any_length(programs: Mapping[str, Path], tmp_path: Path) -> None:
    whole = programs["int8"].read_bytes()
    for length in (0, 7, 12, 30, 40, 200, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.pte").write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut\.pte"):
            read(tmp_path / "cut.pte")
