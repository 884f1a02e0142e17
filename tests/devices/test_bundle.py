"""Putting a bundle on a device: real transports, real processes, and devices that refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.bundles.elsewhere import adopt
from bench.bundles.layers import Bundle
from bench.deadline import Deadline
from bench.devices.bundle import deploy
from bench.devices.bundle_scripts import PROBE, UNPACK
from bench.errors import DeviceError
from bench.transports.base import Completed
from bench.transports.local import LocalTransport
from tests.fakes.bundles import made_elsewhere


class Counting(LocalTransport):
    """This machine, which counts what it is asked, and answers a command of `tools` as a device would."""

    def __init__(self, tools: Path | None = None) -> None:
        self.asked = 0
        self.path = f"{tools}:{os.environ['PATH']}" if tools else os.environ["PATH"]

    def push(self, local: Path, remote: str, deadline: Deadline) -> int:
        self.asked += 1
        return super().push(local, remote, deadline)

    def run(self, argv: Sequence[str], deadline: Deadline) -> Completed:
        self.asked += 1
        return super().run(["env", f"PATH={self.path}", *argv], deadline)


@pytest.fixture
def work(tmp_path: Path) -> str:
    return str(tmp_path / "it's a \"work\" folder")


def _bundle(folder: Path, start: str | None = None) -> Bundle:
    made = made_elsewhere(folder / "made", start) if start else made_elsewhere(folder / "made")
    return adopt(folder / "library", made)


def _tools(folder: Path, **answers: str) -> Path:
    """A folder of commands, each a shell line."""
    folder.mkdir(exist_ok=True)
    for name, line in answers.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_python_starts_and_a_second_time_nothing_is_sent(tmp_path: Path, work: str) -> None:
    bundle, far, told = _bundle(tmp_path), Counting(), list[str]()
    first = deploy(far, work, bundle, told.append)
    assert first.pushed == ("elsewhere",) and first.pushed_bytes > bundle.layers[0].archive_bytes
    assert len(told) == 2 and far.asked == 5
    said = subprocess.run([first.python, "-c", "import os; print(os.environ['BENCH_PYTHON'], os.getpid())"], cwd="/",
                          capture_output=True, text=True, check=True).stdout
    assert said.split(" ")[:-1] == first.python.split(" ")
    far.asked = 0
    second = deploy(far, work, bundle, told.append)
    assert (second.python, second.pushed_bytes, second.pushed, far.asked) == (first.python, 0, (), 1)
    assert len(told) == 2
    assert sorted(path.name for path in Path(work, "bundle").iterdir()) == sorted(
        [bundle.layers[0].folder, Path(first.python).name, "home"])


def test_it_replaces_the_shell_that_starts_it(tmp_path: Path, work: str) -> None:
    python = deploy(LocalTransport(), work, _bundle(tmp_path)).python
    process = subprocess.Popen([python, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, text=True)
    assert int(process.communicate(timeout=30)[0]) == process.pid


def test_a_folder_below_home_is_found_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = deploy(LocalTransport(), "~/.cache/bench", _bundle(tmp_path)).python
    assert Path(found).parent == tmp_path / "home/.cache/bench/bundle"


def test_what_an_interrupted_deployment_left_is_no_hindrance(tmp_path: Path, work: str) -> None:
    bundle = _bundle(tmp_path)
    folder = Path(work, "bundle")
    (folder / f"{bundle.layers[0].folder}.bench-0123.part").mkdir(parents=True)
    (folder / f"{bundle.layers[0].folder}.tar.gz").write_bytes(b"half")
    os.utime(folder / f"{bundle.layers[0].folder}.bench-0123.part", (1, 1))
    deploy(LocalTransport(), work, bundle)
    assert not list(folder.glob("*.part")) and not list(folder.glob("*.tar.gz"))


class Raced(LocalTransport):
    """This machine, on which another deploys the same bundle just before a script of this one's."""

    def __init__(self, script: str, other: Callable[[], object]) -> None:
        self.script = script
        self.other = other

    def run(self, argv: Sequence[str], deadline: Deadline) -> Completed:
        if argv[2] == self.script:
            self.other()
        return super().run(argv, deadline)


@pytest.mark.parametrize("script", [UNPACK, PROBE], ids=["unpack", "probe"])
def test_two_that_deploy_at_once_do_not_take_each_others_files(tmp_path: Path, work: str, script: str) -> None:
    bundle = _bundle(tmp_path)
    python = deploy(Raced(script, lambda: deploy(LocalTransport(), work, bundle)), work, bundle).python
    assert sorted(path.name for path in Path(work, "bundle").iterdir()) == sorted(
        [bundle.layers[0].folder, Path(python).name, "home"])
    assert not list(Path(work, "bundle", bundle.layers[0].folder).glob("*.part"))


def test_a_layer_that_comes_while_it_is_given_its_name_is_not_mixed_with_it(tmp_path: Path, work: str) -> None:
    bundle = _bundle(tmp_path)
    layer = bundle.layers[0].folder
    far = Counting(_tools(tmp_path / "bin", mv=f'[ "$2" != {layer} ] || cp -r "$1" {layer}; exec /bin/mv "$@"'))
    deploy(far, work, bundle)
    assert list(Path(work, "bundle", layer).glob("*.part")) == []


def test_too_little_space_is_told_before_anything_is_pushed(tmp_path: Path, work: str) -> None:
    df = "echo Filesystem; echo '/dev/x 1000 900 100 90% /data'"
    with pytest.raises(DeviceError, match=r"bundle not runnable: .* has 0.0977 MiB free, and needs 0.102 MiB for the "
                                          r"unpacked layers and 0.09\d+ MiB"):
        deploy(Counting(_tools(tmp_path / "bin", df=df)), work, _bundle(tmp_path))
    assert not list(Path(work, "bundle").iterdir())


def test_a_layer_that_does_not_unpack_whole_is_not_kept(tmp_path: Path, work: str) -> None:
    bundle = _bundle(tmp_path)
    with pytest.raises(DeviceError, match="layer elsewhere could not be unpacked: tar: boom"):
        deploy(Counting(_tools(tmp_path / "bin", tar="echo 'tar: boom' >&2; exit 1")), work, bundle)
    assert list(Path(work, "bundle").iterdir()) == []
    more = Bundle("any", (replace(bundle.layers[0], files=7),))
    with pytest.raises(DeviceError, match="2 files came of it, not 7"):
        deploy(LocalTransport(), work, more)
    assert list(Path(work, "bundle").iterdir()) == []


@pytest.mark.parametrize(("machine", "abis", "why"), [
    ("armv7l", None, "it is 32-bit only, and the bundle is for aarch64"),
    ("armv8l", "armeabi-v7a,armeabi", r"it is 32-bit only, .* \(its ABIs are armeabi-v7a,armeabi\)"),
    ("x86_64", None, "it is x86_64, and"),
    ("x86_64", "x86_64,x86", "its ABIs are x86_64,x86, and"),
])
def test_another_processor_is_told_without_a_push(tmp_path: Path, work: str, machine: str, abis: str | None,
                                                  why: str) -> None:
    tools = _tools(tmp_path / "bin", uname=f"echo {machine}", **({"getprop": f"echo {abis}"} if abis else {}))
    far = Counting(tools)
    with pytest.raises(DeviceError, match=f"bundle not runnable: {why}"):
        deploy(far, work, replace(_bundle(tmp_path), architecture="aarch64"))
    assert far.asked == 1


def test_a_64_bit_phone_with_a_32_bit_kernel_name_is_taken(tmp_path: Path, work: str) -> None:
    tools = _tools(tmp_path / "bin", uname="echo armv8l", getprop="echo arm64-v8a,armeabi-v7a")
    assert deploy(Counting(tools), work, replace(_bundle(tmp_path), architecture="aarch64")).pushed


@pytest.mark.parametrize(("start", "why", "hint"), [
    ("kill -SYS $$", "its kernel forbids a system call that the bundle makes", ""),
    ("kill -ILL $$", "its processor lacks an instruction", ""),
    ("kill -HUP $$", "signal 1 ended it", ""),
    ("echo 'py[2]: ld.so: not executable: 64-bit ELF file' >&2; exit 126", "does not run 64-bit arm programs", ""),
    ("exec /etc/passwd", "nothing may be executed in its work folder: .*Permission denied", "workdir"),
    ("echo 'FATAL: kernel too old' >&2; exit 127", "its kernel is older", ""),
    ("echo 'error while loading shared libraries: libz.so.1' >&2; exit 127", r"libz.so.1 \(exit code 127\)", "remove"),
])
def test_why_it_does_not_start_is_told_in_the_devices_own_words(tmp_path: Path, work: str, start: str, why: str,
                                                                hint: str) -> None:
    with pytest.raises(DeviceError, match=f"bundle not runnable: .*{why}") as caught:
        deploy(LocalTransport(), work, _bundle(tmp_path, start))
    assert hint in caught.value.hint
    assert not list(Path(work, "bundle").glob("py-*")), "and it is tried again the next time"


def test_a_work_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceError, match="cannot make the folder"):
        deploy(LocalTransport(), str(tmp_path / "file" / "bench"), _bundle(tmp_path))


def test_numpy_that_does_not_import_is_told(tmp_path: Path, work: str) -> None:
    broken = tmp_path / "site" / "numpy"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libopenblas: cannot open')\n")
    start = f'PYTHONPATH={tmp_path}/site exec {sys.executable} "$@"'
    with pytest.raises(DeviceError, match="ImportError: libopenblas: cannot open"):
        deploy(LocalTransport(), work, _bundle(tmp_path, start))
