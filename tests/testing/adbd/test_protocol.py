"""The protocol itself, without an adb: what is refused, held back, summed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.testing.adbd.root import HostRoot
from bench.testing.adbd.stream import UNREAD_LIMIT_BYTES
from bench.testing.adbd.wire import HEADER, MAX_PAYLOAD_BYTES, VERSION_WITH_CHECKSUMS
from bench.testing.phone import Phone, running_phone
from tests.testing.adbd.raw_host import RawHost, data, request

DONE = b"DONE" + bytes(4)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    with running_phone(HostRoot(tmp_path), profile={"ro.product.model": "Seven"}) as made:
        yield made


@pytest.fixture
def host(phone: Phone) -> Iterator[RawHost]:
    made = RawHost(phone.port)
    yield made
    made.close()


def test_the_banner_tells_the_profile_and_the_features(host: RawHost) -> None:
    command, version, largest, banner = host.connect()
    assert (command, version, largest) == (b"CNXN", 0x01000001, MAX_PAYLOAD_BYTES)
    assert banner.startswith(b"device::ro.product.name=bench_phone;ro.product.model=Seven;ro.product.device=bench;")
    assert b"features=shell_v2,cmd,stat_v2," in banner and b"brotli" not in banner


@pytest.mark.parametrize("bad", [bytes(24), HEADER.pack(b"OPEN", 1, 0, MAX_PAYLOAD_BYTES + 1, 0, b"\xb0\xaf\xba\xb1")])
def test_what_is_no_message_ends_the_connection(host: RawHost, bad: bytes) -> None:
    host.connect()
    host.send_bytes(bad)
    with pytest.raises(EOFError):
        host.receive()


def test_a_wrong_sum_ends_the_connection_where_sums_are_in_use(host: RawHost) -> None:
    host.connect(VERSION_WITH_CHECKSUMS)
    host.send(b"OPEN", 1, 0, b"shell,v2:true\0", checksum=False)
    with pytest.raises(EOFError):
        host.receive()


def test_no_sum_is_needed_otherwise(host: RawHost) -> None:
    host.connect()
    host.send(b"OPEN", 1, 0, b"shell,v2:true\0", checksum=False)
    assert host.receive()[0] == b"OKAY"


@pytest.mark.parametrize("service", ["tcp:80", "no such", "shell", "reverse:list-forward"])
def test_a_service_that_it_has_not_is_closed_at_once(host: RawHost, service: str) -> None:
    host.connect()
    host.send(b"OPEN", 7, 0, service.encode() + b"\0")
    assert host.receive() == (b"CLSE", 0, 7, b"")


def test_nothing_is_opened_before_the_introduction(host: RawHost) -> None:
    host.send(b"OPEN", 1, 0, b"shell,v2:true\0")
    assert host.silent()


def test_one_write_is_on_the_way_at_a_time(host: RawHost) -> None:
    host.connect()
    theirs = host.open("shell,v2,raw:head -c 3000000 /dev/zero")
    assert host.receive()[0] == b"WRTE"
    assert host.silent()
    host.send(b"OKAY", 1, theirs)
    assert host.receive()[0] == b"WRTE"


def test_what_nobody_reads_is_not_acknowledged_any_more(host: RawHost) -> None:
    host.connect()
    theirs = host.open("shell,v2,raw:dd bs=1 count=1 of=/dev/null 2>/dev/null; sleep 100")
    payload = b"\0" + struct.pack("<I", MAX_PAYLOAD_BYTES - 5) + bytes(MAX_PAYLOAD_BYTES - 5)
    acknowledged = 0
    for _ in range(4):
        host.send(b"WRTE", 1, theirs, payload)
        if host.silent():
            break
        assert host.receive()[0] == b"OKAY"
        acknowledged += 1
    assert 1 <= acknowledged <= 2 + UNREAD_LIMIT_BYTES // MAX_PAYLOAD_BYTES


def test_the_host_may_close_first(host: RawHost, phone: Phone) -> None:
    host.connect()
    theirs = host.open("shell,v2,raw:sleep 100")
    host.send(b"CLSE", 1, theirs)
    assert host.receive()[:3] == (b"CLSE", theirs, 1)


def test_a_failed_push_names_the_reason_and_reads_on_to_its_end(host: RawHost, tmp_path: Path) -> None:
    host.connect()
    (tmp_path / "file").write_text("in the way")
    answer = host.sync(request(b"SEND", f"{tmp_path}/file/below,33188", data(b"x" * 1000) + DONE))
    assert answer[8:] == b"couldn't create file: Not a directory"


@pytest.mark.parametrize(("asked", "said"), [
    (request(b"SEND", "/file"), b"missing , in ID_SEND_V1"),
    (request(b"STAT", "x" * 1025), b"path too long"),
    (request(b"WHAT", "x"), b"unknown command 'WHAT'"),
    (request(b"RECV", "/etc/passwd"), b"open failed: Permission denied"),
    (request(b"SND2", "/etc/passwd", b"SND2" + struct.pack("<II", 0o100644, 1)), b"unknown flags: 1"),
    (request(b"SEND", "/etc/passwd,33188", DONE), b"couldn't create file: Permission denied"),
])
def test_a_request_that_cannot_be_met_is_refused_in_adbds_words(host: RawHost, asked: bytes, said: bytes) -> None:
    host.connect()
    answer = host.sync(asked)
    assert (answer[:4], answer[8:]) == (b"FAIL", said)


def test_a_chunk_that_is_too_long_is_refused_and_the_target_goes(host: RawHost, tmp_path: Path) -> None:
    host.connect()
    (tmp_path / "file").write_text("old")
    answer = host.sync(request(b"SEND", f"{tmp_path}/file,33188", data(b"x") + data(bytes(65537)) + DONE))
    assert answer[8:] == b"oversize data message"
    assert not (tmp_path / "file").exists()


def test_several_requests_share_a_stream(host: RawHost, tmp_path: Path) -> None:
    host.connect()
    answer = host.sync(request(b"SEND", f"{tmp_path}/a,33188", data(b"aa") + DONE), request(b"STAT", f"{tmp_path}/a"),
                       request(b"STAT", f"{tmp_path}/b"), request(b"RECV", f"{tmp_path}/a"), request(b"QUIT"))
    assert answer == (b"OKAY" + bytes(4) + b"STAT" + struct.pack("<III", 0o100666, 2, 0) + b"STAT" + bytes(12)
                      + data(b"aa") + DONE)


def test_a_missing_file_has_an_error_number_in_the_long_form(host: RawHost, tmp_path: Path) -> None:
    host.connect()
    answer = host.sync(request(b"STA2", f"{tmp_path}/none"), request(b"QUIT"))
    assert (answer[:4], len(answer), struct.unpack_from("<I", answer, 4)[0]) == (b"STA2", 72, 2)


def test_the_log_tells_both_sides(host: RawHost, phone: Phone) -> None:
    host.connect()
    host.sync(request(b"QUIT"))
    told = [(message.direction, message.command, message.text) for message in phone.messages]
    assert told[0] == ("in", "CNXN", "host::features=shell_v2")
    assert ("in", "OPEN", "sync:") in told
    assert told[-1][:2] == ("out", "CLSE")
