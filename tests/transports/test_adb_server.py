"""The adb server: found where the environment says, started when none runs, and never trusted blindly."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.deadline import Deadline
from bench.errors import BenchError, ConfigError, DeadlineExceeded, InfrastructureError, MissingExtra
from bench.testing.adb_server import AdbServer, running_adb_server
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import running_phone
from bench.transports import adb_server
from bench.transports.adb_link import Link
from bench.transports.adb_phones import listed
from bench.transports.adb_process import AdbProcess
from bench.transports.adb_server import Server, adb_program, bundled_adb, configured_server, running_server
from bench.transports.quoting import command_line
from tests.fakes.adb_server import raw_server
from tests.fakes.handset import reach

DEBIAN_ADB = Path("/usr/bin/adb")
VARIABLES = ("ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_ADDRESS", "ANDROID_ADB_SERVER_PORT", "ADBUTILS_ADB_PATH")


@pytest.fixture
def no_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port where no adb server listens yet; one that comes up there is ended."""
    if bundled_adb() is None:
        pytest.skip("needs adbutils")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {"ANDROID_ADB_SERVER_PORT": str(port), "ADBUTILS_ADB_PATH": str(bundled_adb()), "ADB_USB": "0",
                        "ADB_MDNS": "0", "ANDROID_ADB_LOG_PATH": str(home / "adb.log"), "TMPDIR": str(home)}.items():
        monkeypatch.setenv(name, value)
    yield port
    subprocess.run([str(bundled_adb()), "-P", str(port), "kill-server"], stderr=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize(("variables", "host", "port"), [
    ({}, "localhost", 5037),
    ({"ANDROID_ADB_SERVER_PORT": "6000"}, "localhost", 6000),
    ({"ANDROID_ADB_SERVER_ADDRESS": "farm", "ANDROID_ADB_SERVER_PORT": "6000"}, "farm", 6000),
    ({"ADB_SERVER_SOCKET": "tcp:farm:6001", "ANDROID_ADB_SERVER_PORT": "6000"}, "farm", 6001),
    ({"ADB_SERVER_SOCKET": "tcp:6001"}, "localhost", 6001),
    ({"ADB_SERVER_SOCKET": "tcp:[fe80::1]:6001"}, "fe80::1", 6001),
])
def test_the_environment_names_the_server(variables: dict[str, str], host: str, port: int,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert configured_server() == Server(host, port)


@pytest.mark.parametrize(("name", "value"), [
    ("ADB_SERVER_SOCKET", "localfilesystem:/tmp/adb"), ("ADB_SERVER_SOCKET", "tcp:"),
    ("ADB_SERVER_SOCKET", "tcp:farm:x"),
    ("ANDROID_ADB_SERVER_PORT", "0"), ("ANDROID_ADB_SERVER_PORT", "adb"), ("ANDROID_ADB_SERVER_PORT", "65536")])
def test_what_names_no_server_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in VARIABLES:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as caught:
        configured_server()
    assert "5037" in caught.value.hint


def test_a_server_is_started_where_none_runs(no_server: int, tmp_path: Path) -> None:
    server = running_server(Deadline(30))
    assert server == Server("localhost", no_server)
    assert listed(server, Deadline(10)) == []
    with running_phone(HostRoot(tmp_path)) as phone:
        assert reach(phone).run(["echo", "here"], Deadline(10)).stdout == b"here\n"


def test_a_server_that_does_not_start_says_why(no_server: int, tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "adb"
    program.write_text("#!/bin/sh\necho 'cannot mmap the moon' >&2\nsleep 5 &\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("ADBUTILS_ADB_PATH", str(program))
    before = time.monotonic()
    with pytest.raises(InfrastructureError, match="could not be started: cannot mmap the moon") as caught:
        running_server(Deadline(10))
    assert time.monotonic() - before < 3, "who inherits its output is not waited for"
    assert f"{program} -P {no_server} start-server" in caught.value.hint


def test_a_server_that_takes_too_long_to_start_meets_the_deadline(no_server: int, tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "adb"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setenv("ADBUTILS_ADB_PATH", str(program))
    with pytest.raises(DeadlineExceeded, match=r"did not start within 0\.5 s"):
        running_server(Deadline(0.5))


def test_another_machines_server_is_never_started(no_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADB_SERVER_SOCKET", f"tcp:127.0.0.2:{no_server}")
    monkeypatch.setattr(adb_server, "adb_program", lambda: pytest.fail("a program was looked for"))
    with pytest.raises(InfrastructureError, match=f"127.0.0.2:{no_server}: nothing listens there"):
        running_server(Deadline(10))


def test_a_host_of_no_such_name_is_told(no_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADB_SERVER_SOCKET", "tcp:no-such-host.invalid:5037")
    with pytest.raises(InfrastructureError, match=r"no host named 'no-such-host\.invalid'") as caught:
        running_server(Deadline(10))
    assert "ADB_SERVER_SOCKET" in caught.value.hint


def test_the_program_is_the_named_one_else_that_on_path_else_the_bundled_one(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = tmp_path / "bin" / "adb"
    on_path.parent.mkdir()
    on_path.write_text("#!/bin/sh\n")
    on_path.chmod(0o755)
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/bin/true")
    assert adb_program() == "/bin/true"
    monkeypatch.setenv("ADBUTILS_ADB_PATH", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="ADBUTILS_ADB_PATH"):
        adb_program()
    monkeypatch.delenv("ADBUTILS_ADB_PATH")
    assert adb_program() == str(on_path)
    on_path.unlink()
    if bundled_adb() is not None:
        assert adb_program() == str(bundled_adb())
    monkeypatch.setattr(adb_server, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="reaching phones without an adb on PATH needs the package 'adbutils'"):
        adb_program()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"OKAYzzzz", b"OK", b"",
                                    b"FAIL0006broken", b"FAILgarbage", b"OKAYffffshort"])
def test_what_is_no_adb_server_is_found_out(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(answer) as server:
        monkeypatch.setenv("ADB_SERVER_SOCKET", f"tcp:127.0.0.1:{server.port}")
        with pytest.raises(InfrastructureError, match=f"adb server at 127.0.0.1:{server.port}"):
            listed(running_server(Deadline(5)), Deadline(5))


def test_a_server_that_says_nothing_meets_the_deadline() -> None:
    with raw_server(b"OKAY00", silent=True) as server:
        before = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"0\.3 s"):
            listed(server, Deadline(0.3))
        assert time.monotonic() - before < 1


@pytest.mark.parametrize("packets", [b"\x09\x01\x00\x00\x00x", b"\x03\x00\x00\x00\x00", b"GET / HTTP/1.1",
                                     b"\x01\xff\xff\xff\xffhalf", b"\x01\x02\x00"])
def test_shell_packets_that_make_no_sense_are_no_success(packets: bytes) -> None:
    with raw_server(b"OKAYOKAY" + packets) as server:
        link = Link(server, "serial", "phone")
        with pytest.raises(InfrastructureError, match="the adb link dropped"):
            process = AdbProcess(link, command_line(["true"]), Deadline(5))
            while process.receive(Deadline(5)):
                pass
        process.close()


def test_a_line_that_adb_cannot_carry_is_refused(use_adb: AdbServer, tmp_path: Path) -> None:
    with running_phone(HostRoot(tmp_path)) as phone:
        far = reach(phone)
        assert far.run(["printf", "%s", "x" * 60_000], Deadline(10)).stdout == b"x" * 60_000
        with pytest.raises(ValueError, match="push a file instead"):
            far.run(["echo", "x" * 66_000], Deadline(10))
        use_adb.run("disconnect", phone.serial)


@pytest.mark.skipif(not DEBIAN_ADB.exists(), reason="needs the adb of the distribution")
def test_an_adb_of_2019_serves_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").write_bytes(os.urandom(9 << 20))
    with running_adb_server(tmp_path / "adb", DEBIAN_ADB) as server, \
            running_phone(HostRoot(tmp_path / "phone"), secure=True) as phone:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        far = reach(phone)
        target = str(tmp_path / "phone" / "new" / "target")
        assert far.push(tmp_path / "source", target, Deadline(20)) == 9 << 20
        assert far.push(tmp_path / "source", target, Deadline(20)) == 0
        far.pull(target, tmp_path / "back", Deadline(20))
        assert (tmp_path / "back").read_bytes() == (tmp_path / "source").read_bytes()
        done = far.run(["sh", "-c", "echo out; echo err >&2; kill -9 $$"], Deadline(20))
        assert (done.returncode, done.stdout, done.stderr) == (137, b"out\n", b"err\n")
        process = far.start(["cat"], Deadline(20))
        process.send(b"hello")
        assert process.receive(Deadline(20)) == b"hello"
        phone.drop()
        with pytest.raises(BenchError, match="link dropped"):
            process.receive(Deadline(20))
        process.close()
        assert reach(phone).run(["echo", "back"], Deadline(20)).stdout == b"back\n"


def test_nothing_of_adb_is_imported_before_it_is_needed() -> None:
    script = "import sys, bench.transports.connect, bench.transports.adb; print('adbutils' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
