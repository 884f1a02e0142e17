"""What opening a torch.export program tells, without torch."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from bench.errors import ModelError
from bench.models.exported import read
from bench.models.spec import TensorSpec


def test_inputs_outputs_and_parameters_are_read_from_the_archive(torch_made: dict[str, Path]) -> None:
    info = read(torch_made["open.pt2"])
    assert info.inputs == (TensorSpec("image", (None, 3, 8, 8), "float32"), TensorSpec("scale", (), "float32"))
    assert [spec.shape for spec in info.outputs] == [(None, 5), ()]
    assert (info.parameters, info.precision) == (8 * 27 + 8 + 5 * 8 + 5, "fp32")
    assert info.version.startswith("schema 8.")


def test_half_parameters_are_fp16(tmp_path: Path) -> None:
    import torch

    program = torch.export.export(torch.nn.Linear(4, 2).half(), (torch.zeros(1, 4).half(),))
    torch.export.save(program, tmp_path / "net.pt2")
    info = read(tmp_path / "net.pt2")
    assert (info.precision, info.inputs[0].dtype) == ("fp16", "float16")


def _altered(source: Path, target: Path, suffix: str, change: dict[str, object] | None) -> Path:
    """A copy whose part that ends in `suffix` has its tensors' settings changed, or with that part added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if change is not None and name.endswith(suffix):
                data = json.loads(content)
                for entry in data["config"].values():
                    entry.update(change)
                content = json.dumps(data).encode()
            new.writestr(name, content)
        if change is None:
            new.writestr(suffix, b"")
    return target


def test_pickled_tensors_are_refused(torch_made: dict[str, Path], tmp_path: Path) -> None:
    path = _altered(torch_made["fixed.pt2"], tmp_path / "net.pt2", "model_weights_config.json", {"use_pickle": True})
    with pytest.raises(ModelError, match="keeps tensors as pickles"):
        read(path)


def test_compiled_code_is_refused(torch_made: dict[str, Path], tmp_path: Path) -> None:
    path = _altered(torch_made["fixed.pt2"], tmp_path / "net.pt2", "fixed/data/aotinductor/model/x.so", None)
    with pytest.raises(ModelError, match="compiled code"):
        read(path)


def test_inputs_that_are_no_tensors_are_refused(tmp_path: Path) -> None:
    import torch

    class Powered(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: torch.Tensor, power: int) -> torch.Tensor:
            return x**power

    torch.export.save(torch.export.export(Powered(), (torch.ones(2), 3)), tmp_path / "net.pt2")
    with pytest.raises(ModelError, match="wanted tensors only"):
        read(tmp_path / "net.pt2")
