"""init, provision, gc -d: the verbs around devices, as a user types them."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.config.load import load_devices
from bench.devices.wheels import pins
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from bench.transports.adb_server import bundled_adb
from tests.fakes.runs import Place
from tests.fakes.sshd import Sshd
from tests.fakes.wheels import make_wheel, only_index


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own, and no adb at all unless the test brings one."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nonexistent/adb")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    return folder


@pytest.fixture
def phone(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    if bundled_adb() is None and shutil.which("adb") is None:
        pytest.skip("needs adb (pip install 'bench[adb]')")
    server: AdbServer
    with running_adb_server(tmp_path / "adb") as server, running_phone(HostRoot(tmp_path / "phone")) as phone:
        server.connect(phone)
        for name in ("ANDROID_ADB_SERVER_PORT", "ADBUTILS_ADB_PATH"):
            monkeypatch.setenv(name, server.environment[name])
        yield phone


@pytest.fixture
def board(place: Place, sshd: Sshd) -> str:
    """A board of devices.yaml whose Python has no package."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place.folder / "bare")], check=True)
    way = f"host: 127.0.0.1, port: {sshd.port}, user: {sshd.user}, key: {sshd.key}, known_hosts: {sshd.known_hosts}"
    place.devices(f"board: {{ssh: {{{way}}}, python: {place.folder}/bare/bin/python, workdir: {place.folder}/board}}")
    return "board"


def test_init_writes_what_it_finds_and_leaves_a_file_that_is_there(place: Place, phone: Phone, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host orin\n  User bench\n")
    file = place.folder / "devices.yaml"
    file.unlink()
    done = place.bench("init")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "devices.yaml written: this-machine, bench-phone, orin\n"
    config = load_devices(file)
    assert list(config.devices) == ["this-machine", "bench-phone", "orin"]
    assert config.devices["bench-phone"].adb is not None
    assert config.devices["bench-phone"].adb.serial == phone.serial
    text = file.read_text()
    assert "delete those that are no devices" in text
    again = place.bench("init")
    assert (again.returncode, again.stdout) == (0, "devices.yaml has all that was found: 3 devices\n")
    assert file.read_text() == text


def test_init_prints_what_a_file_lacks_so_that_it_can_be_pasted(place: Place, phone: Phone) -> None:
    file = place.folder / "devices.yaml"
    file.write_text("version: 1\ndevices:\n  bench-phone: {local: {}}\n")
    done = place.bench("init")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("# devices.yaml is left as it is. What it lacks, to be pasted below its `devices:`\n\n"
                           f'  # Bench Phone\n  bench-phone-2: {{adb: {{serial: "{phone.serial}"}}}}\n')
    file.write_text(file.read_text() + done.stdout)
    assert list(load_devices(file).devices) == ["bench-phone", "bench-phone-2"]


def test_init_says_when_phones_were_not_looked_for(place: Place) -> None:
    done = place.bench("init", "--devices", "farm/new.yaml")
    assert done.returncode == 0
    assert done.stderr.startswith("phones were not looked for: ADBUTILS_ADB_PATH is '/nonexistent/adb'")
    assert list(load_devices(place.folder / "farm" / "new.yaml").devices) == ["this-machine"]


def test_init_as_json_lists_what_was_found(place: Place, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host orin\n")
    told = json.loads(place.bench("init", "--json").stdout)
    assert (told["file"], told["written"]) == ("devices.yaml", False)
    assert [(one["name"], one["transport"], one["address"]) for one in told["found"]] == [
        ("this-machine", "local", ""), ("orin", "ssh", "orin")]
    assert [one["name"] for one in told["missing"]] == ["orin"]
    assert len(told["notes"]) == 1


def test_init_refuses_to_read_past_a_broken_file(place: Place) -> None:
    (place.folder / "devices.yaml").write_text("version: 1\ndevices: {a: {}}\n")
    done = place.bench("init")
    assert done.returncode == 2 and "devices.yaml:2: devices.a: " in done.stderr


def test_devices_tell_of_phones_that_nobody_wrote_down(place: Place, phone: Phone) -> None:
    done = place.bench("devices")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"\n\n{phone.serial} (Bench Phone) is attached and not in devices.yaml: "
                                "bench init shows the lines to add\n")
    states = json.loads(place.bench("devices", "--json").stdout)
    assert [state["state"] for state in states] == ["ready", "unlisted"]
    assert phone.serial not in place.bench("devices", "-d", "this-machine").stdout


def test_provision_says_what_it_will_push_and_a_dry_run_pushes_nothing(
        place: Place, board: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("numpy", "onnxruntime"):
        make_wheel(place.folder / "index", name, pins()[name])
    only_index(monkeypatch, place.folder / "index")
    done = place.bench("provision", "-d", board, "--runtimes", "onnxruntime,torch", "--dry-run")
    assert done.returncode == 3, "torch was asked for, and there is none"
    lines = done.stdout.splitlines()
    assert lines[0].startswith("board: cpython 3.") and lines[0].endswith("; nothing is installed into it")
    assert lines[1].startswith("  left out: torch: ")
    assert lines[2].startswith(f"  to push into {place.folder}/board/wheels/cp3")
    assert [line.split()[:2] for line in lines[3:5]] == [["numpy", pins()["numpy"]],
                                                         ["onnxruntime", pins()["onnxruntime"]]]
    assert lines[5].split()[:2] == ["in", "all"]
    assert not (place.folder / "board" / "wheels").exists()


def test_provision_as_json_tells_what_was_pushed_and_imported(
        place: Place, board: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("numpy", "onnxruntime"):
        make_wheel(place.folder / "index", name, pins()[name])
    only_index(monkeypatch, place.folder / "index")
    done = place.bench("provision", "-d", board, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [wheel["name"] for wheel in told["wheels"]] == ["numpy", "onnxruntime"]
    assert told["pushed_bytes"] == sum(wheel["bytes"] for wheel in told["wheels"]) > 0
    assert told["imported"].keys() == {"numpy", "onnxruntime"} and told["failed"] == {}
    assert told["lacking"].keys() == {"tflite", "torch", "executorch"}
    assert "pushing numpy" in done.stderr


def test_provision_refuses_what_is_no_runtime_or_no_device(place: Place) -> None:
    done = place.bench("provision", "-d", "this-machine", "--runtimes", "onnxruntim")
    assert done.returncode == 2 and "did you mean 'onnxruntime'?" in done.stderr
    done = place.bench("provision", "-d", "this-machin")
    assert done.returncode == 2 and "did you mean 'this-machine'?" in done.stderr


def test_provision_of_a_phone_is_about_the_bundle(place: Place) -> None:
    place.devices('phone: {adb: {serial: "A1"}}')
    done = place.bench("provision", "-d", "phone", "--dry-run")
    assert done.returncode == 2 and "no bundle has been built" in done.stderr


def test_gc_of_a_device_removes_its_folder_and_says_how_much_that_freed(place: Place, board: str) -> None:
    assert place.bench("devices").returncode == 0
    looked = place.bench("gc", "-d", board, "--dry-run")
    assert (looked.returncode, looked.stderr) == (0, "")
    assert looked.stdout.startswith(f"board: {place.folder}/board: ")
    assert looked.stdout.endswith(" MiB would be freed\n")
    done = place.bench("gc", "-d", board)
    assert done.stdout.startswith(f"board: {place.folder}/board: removed, ")
    assert not (place.folder / "board").exists()
    assert place.bench("gc", "-d", board).stdout == f"board: nothing to remove: {place.folder}/board is not there\n"


def test_gc_goes_on_with_the_other_devices_when_one_is_in_use(place: Place) -> None:
    place.devices(*(f"{name}: {{local: {{}}, workdir: {place.folder}/{name}}}" for name in ("busy", "free")))
    assert place.bench("devices").returncode == 0
    with (place.folder / "busy" / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = place.bench("gc", "-d", "busy", "-d", "free")
    assert done.returncode == 3 and done.stderr.startswith("busy: the device is in use by ")
    assert (place.folder / "busy").exists() and not (place.folder / "free").exists()


def test_what_a_device_says_of_its_holder_is_shown_and_not_obeyed(place: Place) -> None:
    place.devices(f"busy: {{local: {{}}, workdir: {place.folder}/busy}}")
    assert place.bench("devices").returncode == 0
    with (place.folder / "busy" / "lock").open("r+") as lock:
        lock.write(json.dumps({"owner": "\x1b]0;evil\x07", "pid": 1, "since": 0}) + " " * 200)
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = place.bench("gc", "-d", "busy")
    assert done.returncode == 3 and "in use by \\x1b]0;evil\\x07" in done.stderr


def test_gc_takes_no_options_of_the_cache_for_a_device(place: Place) -> None:
    for words in (["-d", "this-machine", "--all"], ["-d", "this-machine", "--older-than", "3"], ["--dry-run"]):
        assert place.bench("gc", *words).returncode == 2


@pytest.mark.slow
def test_a_bare_board_is_provisioned_measured_and_tidied(place: Place, board: str) -> None:
    assert place.bench("run").returncode == 3
    (lacking,) = place.result().cells
    assert lacking.reason is not None and "onnxruntime is not installed for board's Python" in lacking.reason
    done = place.bench("provision", "-d", board, "--runtimes", "onnxruntime")
    assert done.returncode == 0, done.stderr
    assert f"  onnxruntime: onnxruntime {pins()['onnxruntime']}, imported there" in done.stdout
    result = place.json()
    assert [(cell["device"], cell["status"]) for cell in result["cells"]] == [("board", "ok")]
    assert place.bench("gc", "-d", board).returncode == 0
    assert not (place.folder / "board").exists()
