"""One run over this machine, an emulated phone and an emulated board: the real bundle, agent and runtimes as arm64
programs, and what they compute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.bundles import library
from bench.bundles.layers import Bundle
from bench.datasets.labelled import load_dataset
from bench.results import CellResult
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.android.root import android_root
from bench.testing.board.board import Board, running_board
from bench.testing.phone import Phone, running_phone
from bench.transports.adb_server import bundled_adb
from bench.words import RUNTIMES
from tests.fakes.android import shared_programs
from tests.fakes.board import shared_image
from tests.fakes.bundles import real_bundle
from tests.fakes.runs import Place

pytestmark = [pytest.mark.slow, pytest.mark.longest, pytest.mark.timeout(900)]

IMAGES = 40
PRECISIONS = ("fp32", "int8-dynamic", "int8")
SOURCE = 'source: {torch: "bench.zoo.mobilenet:fashion"}, inputs: {image: {shape: [1, 1, 28, 28], dtype: float32}}'
EXCLUDE = """
  - {model: fashion, runtime: torch, because: "its import takes half a minute under emulation"}
  - {model: fashion, runtime: executorch, because: "its import takes half a minute under emulation"}
  - {model: plain, runtime: onnxruntime, because: "measured with accuracy"}
  - {model: plain, runtime: tflite, because: "measured with accuracy"}
  - {model: plain, device: board, because: "one emulator is enough"}
  - {model: plain, precision: int8-dynamic, because: "enough"}
  - {model: plain, precision: int8, because: "enough"}"""
SAME = 0.05
"""Share of images that another arithmetic may classify otherwise: int8 kernels of x86 and arm64 round differently."""


@pytest.fixture(scope="module")
def adb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    if bundled_adb() is None:
        pytest.skip("needs adbutils, which brings an adb")
    with running_adb_server(tmp_path_factory.mktemp("adb")) as server:
        yield server


@pytest.fixture(scope="module")
def phone(adb: AdbServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    programs = shared_programs()
    with android_root(tmp_path_factory.mktemp("phone"), using=programs) as root, running_phone(root) as running:
        adb.connect(running)
        yield running


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with running_board(shared_image(), tmp_path_factory.mktemp("board")) as running:
        yield running


@pytest.fixture(scope="module")
def measured(adb: AdbServer, phone: Phone, board: Board, cache_root: Path,
             tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The whole run, done, with the bundle that all tests share."""
    place = Place(tmp_path_factory.mktemp("run"), cache_root)
    library.remember(place.cache.bundles, _own_copy(real_bundle(*RUNTIMES), place.cache.bundles))
    chosen = load_dataset("fashion-mnist-1k", place.folder)
    np.save(place.folder / "x.npy", chosen.inputs[:IMAGES])
    np.save(place.folder / "y.npy", chosen.labels[:IMAGES])
    np.save(place.folder / "cal.npy", chosen.calibration)
    dataset = "dataset: {inputs: x.npy, labels: y.npy, calibration: cal.npy}"
    place.suite(f"fashion: {{{SOURCE}, {dataset}}}, plain: {{{SOURCE}}}", precisions=f"[{', '.join(PRECISIONS)}]",
                runtimes=f"[{', '.join(RUNTIMES)}]", exclude=EXCLUDE,
                measure="{trials: 1, min_samples: 3, min_time: 0s, warmup: {min_runs: 1, min_time: 0s, max_time: 0s}}")
    place.devices(
        f"this-machine: {{local: {{}}, workdir: {place.workdir}}}",
        f"phone: {{adb: {{serial: '{phone.serial}'}}, cores: big}}",
        f"board: {{ssh: {{host: 127.0.0.1, port: {board.port}, user: {board.user}, key: {board.key}, "
        f"known_hosts: {board.known_hosts}}}, python: bundle}}")
    with pytest.MonkeyPatch.context() as patch:
        use(adb, patch)
        place.run()
    return place


def _own_copy(bundle: Bundle, folder: Path) -> Bundle:
    """The bundle in a library of its own: other tests make another one the newest of the shared library."""
    (folder / "layers").mkdir(parents=True)
    for layer in bundle.layers:
        for file in layer.archive.parent.glob(f"{layer.folder}.*"):
            (folder / "layers" / file.name).hardlink_to(file)
    return bundle


def use(adb: AdbServer, patch: pytest.MonkeyPatch) -> None:
    """Let runs of this process find that server."""
    for name, value in adb.environment.items():
        patch.setenv(name, value)


def cells(place: Place, device: str) -> dict[tuple[str, str, str], CellResult]:
    """The measured cells of a device, by model, runtime and precision."""
    return {(cell.model, cell.runtime, cell.precision): cell for cell in place.result().cells
            if cell.device == device and cell.status != "skipped"}


def test_every_cell_of_every_device_is_measured(measured: Place) -> None:
    assert measured.stored().run.state == "finished"
    assert {device: len(cells(measured, device)) for device in ("this-machine", "phone", "board")} == {
        "this-machine": 8, "phone": 8, "board": 6}
    assert [(cell.cell, cell.status, cell.reason) for cell in measured.result().cells
            if cell.status not in ("ok", "skipped")] == []


def test_what_is_emulated_says_so_and_is_not_set_against_fp32(measured: Place) -> None:
    emulated = {cell.device: cell.emulated for cell in measured.result().cells if cell.status == "ok"}
    assert emulated == {"this-machine": False, "phone": True, "board": True}
    facts = {session.device: session.facts for session in measured.stored().sessions}
    assert (facts["phone"]["os"], facts["phone"]["arch"]) == ("Android 14 (API 34)", "aarch64")
    assert facts["phone"]["android"]["model"] == "Pixel 8 Pro"
    assert facts["board"]["arch"] == "aarch64"


@pytest.mark.parametrize("device", ["phone", "board"])
def test_an_emulated_device_computes_what_this_machine_does(measured: Place, device: str) -> None:
    here = cells(measured, "this-machine")
    for key, there in cells(measured, device).items():
        assert there.outputs is not None and there.outputs.state == "ok", key
        if key[2] == "fp32":
            assert there.outputs.max_abs is not None and there.outputs.max_abs < 1e-3, key
        if there.accuracy is not None:
            mine = here[key].accuracy
            assert mine is not None and there.accuracy.count == IMAGES
            assert abs(there.accuracy.value - mine.value) <= (0 if key[2] == "fp32" else SAME), key


def test_trials_on_the_phone_ran_on_its_big_core(measured: Place) -> None:
    stored = measured.stored()
    used = {tuple(trial.settings["cores_used"]) for trial in stored.trials if trial.cell.endswith("@phone")}
    assert used == {(1,)}


def test_the_layers_of_its_cells_are_pushed_to_a_device_and_only_once(
        measured: Place, adb: AdbServer, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed = {session.device: session.pushed_bytes for session in measured.stored().sessions}
    assert pushed["phone"] > 110 << 20 > pushed["board"] > 35 << 20
    use(adb, monkeypatch)
    again = Place(measured.folder / "again", measured.cache_root)
    again.folder.mkdir()
    again.suite(f"plain: {{{SOURCE}}}", runtimes="[onnxruntime]")
    again.devices(f"phone: {{adb: {{serial: '{phone.serial}'}}}}")
    (session,) = again.run().sessions
    assert session.pushed_bytes < 1000, "nothing but the launcher for another set of layers"
