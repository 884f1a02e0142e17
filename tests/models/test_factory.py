"""Building sources with torch: what comes out, and what a user is told when nothing does."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from bench.errors import ModelError
from bench.models.factory import load_module
from bench.models.spec import Source, SourceKind
from tests.fakes.files import Marker
from tests.fakes.scaled import Scaled, scaled

ROOT = Path(__file__).parents[2]


def _source(location: str | Path, kind: SourceKind = "torch", root: Path = ROOT, weights: Path | None = None) -> Source:
    return Source(kind, str(location), root, "0" * 64, weights)


def _own(folder: Path, text: str) -> Source:
    """A factory `make` in a module of its own name, as modules once imported stay."""
    name = f"factory_{folder.name.replace('-', '_')}"
    (folder / f"{name}.py").write_text(text)
    return _source(f"{name}:make", root=folder)


EXAMPLE = (torch.rand(1, 3, 8, 8), torch.tensor(2.0))


def test_a_factory_gives_the_same_net_each_time_ready_for_inference() -> None:
    first, second = (load_module(_source("tests.fakes.scaled:scaled")) for _ in range(2))
    assert not first.training
    assert torch.equal(first(*EXAMPLE)[0], second(*EXAMPLE)[0])


@pytest.mark.parametrize("form", ["safetensors", "state_dict"])
def test_weights_are_loaded_whatever_their_file_is_called(tmp_path: Path, form: str) -> None:
    from safetensors.torch import save_file

    wanted, path = scaled(), tmp_path / "weights.bin"
    if form == "safetensors":
        save_file(wanted.state_dict(), path)
    else:
        torch.save(wanted.state_dict(), path)
    net = load_module(_source("tests.fakes.scaled:scaled", weights=path))
    assert all(torch.equal(net.state_dict()[key], value) for key, value in wanted.state_dict().items())


def test_weights_of_another_net_are_refused_with_what_differs(tmp_path: Path) -> None:
    state = {f"module.{key}": value for key, value in Scaled().state_dict().items()}
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"4 missing, the first 'conv.weight', did you mean 'module.conv.weight'"):
        load_module(_source("tests.fakes.scaled:scaled", weights=tmp_path / "w.pt"))


def test_weights_of_another_shape_are_refused_with_both_shapes(tmp_path: Path) -> None:
    torch.save(Scaled().state_dict() | {"fc.bias": torch.zeros(7)}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"'fc.bias' is \(7,\), wanted \(5,\)"):
        load_module(_source("tests.fakes.scaled:scaled", weights=tmp_path / "w.pt"))


def test_weights_that_are_pickled_code_are_never_unpickled(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    torch.save({"w": Marker(proof)}, tmp_path / "w.pt")
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Marker(proof)))
    for name in ("w.pt", "raw.pt"):
        with pytest.raises(ModelError, match="cannot be loaded so"):
            load_module(_source("tests.fakes.scaled:scaled", weights=tmp_path / name))
    assert not proof.exists()


def test_a_whole_checkpoint_is_refused_with_its_keys(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": Scaled().state_dict()}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match="found a dict with epoch, state_dict"):
        load_module(_source("tests.fakes.scaled:scaled", weights=tmp_path / "w.pt"))


def test_a_factory_that_raises_is_quoted(tmp_path: Path) -> None:
    source = _own(tmp_path, "def make(): raise ValueError('no such width')")
    with pytest.raises(ModelError, match=f"factory {source.location} raised ValueError: no such width"):
        load_module(source)


def test_a_module_that_cannot_be_imported_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="raised ModuleNotFoundError: No module named 'not_there'"):
        load_module(_own(tmp_path, "import not_there\ndef make(): ..."))


@pytest.mark.parametrize(("body", "words"), [
    ("def make(): return {'a': 1}", "a value of type dict"), ("def make(): pass", "a value of type NoneType"),
    ("import torch\ndef make(): return torch.nn.ReLU", "the class torch.nn.*ReLU")])
def test_what_else_a_factory_returns_is_named(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(ModelError, match=f"it returned {words}"):
        load_module(_own(tmp_path, body))


@pytest.mark.parametrize(("kind", "name"), [("exported", "fixed.pt2"), ("torchscript", "script.pt")])
def test_files_give_the_net_that_was_saved(torch_made: dict[str, Path], kind: SourceKind, name: str) -> None:
    torch.manual_seed(0)
    expected = Scaled().eval()(*EXAMPLE)
    found = load_module(_source(torch_made[name], kind))(*EXAMPLE)
    assert all(torch.allclose(one, other) for one, other in zip(found, expected, strict=True))


def test_pickled_objects_in_a_program_are_never_unpickled(torch_made: dict[str, Path], tmp_path: Path) -> None:
    proof, path = tmp_path / "proof", tmp_path / "evil.pt2"
    with zipfile.ZipFile(torch_made["fixed.pt2"]) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            with new.open(name, "w") as part:
                if name.endswith("sample_inputs/model.pt"):
                    torch.save(Marker(proof), part)
                else:
                    part.write(old.read(name))
    with pytest.raises(ModelError, match=r"holds pickled objects in .*sample_inputs/model.pt"):
        load_module(_source(path, "exported"))
    assert not proof.exists()


def test_a_file_that_torch_cannot_load_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(b"PK nonsense")
    with pytest.raises(ModelError, match=r"cannot load .*net.pt"):
        load_module(_source(tmp_path / "net.pt", "torchscript"))
