"""Sources: found without importing them, and hashed so that the hash changes when and only when the model may have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.config.suite import SourceConfig
from bench.errors import ConfigError, ModelError
from bench.models.files import sha256_file
from bench.models.source import resolve_source
from tests.fakes.files import save_onnx, save_tflite


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite's folder with a package of models, and code around it that no model uses."""
    files = {"nets/__init__.py": "", "nets/blocks.py": "import numpy\nWIDTH = 8\n", "nets/other.py": "",
             "nets/vision.py": "from . import blocks\nfrom helpers import scale\ndef small(): ...\n",
             "helpers.py": "def scale(): import late\n", "late.py": "", "unused.py": ""}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def _hash(root: Path, location: str = "nets.vision:small", **others: Path) -> str:
    return resolve_source(SourceConfig(torch=location, **others), root).sha256


@pytest.mark.parametrize("name", ["nets/__init__.py", "nets/vision.py", "nets/blocks.py", "helpers.py", "late.py"])
def test_a_change_in_code_that_the_model_is_made_of_changes_its_hash(suite: Path, name: str) -> None:
    before = _hash(suite)
    with (suite / name).open("a") as file:
        file.write("# changed\n")
    assert _hash(suite) != before


@pytest.mark.parametrize("name", ["nets/other.py", "unused.py", "suite.yaml"])
def test_a_change_elsewhere_does_not(suite: Path, name: str) -> None:
    before = _hash(suite)
    with (suite / name).open("a") as file:
        file.write("# changed\n")
    assert _hash(suite) == before


def test_the_hash_does_not_depend_on_the_place(suite: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    moved = tmp_path_factory.mktemp("moved") / "suite"
    shutil.copytree(suite, moved)
    assert _hash(moved) == _hash(suite)


def test_weights_count_into_the_hash(suite: Path) -> None:
    weights = suite / "weights.safetensors"
    weights.write_bytes(b"1")
    first = _hash(suite, weights=Path("weights.safetensors"))
    weights.write_bytes(b"2")
    assert len({_hash(suite), first, _hash(suite, weights=Path("weights.safetensors"))}) == 3


def test_versions_of_other_packages_count_into_the_hash(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _hash(suite)
    monkeypatch.setattr("bench.models.code.metadata.version", lambda name: "0.0")
    assert _hash(suite) != before


def test_hashing_a_factory_imports_neither_it_nor_torch(suite: Path) -> None:
    (suite / "nets/vision.py").write_text("import torch\nraise SystemExit('imported')\ndef small(): ...\n")
    code = ("import sys, pathlib; from bench.config.suite import SourceConfig; "
            "from bench.models.source import resolve_source; "
            f"resolve_source(SourceConfig(torch='nets.vision:small'), pathlib.Path({str(suite)!r})); "
            "print('torch' in sys.modules, 'nets' in sys.modules)")
    repository = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=repository, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_modules_that_import_each_other_end(suite: Path) -> None:
    (suite / "nets/blocks.py").write_text("from nets import vision\nimport nets.vision, nets.blocks\n")
    assert _hash(suite)


def test_a_missing_module_is_named_with_the_nearest(suite: Path) -> None:
    with pytest.raises(ConfigError, match=r"wanted the module nets.vison, .* in package nets, did you mean 'vision'"):
        _hash(suite, "nets.vison:small")
    with pytest.raises(ConfigError, match=r"found none in .* or among installed packages, did you mean 'helpers'"):
        _hash(suite, "helper:small")


def test_a_missing_function_is_named_with_the_nearest(suite: Path) -> None:
    with pytest.raises(ConfigError, match=r"wanted smal in module nets.vision .*did you mean 'small'"):
        _hash(suite, "nets.vision:smal")


@pytest.mark.parametrize("text", ["small = lambda: None\n", "from nets.blocks import WIDTH as small\n",
                                  "try:\n    from x import small\nexcept ImportError:\n    small = None\n",
                                  "if True:\n    def small(): ...\n", "from nets.blocks import *\n"])
def test_a_factory_may_be_bound_in_any_way(suite: Path, text: str) -> None:
    (suite / "nets/vision.py").write_text(text)
    assert _hash(suite)


def test_code_that_does_not_parse_is_refused_with_its_line(suite: Path) -> None:
    (suite / "nets/blocks.py").write_text("ok = 1\ndef broken(:\n")
    with pytest.raises(ModelError, match=r"blocks.py:2: wanted Python"):
        _hash(suite)


def test_missing_weights_are_named(suite: Path) -> None:
    (suite / "net.safetensors").touch()
    with pytest.raises(ConfigError, match=r"the file of weights .*nett.safetensors: no such file, did you mean"):
        _hash(suite, weights=Path("nett.safetensors"))


def test_a_file_is_hashed_and_found_from_the_suites_folder(tmp_path: Path) -> None:
    path = save_onnx(tmp_path / "net.onnx")
    source = resolve_source(SourceConfig(onnx=Path("net.onnx")), tmp_path)
    assert (source.kind, source.location, source.sha256) == ("onnx", str(path), sha256_file(path))


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    save_tflite(tmp_path / "net.onnx")
    with pytest.raises(ConfigError, match="wanted ONNX, found TFLite"):
        resolve_source(SourceConfig(onnx=Path("net.onnx")), tmp_path)


def test_no_source_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="wanted one of torch"):
        resolve_source(SourceConfig(), tmp_path)


def test_an_array_is_no_source(tmp_path: Path) -> None:
    np.save(tmp_path / "net.npy", np.zeros(2))
    with pytest.raises(ModelError, match="numpy array"):
        resolve_source(SourceConfig(tflite=Path("net.npy")), tmp_path)
