from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.bundles.agent import build_agent
from bench.config.devices import AdbConfig, DeviceConfig, LocalConfig
from bench.devices.python import python_of
from bench.devices.tidy import Tidied, prune_bundles, tidy
from bench.errors import DeviceError
from bench.session import Busy, open_session
from bench.testing.phone import Phone
from bench.transports.local import LocalTransport
from tests.fakes.sshd import Sshd

Device = Callable[[Path], DeviceConfig]


@pytest.fixture(params=["local", "ssh", "adb"])
def device(request: pytest.FixtureRequest) -> Device:
    """A device of each kind, whose work folder is a folder of this machine."""
    if request.param == "local":
        return lambda folder: DeviceConfig(local=LocalConfig(), workdir=str(folder))
    if request.param == "ssh":
        sshd: Sshd = request.getfixturevalue("sshd")
        return lambda folder: sshd.device().model_copy(update={"workdir": str(folder)})
    phone: Phone = request.getfixturevalue("phone")
    return lambda folder: DeviceConfig(adb=AdbConfig(serial=phone.serial), workdir=str(folder))


def worked_in(folder: Path) -> Path:
    """A work folder as a real agent leaves it, with pushed files, wheels and a bundle."""
    config = DeviceConfig(local=LocalConfig(), workdir=str(folder))
    with open_session(LocalTransport(), build_agent(folder.parent / "archive"), python_of(config), str(folder)):
        pass
    for name in ("files/x.onnx", "wheels/cp311-x86_64/numpy-2-ab/numpy.py", "bundle/py-0123", "trials/t1/log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(100_000))
    return folder


def test_the_folder_goes_whole_and_what_it_took_is_told(device: Device, tmp_path: Path) -> None:
    folder = worked_in(tmp_path / "a work folder")
    looked = tidy("x", device(folder), dry_run=True)
    assert folder.is_dir() and looked.size_bytes is not None and 400_000 < looked.size_bytes < 1_000_000
    assert tidy("x", device(folder)) == looked == Tidied(str(folder), looked.size_bytes, ())
    assert not folder.exists()
    assert tidy("x", device(folder)) == Tidied(str(folder), None, ())


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "..odd", "agent-x y.pyz", "agent-*", "a\nb", "lock2"])
def test_a_folder_with_anything_else_in_it_is_left_alone(device: Device, tmp_path: Path, name: str) -> None:
    folder = worked_in(tmp_path / "work")
    (folder / name).write_text("precious")
    before = sorted(folder.rglob("*"))
    with pytest.raises(DeviceError, match="holds what bench did not put there") as caught:
        tidy("x", device(folder))
    assert name.partition("\n")[0] in caught.value.message and "\n" not in caught.value.message
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("name", [
    "bundle/py-0123456789abcdef", "bundle/python-0123456789abcdef.tar.gz.bench-0123.part", "wheels/cp311-aarch64/x"])
def test_what_was_pushed_without_an_agent_is_benchs_too(device: Device, tmp_path: Path, name: str) -> None:
    (tmp_path / "work" / name).parent.mkdir(parents=True)
    (tmp_path / "work" / name).write_text("")
    tidy("x", device(tmp_path / "work"))
    assert not (tmp_path / "work").exists()


def test_a_folder_that_only_looks_like_benchs_is_left_alone(device: Device, tmp_path: Path) -> None:
    (tmp_path / "mine" / "files").mkdir(parents=True)
    (tmp_path / "mine" / "files" / "thesis.tex").write_text("precious")
    with pytest.raises(DeviceError, match="nothing shows that bench made"):
        tidy("x", device(tmp_path / "mine"))
    assert (tmp_path / "mine" / "files" / "thesis.tex").exists()


def test_a_link_leads_to_no_removal_elsewhere(device: Device, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("precious")
    folder = worked_in(tmp_path / "work")
    (folder / "wheels" / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "agent-link.pyz").symlink_to(tmp_path / "elsewhere")
    tidy("x", device(folder))
    assert not folder.exists() and (tmp_path / "elsewhere" / "kept").exists()


def test_the_work_folder_may_be_a_link_to_another_disk(device: Device, tmp_path: Path) -> None:
    folder = worked_in(tmp_path / "disk")
    (tmp_path / "work").symlink_to(folder)
    tidy("x", device(tmp_path / "work"))
    assert list(folder.iterdir()) == [], "the link still leads to a folder that the next run can use"


def test_a_device_in_use_is_refused_with_who_uses_it(device: Device, tmp_path: Path) -> None:
    folder = worked_in(tmp_path / "work")
    holder = {"owner": "ann@desk (process 7)", "pid": os.getpid(), "since": time.time()}
    with (folder / "lock").open("w") as lock:
        lock.write(json.dumps(holder))
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Busy, match=r"in use by ann@desk \(process 7\) since 20"):
            tidy("x", device(folder))
    assert (folder / "files" / "x.onnx").exists()
    assert tidy("x", device(folder)).size_bytes


def test_without_flock_the_holders_process_tells_whether_the_device_is_in_use(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "cat", "du", "rm", "rmdir", "sed", "ls"):
        (tools / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(tools))
    folder = worked_in(tmp_path / "work")
    here = DeviceConfig(local=LocalConfig(), workdir=str(folder))
    (folder / "lock").write_text(json.dumps({"owner": "ann", "pid": os.getpid(), "since": 1.5}))
    with pytest.raises(Busy, match="in use by ann"):
        tidy("x", here)
    (folder / "lock").write_text(json.dumps({"owner": "ann", "pid": 2 ** 22 + 1, "since": 1.5}))
    tidy("x", here)
    assert not folder.exists()


def test_the_cache_of_a_machine_that_converts_is_never_touched(device: Device, tmp_path: Path) -> None:
    folder = worked_in(tmp_path / "bench")
    ours = ["entries", "inputs", "work", "bundles", "agent"]
    for name in ours:
        (folder / name).mkdir()
        (folder / name / "kept").write_text("precious")
    assert tidy("x", device(folder)).kept == tuple(sorted(ours))
    assert sorted(path.name for path in folder.iterdir()) == sorted(ours)
    assert all((folder / name / "kept").exists() for name in ours)
    assert tidy("x", device(folder)).size_bytes is None


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "rm").write_text("#!/bin/sh\nexit 1\n")
    (tools / "rm").chmod(0o755)
    folder = worked_in(tmp_path / "work")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    with pytest.raises(DeviceError, match=r"cannot remove .*files.* of .*work on the device"):
        tidy("x", DeviceConfig(local=LocalConfig(), workdir=str(folder)))


def layer(root: Path, name: str, age_days: float) -> None:
    (root / "layers").mkdir(parents=True, exist_ok=True)
    for suffix in ("tar.gz", "json"):
        path = root / "layers" / f"{name}.{suffix}"
        path.write_bytes(bytes(1000))
        os.utime(path, (time.time() - age_days * 86400,) * 2)


def test_old_layers_of_other_bundles_and_old_downloads_are_pruned(tmp_path: Path) -> None:
    layer(tmp_path, "python-aa", 40)
    layer(tmp_path, "numpy-bb", 10)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "new.deb").write_bytes(bytes(500))
    assert prune_bundles(tmp_path, 30, everything=False) == (1, 2000)
    assert sorted(path.name for path in (tmp_path / "layers").iterdir()) == ["numpy-bb.json", "numpy-bb.tar.gz"]
    assert prune_bundles(tmp_path, 30, everything=True) == (2, 2500)
    assert not tmp_path.exists()
    assert prune_bundles(tmp_path / "never", 30, everything=True) == (0, 0)
