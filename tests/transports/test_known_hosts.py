"""Reading known_hosts as ssh does, and what is said about a key that is not in it."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from bench.errors import InfrastructureError
from bench.transports.host_key import ShownKey, check_host_key, fingerprint
from bench.transports.known_hosts import HostName, known_keys, known_of
from tests.fakes.sshd import make_key

KEY = base64.b64encode(b"\0\0\0\x0bssh-ed25519 some bytes").decode()
OTHER = base64.b64encode(b"\0\0\0\x0bssh-ed25519 other bytes").decode()
NAME = HostName("board", 2222)
SHOWN = ShownKey("ssh-ed25519", base64.b64decode(KEY))


@pytest.mark.parametrize(("line", "found"), [
    (f"[board]:2222 ssh-ed25519 {KEY}", True),
    (f"other,[board]:2222 ssh-ed25519 {KEY} a comment", True),
    (f"[BOARD]:2222 ssh-ed25519 {KEY}", True),
    (f"[b*d]:222? ssh-ed25519 {KEY}", True),
    (f"*,![board]:2222 ssh-ed25519 {KEY}", False),
    (f"board ssh-ed25519 {KEY}", False),
    (f"# [board]:2222 ssh-ed25519 {KEY}", False),
    (f"@cert-authority [board]:2222 ssh-ed25519 {KEY}", True),
    (f"@else [board]:2222 ssh-ed25519 {KEY}", False),
    ("[board]:2222 ssh-ed25519 not-base64!", False),
    ("[board]:2222", False),
    ("|1|bad|worse ssh-ed25519 " + KEY, False),
    ("", False),
])
def test_a_line_is_found_by_the_rules_of_ssh(tmp_path: Path, line: str, found: bool) -> None:
    (tmp_path / "known_hosts").write_text(line + "\n")
    assert bool(known_keys([tmp_path / "missing", tmp_path / "known_hosts"], NAME.entry)) is found


def test_a_hashed_name_is_found(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"[board]:2222 ssh-ed25519 {make_key(tmp_path / 'k').with_suffix('.pub').read_text().split()[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, stderr=subprocess.DEVNULL)
    assert file.read_text().startswith("|1|")
    assert len(known_keys([file], NAME.entry)) == 1
    assert known_keys([file], "board") == []


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path) -> None:
    public = make_key(tmp_path / "k").with_suffix(".pub")
    shown = subprocess.run(["ssh-keygen", "-lf", str(public)], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert fingerprint(base64.b64decode(public.read_text().split()[1])) in shown.split()


def test_any_of_several_keys_of_one_kind_is_good(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(f"[board]:2222 ssh-ed25519 {OTHER}\n[board]:2222 ssh-ed25519 {KEY}\n")
    check_host_key(NAME, SHOWN, known_of([tmp_path / "f"], NAME))


def test_a_revoked_key_is_refused_though_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(f"[board]:2222 ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}\n")
    with pytest.raises(InfrastructureError, match="revoked"):
        check_host_key(NAME, SHOWN, known_of([tmp_path / "f"], NAME))


@pytest.mark.parametrize("line", [
    f"@cert-authority [board]:2222 ssh-ed25519 {KEY}",
    f"board ssh-ed25519 {KEY}\n[board]:2222 ssh-ed25519 {OTHER}",
    f"board ssh-ed25519 {OTHER}",
    "",
])
def test_no_other_key_is_taken(tmp_path: Path, line: str) -> None:
    (tmp_path / "f").write_text(line)
    with pytest.raises(InfrastructureError, match="host key of"):
        check_host_key(NAME, SHOWN, known_of([tmp_path / "f"], NAME))


def test_a_key_of_the_name_alone_counts_where_the_port_has_none(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(f"board ssh-ed25519 {KEY}\n")
    check_host_key(NAME, SHOWN, known_of([tmp_path / "f"], NAME))


def test_an_alias_is_looked_up_without_a_port(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(f"lab ssh-ed25519 {KEY}\n")
    check_host_key(HostName("board", 2222, "lab"), SHOWN, known_of([tmp_path / "f"], HostName("board", 2222, "lab")))


@pytest.mark.parametrize(("name", "hint"), [
    (HostName("10.0.0.7", 2222), "run: ssh-keyscan -t ed25519 -p 2222 10.0.0.7 >> '/home/me/known hosts'"),
    (HostName("h", 22, "lab"), "run: ssh-keyscan -t ed25519 h | sed 's/^[^ ]*/lab/' >> '/home/me/known hosts'"),
    (HostName("h", 22, by_hand="ssh board true"), "run: ssh board true, and say yes"),
])
def test_an_unknown_key_comes_with_what_adds_it(name: HostName, hint: str) -> None:
    with pytest.raises(InfrastructureError) as caught:
        check_host_key(name, SHOWN, known_of([Path("/home/me/known hosts")], name))
    assert fingerprint(SHOWN.blob) in caught.value.message
    assert caught.value.hint.endswith(hint)
