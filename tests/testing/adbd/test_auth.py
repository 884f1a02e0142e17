"""Who may connect to a phone that asks for a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.testing.adb_server import running_adb_server
from bench.testing.adbd import auth
from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import Phone, running_phone
from tests.testing.adbd.lab import lab
from tests.testing.adbd.raw_host import RawHost


def test_a_host_whose_key_is_not_accepted_is_unauthorized_until_it_is(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb, connect=False, secure=True, faults=Faults(accepts_keys=False)) as place:
        place.adb.connect(place.phone, state="unauthorized")
        assert b"unauthorized" in place.shell("echo in").stderr
        place.phone.allow()
        place.back()


def test_an_accepted_key_is_known_by_its_signature_the_next_time(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb, secure=True) as place:
        assert auth.PUBLIC_KEY in _kinds(place.phone)
        place.phone.faults.accepts_keys = False
        before = len(place.phone.messages)
        place.phone.drop()
        place.back()
        assert _kinds(place.phone, before) == [auth.SIGNATURE]


def test_another_servers_key_is_another_key(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb, secure=True) as place, running_adb_server(tmp_path / "other", adb) as other:
        place.phone.faults.accepts_keys = False
        other.connect(place.phone, state="unauthorized")
        place.back()


def test_a_forgotten_key_must_be_accepted_again(tmp_path: Path, adb: Path) -> None:
    with lab(tmp_path, adb, secure=True) as place:
        place.phone.forget_keys()
        place.phone.faults.accepts_keys = False
        place.phone.drop()
        place.adb.wait_for(place.phone.serial, ["unauthorized"])


def test_nothing_is_served_before_the_key_is_accepted(tmp_path: Path) -> None:
    with running_phone(HostRoot(tmp_path), secure=True) as phone:
        host = RawHost(phone.port)
        command, kind, _, token = host.connect()
        assert (command, kind, len(token)) == (b"AUTH", auth.TOKEN, auth.TOKEN_BYTES)
        host.send(b"OPEN", 1, 0, b"shell,v2:true\0")
        host.send(b"AUTH", auth.SIGNATURE, 0, bytes(256))
        command, kind, _, again = host.receive()
        assert (command, kind) == (b"AUTH", auth.TOKEN) and again != token
        host.close()


@pytest.mark.parametrize("offered", [b"", b"\0", b"no base64!", b"QUJD user@host", b"AAAA" * 175])
def test_what_is_no_key_is_not_accepted(offered: bytes) -> None:
    assert not auth.Keys().add(offered)


def _kinds(phone: Phone, since: int = 0) -> list[int]:
    """What the host answered to the tokens."""
    return [message.arg0 for message in phone.messages[since:]
            if (message.direction, message.command) == ("in", "AUTH")]
