"""Certificates of hosts are good for what their authority says, and for nothing else."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.transports.ssh_certificate import authority_of, certified_key, why_unfit
from tests.fakes.sshd import make_key

HOUR = 3600


def blob(public: Path) -> bytes:
    return base64.b64decode(public.read_text().split()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority `ca`, another one, and a host's key."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other", "host"):
        make_key(folder / name)
    return folder


def certified(folder: Path, *options: str, authority: str = "ca", host: str = "host") -> bytes:
    """The certificate that ssh-keygen makes of the host's key."""
    subprocess.run(["ssh-keygen", "-q", "-s", folder / authority, "-I", "id", *options, folder / f"{host}.pub"],
                   check=True, stderr=subprocess.DEVNULL)
    return blob(folder / f"{host}-cert.pub")


@pytest.mark.parametrize(("options", "why"), [
    (("-h",), ""),
    (("-h", "-n", "other,board"), ""),
    (("-h", "-n", "other"), "it is for 'other', not for 'board'"),
    (("-h", "-n", "b*"), "it is for 'b\\*', not"),
    (("-n", "board"), "a user, not a host"),
    (("-h", "-V", "-2h:-1h"), "expired"),
    (("-h", "-V", "+1h:+2h"), "not valid yet"),
    (("-h", "-O", "critical:strange=x"), "critical options"),
])
def test_a_certificate_is_good_for_what_it_says(folder: Path, options: tuple[str, ...], why: str) -> None:
    found = why_unfit(certified(folder, *options), "board", {blob(folder / "ca.pub")})
    assert (why.replace("\\", "") in found) if why else found == ""


def test_only_authorities_that_are_known_count(folder: Path) -> None:
    assert "authority" in why_unfit(certified(folder, "-h", authority="other"), "board", {blob(folder / "ca.pub")})


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_every_kind_of_key_certifies_and_is_certified(folder: Path, kind: str) -> None:
    for name in (f"ca_{kind}", f"host_{kind}"):
        if not (folder / name).exists():
            make_key(folder / name, kind)
    found = certified(folder, "-h", authority=f"ca_{kind}", host=f"host_{kind}")
    assert why_unfit(found, "board", {blob(folder / f"ca_{kind}.pub")}) == ""
    assert certified_key(found) == blob(folder / f"host_{kind}.pub")
    assert authority_of(found) == blob(folder / f"ca_{kind}.pub")


def test_a_signature_with_sha1_is_refused_as_ssh_refuses_it(folder: Path) -> None:
    if not (folder / "ca_rsa").exists():
        make_key(folder / "ca_rsa", "rsa")
    found = certified(folder, "-h", "-t", "ssh-rsa", authority="ca_rsa")
    assert "signature" in why_unfit(found, "board", {blob(folder / "ca_rsa.pub")})


@given(data=st.data())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_changed_certificate_is_good(folder: Path, data: st.DataObject) -> None:
    good = (folder / "good").read_bytes() if (folder / "good").exists() else certified(folder, "-h", "-n", "board")
    (folder / "good").write_bytes(good)
    place = data.draw(st.integers(0, len(good) - 1))
    changed = data.draw(st.sampled_from([
        good[:place], good + b"x", good[:place] + good[place + 1:],
        good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1:]]))
    assert why_unfit(changed, "board", {blob(folder / "ca.pub")})


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    assert why_unfit(data, "board", {b""})
    authority_of(data)
