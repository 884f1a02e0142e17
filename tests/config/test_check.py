from __future__ import annotations

from pathlib import Path

import pytest

import bench
from bench.config.check import check_against_devices, check_files
from bench.config.load import LoadedSuite, parse_devices, parse_suite
from bench.errors import ConfigError

TEXT = """version: 1
name: s
models:
  m:
    source: {torch: "a:b", weights: weights/m.safetensors}
    inputs: {x: {file: data/x.npy}}
    dataset:
      inputs: data/x.npy
      labels: data/lables.npy
      calibration: data
  n: {source: {onnx: n.onnx}, dataset: fashion-mnist-1k}
exclude:
  - {device: bord, because: slow}
"""
DEVICES = parse_devices("version: 1\ndevices: {board: {ssh: {host: h}}, phone: {adb: {serial: x}}}", Path("d.yaml"))


def loaded(folder: Path) -> LoadedSuite:
    return parse_suite(TEXT, Path("s.yaml"), folder)


def test_all_missing_files_are_named_in_one_error(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.npy").touch()
    (tmp_path / "data/labels.npy").touch()
    with pytest.raises(ConfigError) as caught:
        check_files(loaded(tmp_path))
    assert caught.value.message.splitlines() == [
        "s.yaml:5: models.m.source.weights: 'weights/m.safetensors': no such folder as 'weights' (known: data)",
        "s.yaml:9: models.m.dataset.labels: 'data/lables.npy': no such file, did you mean 'labels.npy'? "
        "(known: labels.npy, x.npy)",
        "s.yaml:10: models.m.dataset.calibration: 'data': wanted a file, found a folder",
        "s.yaml:11: models.n.source.onnx: 'n.onnx': no such file (known: data)",
    ]


@pytest.mark.parametrize("name", ["onnx.py", "bench.py", "torch/__init__.py"])
def test_a_file_that_hides_a_package_which_converting_needs_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    (tmp_path / "numpy").mkdir()  # hides nothing: it is no package
    text = "version: 1\nname: s\nmodels: {m: {source: {torch: 'a:b'}, inputs: {x: {shape: [1]}}}}"
    with pytest.raises(ConfigError) as caught:
        check_files(parse_suite(text, Path("s.yaml"), tmp_path))
    package = name.partition("/")[0].removesuffix(".py")
    assert caught.value.message == (f"s.yaml:3: models.m.source.torch: '{name}' beside the suite hides the package "
                                    f"{package}, which converting needs: rename it")
    check_files(parse_suite(text.replace("torch: 'a:b'", f"onnx: {name}"), Path("s.yaml"), tmp_path))


def test_a_suite_beside_the_package_itself_is_no_problem() -> None:
    text = "version: 1\nname: s\nmodels: {m: {source: {torch: 'a:b'}, inputs: {x: {shape: [1]}}}}"
    check_files(parse_suite(text, Path("s.yaml"), Path(bench.__file__).parents[1]))


def test_files_that_are_there_pass(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    text = "version: 1\nname: s\nmodels: {m: {source: {onnx: m.onnx}}}"
    check_files(parse_suite(text, Path("s.yaml"), tmp_path))


def test_a_path_too_long_to_look_up_is_a_missing_file(tmp_path: Path) -> None:
    text = f"version: 1\nname: s\nmodels: {{m: {{source: {{onnx: {'x' * 5000}}}}}}}"
    with pytest.raises(ConfigError, match="cannot be looked up \\(File name too long\\)"):
        check_files(parse_suite(text, Path("s.yaml"), tmp_path))


def test_of_a_full_folder_only_the_near_names_are_shown(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"model{number:02}.onnx").touch()
    text = "version: 1\nname: s\nmodels: {m: {source: {onnx: modle42.onnx}}}"
    with pytest.raises(ConfigError) as caught:
        check_files(parse_suite(text, Path("s.yaml"), tmp_path))
    assert "did you mean 'model42.onnx'?" in caught.value.message
    assert caught.value.message.count("model") == 7
    assert caught.value.message.endswith(", ...)")


def test_an_excluded_device_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        check_against_devices(loaded(tmp_path), DEVICES)
    assert caught.value.message == ("s.yaml:13: exclude[0].device: no device 'bord' in the devices file, "
                                    "did you mean 'board'? (known: board, phone)")


def test_an_excluded_device_that_exists_passes(tmp_path: Path) -> None:
    check_against_devices(parse_suite(TEXT.replace("bord", "board"), Path("s.yaml"), tmp_path), DEVICES)
