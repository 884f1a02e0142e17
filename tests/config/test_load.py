from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.config.load import LoadedSuite, load_devices, load_suite, parse_devices, parse_suite
from bench.errors import ConfigError

SUITE = "version: 1\nname: s\nmodels:\n  m: {source: {onnx: m.onnx}}\n"
DEVICES = "version: 1\ndevices:\n"
NAME_RULE = "wanted a name of at most 64 lower-case letters, digits, '.', '_' and '-', a letter or digit first"
PRECISIONS = "fp32, fp16, bf16, int8-dynamic, int8, int8-weight, int16x8, int4-weight"
NEAREST = "models, measure, devices, runtimes, name, ..."


def suite_error(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_suite(text, Path("s.yaml"), Path())
    assert caught.value.hint == "what the file may hold: bench schema suite"
    return caught.value.message


def devices_error(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_devices(text, Path("d.yaml"))
    return caught.value.message


def test_a_suite_keeps_its_path_its_folder_and_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites/s.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    loaded = load_suite(Path("suites/s.yaml"))
    assert (loaded.path, loaded.root, loaded.text) == (Path("suites/s.yaml"), tmp_path / "suites", SUITE)
    assert loaded.config.models["m"].source.onnx == Path("m.onnx")


def test_a_stored_suite_is_parsed_to_the_same_suite(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SUITE)
    loaded = load_suite(tmp_path / "s.yaml")
    assert parse_suite(loaded.text, loaded.path, loaded.root) == loaded
    assert isinstance(loaded, LoadedSuite)


def test_values_arrive_in_the_types_of_the_models() -> None:
    text = SUITE.replace("}}", "}, inputs: {x: {shape: [], range: [0, 1]}, 0: {value: [[1, 2.5], [true, -1]]}}}") + (
        "threads: [1, 4]\nmeasure: {min_time: 200ms, warmup: {max_time: 1.5 m}}\nconvert: {memory_mib: 512}\n"
        "devices: {labels: {tier: [edge, flagship], soc: orin}}\nruntime_options: {tflite: {delegates: [builtin]}}\n")
    config = parse_suite(text, Path("s.yaml"), Path()).config
    assert config.models["m"].inputs["x"].shape == ()
    assert config.models["m"].inputs["x"].range == (0.0, 1.0)
    assert config.models["m"].inputs["0"].value == [[1, 2.5], [True, -1]]
    assert config.threads == (1, 4)
    assert (config.measure.min_time, config.measure.warmup.max_time, config.convert.memory_mib) == (0.2, 90.0, 512)
    assert config.devices.labels == {"tier": ("edge", "flagship"), "soc": "orin"}


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbf" + SUITE.encode())
    assert load_suite(tmp_path / "s.yaml").text == SUITE


def test_paths_of_keys_know_the_home_and_the_folder_of_the_file(tmp_path: Path) -> None:
    text = DEVICES + "  a: {ssh: {host: h, key: ~/.ssh/id, known_hosts: keys/known}}\n"
    ssh = parse_devices(text, tmp_path / "d.yaml").devices["a"].ssh
    assert ssh is not None
    assert (ssh.key, ssh.known_hosts) == (Path.home() / ".ssh/id", tmp_path / "keys/known")


@pytest.mark.parametrize(("more", "message"), [
    ("modles: {}", f"5: modles: unknown key, did you mean 'models'? (known: {NEAREST})"),
    ("name: t", "5: name: the key is written twice, first on line 2"),
    ("precisions: [fp32, int9]", f"5: precisions[1]: unknown name 'int9', did you mean 'int8'? (known: {PRECISIONS})"),
    ("precisions: [8]", f"5: precisions[0]: wanted one of {PRECISIONS}, found the number 8"),
    ("precisions: [fp32, fp16, fp32]", "5: precisions[2]: 'fp32' is listed twice"),
    ("precisions: []", "5: precisions: wanted at least 1 entry, found none"),
    ("precisions: fp32", "5: precisions: wanted a list such as [a, b], found 'fp32'"),
    ("runtimes: [tensorrt]",
     "5: runtimes[0]: unknown name 'tensorrt' (known: onnxruntime, tflite, torch, executorch)"),
    ("threads: [0]", "5: threads[0]: wanted at least 1, found the number 0"),
    ("threads:\n  - 1\n  - 1025", "7: threads[1]: wanted at most 1,024, found the number 1025"),
    ("threads: [1.0]", "5: threads[0]: wanted a whole number, found the number 1.0"),
    ("threads: [yes]", "5: threads[0]: wanted a whole number, found 'yes'"),
    ("threads: [true]", "5: threads[0]: wanted a whole number, found true, a truth value"),
    ("threads: [2, 2]", "5: threads[1]: '2' is listed twice"),
    ("runtime_options: {tflite: {delegates: [xnpack]}}", "5: runtime_options.tflite.delegates[0]: tflite has no "
     "delegate 'xnpack', did you mean 'xnnpack'? (known: xnnpack, builtin)"),
    ("runtime_options: {tflight: {}}", "5: runtime_options.tflight: unknown name 'tflight', did you mean 'tflite'? "
                                       "(known: onnxruntime, tflite, torch, executorch)"),
    ("runtime_options: {torch: {options: {a: 1}}}",
     '5: runtime_options.torch.options.a: wanted text, found the number 1: quote it, "1"'),
    ("measure: {min_time: 1}", "5: measure.min_time: wanted a duration such as 500ms, 1s or 5m, found the number 1, "
                               "no unit: write 1s or 1ms"),
    ("measure: {min_time: 1y}", "5: measure.min_time: wanted a duration such as 500ms, 1s or 5m, found '1y'"),
    ("measure: {timeout: 0s}", "5: measure.timeout: wanted more than 0s, found '0s'"),
    ("measure: {warmup: {max_time: 100ms}}",
     "5: measure.warmup.max_time: wanted max_time of at least min_time, found 0.1 s and 0.5 s"),
    ("measure:", "5: measure: wanted a mapping (`key: value`), found nothing"),
    ("devices: {labels: [a]}", "5: devices.labels: wanted a mapping (`key: value`), found a list"),
    ("devices: {labels: {tier: [a, 3]}}", '5: devices.labels.tier[1]: wanted text, found the number 3: quote it, "3"'),
    ("exclude:\n  - {because: x}", "6: exclude[0]: wanted at least one of model, format, precision, runtime, device, "
                                   "found none: it would leave out everything"),
    ("exclude: [{model: n, because: x}]", "5: exclude[0].model: this suite has no model 'n' (known: m)"),
    ("exclude: [{model: m}]", "5: exclude[0]: the key 'because' is missing"),
    ("exclude: [{format: onxn, because: x}]", "5: exclude[0].format: unknown name 'onxn', did you mean 'onnx'? "
                                              "(known: onnx, tflite, torchscript, executorch)"),
    ("expect: {latency_p50: {against: previous, at_most: 5}}",
     "5: expect.latency_p50.at_most: wanted a percentage such as +5%, found the number 5, no unit: write +5%"),
    ("expect: {latency_p50: {against: last-green, at_most: fast}}",
     "5: expect.latency_p50.at_most: wanted a percentage such as +5%, found 'fast'"),
    ("expect: {accuracy_drop: {against: fp32, at_most: 1%}}",
     "5: expect.accuracy_drop.at_most: wanted percentage points such as 1.0pp, found '1%'"),
])
def test_one_wrong_key_of_a_suite_is_one_line(more: str, message: str) -> None:
    assert suite_error(SUITE + more + "\n") == "s.yaml:" + message


@pytest.mark.parametrize(("model", "message"), [
    ("{}", "m: the key 'source' is missing"),
    ("{source: {}}", "m.source: wanted exactly one of torch, exported, onnx, tflite, torchscript, found none"),
    ("{source: {onnx: a, tflite: b}}", "m.source.tflite: wanted exactly one of torch, exported, onnx, tflite, "
                                       "torchscript, found onnx and tflite"),
    ("{source: {torch: mobilenet}}", "m.source.torch: wanted module:function, such as mymodels.vision:mobilenet, "
                                     "found 'mobilenet'"),
    ("{source: {onnx: a, weights: b}}",
     "m.source.weights: weights go with torch only; other sources hold their own"),
    ("{source: {onnx: 7}}", 'm.source.onnx: wanted text, found the number 7: quote it, "7"'),
    ("{source: {onnx: ''}}", "m.source.onnx: wanted the path of a file, found nothing"),
    ('{source: {onnx: "a\\0b"}}', "m.source.onnx: wanted the path of a file, found 'a\\x00b'"),
    ("{source: {onnx: ~nobody-here/m.onnx}}",
     "m.source.onnx: wanted the path of a file, found '~nobody-here/m.onnx', and there is no such user"),
    ("{source: {onnx: a}, dataset: fashion}", "m.dataset: unknown name 'fashion', did you mean 'fashion-mnist-1k'? "
                                              "(known: fashion-mnist-1k)"),
    ("{source: {onnx: a}, dataset: {inputs: x.npy}}", "m.dataset: the key 'labels' is missing"),
    ("{source: {onnx: a}, dataset: {inputs: x, labels: y, metrics: top1}}",
     "m.dataset.metrics: unknown key, did you mean 'metric'? (known: inputs, labels, metric, output, calibration)"),
    ("{source: {onnx: a}, dataset: {inputs: x, labels: y, calibration: c}, calibration: d}",
     "m.dataset.calibration: models.m.calibration gives the calibration inputs, too: remove this one"),
    ("{source: {onnx: a}, calibration: {}}", "m.calibration: wanted at least 1 entry, found none"),
    ("{source: {onnx: a}, calibration: {x: 7}}", 'm.calibration.x: wanted text, found the number 7: quote it, "7"'),
    ("{source: {onnx: a}, dataset: {inputs: x, labels: y, output: -1}}",
     "m.dataset.output: wanted at least 0, found the number -1"),
    ("{source: {onnx: a}, dataset: {inputs: x, labels: y, output: 1.5}}",
     'm.dataset.output: wanted text, found the number 1.5: quote it, "1.5"'),
    ("{source: {onnx: a}, inputs: {x: {shape: [1, -1]}}}",
     "m.inputs.x.shape[1]: wanted at least 1, found the number -1"),
    ("{source: {onnx: a}, inputs: {x: {range: [0]}}}", "m.inputs.x.range: wanted [low, high], found 1 entry"),
    ("{source: {onnx: a}, inputs: {x: {range: [2, 1]}}}", "m.inputs.x.range: wanted [low, high], found [2, 1]"),
    ("{source: {onnx: a}, inputs: {x: {range: [0, 1], file: x.npy}}}",
     "m.inputs.x.file: wanted at most one of range, value, file, found range and file"),
    ("{source: {onnx: a}, inputs: {x: {value: [1, two]}}}",
     "m.inputs.x.value: wanted a number, true or false, or nested lists of them, found something else"),
])
def test_one_wrong_part_of_a_model_is_one_line(model: str, message: str) -> None:
    text = f"version: 1\nname: s\nmodels:\n  m: {model}\n"
    assert suite_error(text) == f"s.yaml:4: models.{message}"


def test_sections_of_the_users_own_hold_anchors() -> None:
    text = ("version: 1\nname: s\nx-nets: [&net {source: {onnx: net.onnx}}]\nmodels: {a: *net, b: {<<: *net, was: c}}")
    config = parse_suite(text, Path("s.yaml"), Path()).config
    assert list(config.models) == ["a", "b"] and config.models["b"].source == config.models["a"].source


def test_a_dtype_is_suggested_from_the_near_ones() -> None:
    message = suite_error(SUITE.replace("}}", "}, inputs: {x: {dtype: flaot32}}}"))
    assert message.startswith("s.yaml:4: models.m.inputs.x.dtype: unknown name 'flaot32', did you mean 'float32'? (")


@pytest.mark.parametrize(("device", "message"), [
    ("a: {}", "a: wanted exactly one of local, ssh, adb, found none"),
    ("a: {local: }", "a.local: wanted exactly one of local, ssh, adb, found local with nothing in it: write local: {}"),
    ("a: {local: {}, adb: {serial: x}}", "a.adb: wanted exactly one of local, ssh, adb, found local and adb"),
    ("a: {adb: {serial: 0123456}}", 'a.adb.serial: wanted text, found the number 0123456: quote it, "0123456"'),
    ("a: {ssh: {user: u}}", "a.ssh: the key 'host' is missing"),
    ("a: {ssh: {host: -oProxyCommand=x}}",
     "a.ssh.host: wanted text without spaces that does not start with '-', found '-oProxyCommand=x'"),
    ("a: {ssh: {host: h, port: 65536}}", "a.ssh.port: wanted at most 65,535, found the number 65536"),
    ("a: {ssh: {host: h, port: '22'}}", "a.ssh.port: wanted a whole number, found '22'"),
    ("a: {local: {}, workdir: tmp}", "a.workdir: wanted a folder on the device that starts with / or ~/, found 'tmp'"),
    ("a: {local: {}, workdir: /}", "a.workdir: wanted a folder on the device that starts with / or ~/, found '/'"),
    ("a: {local: {}, labels: {x: 1.50}}", 'a.labels.x: wanted text, found the number 1.50: quote it, "1.50"'),
    ("a: {local: {}, labels: {x: true}}", 'a.labels.x: wanted text, found true, a truth value: quote it, "true"'),
    ('a: {local: {}, labels: {"": x}}', "a.labels.'': wanted one line of text, found ''"),
    ("a: {local: {}, cooldown: {below_c: cold}}", "a.cooldown.below_c: wanted a number, found 'cold'"),
    ("a: {local: {}, cores: fast}", "a.cores: unknown name 'fast' (known: big, little, all, a list such as [4, 5])"),
    ("a: {local: {}, cores: 4}", "a.cores: wanted one of big, little, all, a list such as [4, 5], found the number 4"),
    ("a: {local: {}, runtimes: [torch, torch]}", "a.runtimes[1]: 'torch' is listed twice"),
    ("a: {locl: {}, local: {}}", "a.locl: unknown key, did you mean 'local'? "
     "(known: local, ssh, adb, python, workdir, cores, runtimes, labels, cooldown, battery_at_least)"),
    ("a: local", "a: wanted a mapping (`key: value`), found 'local'"),
    ("A b: {local: {}}", f"'A b': {NAME_RULE}, found 'A b'"),
])
def test_one_wrong_device_is_one_line(device: str, message: str) -> None:
    assert devices_error(f"{DEVICES}  {device}\n") == f"d.yaml:3: devices.{message}"


@pytest.mark.parametrize(("text", "message"), [
    ("- a", "1: wanted a mapping (`key: value`), found a list"),
    ("3", "1: wanted a mapping (`key: value`), found the number 3"),
    ("", "1: the file is empty"),
    ("a: [", "1: the file ends before what is opened here or above is closed"),
    ("version: 2\ndevices: {a: {local: {}}}", "1: version: wanted 1, found the number 2"),
    ("version: true\ndevices: {a: {local: {}}}",
     "1: version: wanted 1, the version of the file's format, found true, a truth value"),
    ("version: '1'\ndevices: {a: {local: {}}}",
     "1: version: wanted 1, the version of the file's format, found '1'"),
    ("version: 1\ndevices: {}", "2: devices: wanted at least 1 entry, found none"),
    ("devices: {a: {local: {}}}", "1: the key 'version' is missing"),
])
def test_a_file_that_is_wrong_as_a_whole_says_so(text: str, message: str) -> None:
    assert devices_error(text) == f"d.yaml:{message}"


def test_all_problems_of_a_file_are_listed_by_line() -> None:
    text = ("version: 1\ndevices:\n  a: {}\n  b: {local: {}, pyhton: x}\n  c: {adb: {serial: 5}}\n"
            "  a: {local: {}}\ndefaults: {cooldown: {below_c: 38, within: 300}}\n")
    lines = devices_error(text).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["d.yaml:3", "d.yaml:4", "d.yaml:5", "d.yaml:6", "d.yaml:7"]


def test_of_very_many_problems_fifty_are_listed_quickly() -> None:
    text = DEVICES + "  a: {local: {}}\n" + "".join(f"k{number}: 1\n" for number in range(15_000))
    lines = devices_error(text).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "d.yaml:54: more problems follow, 50 are listed"


def test_a_missing_file_names_the_nearest_ones(tmp_path: Path) -> None:
    for name in ("vision.yaml", "audio.yaml"):
        (tmp_path / name).write_text(SUITE)
    with pytest.raises(ConfigError) as caught:
        load_suite(tmp_path / "visoin.yaml")
    assert caught.value.message == (
        f"{tmp_path}/visoin.yaml: no such file, did you mean 'vision.yaml'? (known: audio.yaml, vision.yaml)")


def test_a_missing_folder_is_named_instead_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    with pytest.raises(ConfigError) as caught:
        load_suite(tmp_path / "suits/vision.yaml")
    assert caught.value.message == (
        f"{tmp_path}/suits/vision.yaml: no such folder as 'suits', did you mean 'suites'? (known: suites)")


def test_a_folder_a_pipe_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b"#" * 100 + b"\n" * (1 << 20))
    messages = {".": ": wanted a file, found a folder", "pipe": ": wanted a file, found a device or a pipe",
                "huge": ":1: wanted a file of at most 1 MiB, found a larger one"}
    for name, message in messages.items():
        with pytest.raises(ConfigError) as caught:
            load_devices(tmp_path / name)
        assert caught.value.message == f"{tmp_path / name}{message}"


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_bytes(b"version: 1\ndevices: \xff\xfe\n")
    with pytest.raises(ConfigError) as caught:
        load_devices(tmp_path / "d.yaml")
    assert caught.value.message == f"{tmp_path}/d.yaml:2: wanted text in UTF-8, found the byte 0xff"
