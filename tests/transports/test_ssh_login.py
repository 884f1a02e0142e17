"""Every way in which a connection is refused says why and what to do; the good ways work."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.transports.connect import connect
from tests.fakes.account import live_in
from tests.fakes.account import why_not as why_no_account
from tests.fakes.proxy import Proxy
from tests.fakes.sshd import Sshd, make_key, running_sshd


def whoami(device: DeviceConfig) -> str:
    """Log in and ask who one is."""
    transport = connect("board", device, Deadline(20))
    try:
        return transport.run(["id", "-un"], Deadline(20)).stdout.decode().strip()
    finally:
        transport.close()


def refusal(device: DeviceConfig, seconds: float = 20) -> InfrastructureError:
    """The error of a connection that must fail."""
    with pytest.raises(InfrastructureError) as caught:
        connect("board", device, Deadline(seconds))
    assert caught.value.message.startswith(("board (", "the host key", "cannot log in"))
    return caught.value


def paste(hint: str) -> None:
    """Do what the hint says, as somebody at a terminal would."""
    subprocess.run(["sh", "-c", hint.split("run: ")[1]], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def test_an_unknown_host_key_is_refused_and_the_hint_cures_it(sshd: Sshd, tmp_path: Path) -> None:
    mine = tmp_path / "known_hosts"
    error = refusal(sshd.device(known_hosts=mine))
    assert "is not known" in error.message
    assert re.search(r"SHA256:[A-Za-z0-9+/]{43}", error.message)
    paste(error.hint)
    assert whoami(sshd.device(known_hosts=mine)) == sshd.user


def test_a_changed_host_key_is_refused_and_the_hint_cures_it(sshd: Sshd, tmp_path: Path) -> None:
    mine = tmp_path / "known_hosts"
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    mine.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    error = refusal(sshd.device(known_hosts=mine))
    assert "has changed" in error.message
    assert len(set(re.findall(r"SHA256:[A-Za-z0-9+/]{43}", error.message))) == 2
    paste(error.hint)
    assert whoami(sshd.device(known_hosts=mine)) == sshd.user


def test_a_host_known_by_another_kind_of_key_is_asked_for_that_kind(tmp_path: Path, sshd: Sshd) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    make_key(folder / "rsa_key", "rsa")
    with running_sshd(folder, f"HostKey {folder}/rsa_key\n") as server:
        server.known_hosts.unlink()
        server.know(server.port, folder / "rsa_key")
        assert whoami(server.device()) == server.user


def test_a_key_that_the_board_does_not_allow_names_user_and_key(sshd: Sshd, tmp_path: Path) -> None:
    error = refusal(sshd.device(key=make_key(tmp_path / "wrong")))
    assert repr(sshd.user) in error.message
    assert str(tmp_path / "wrong") in error.message
    assert "ssh-copy-id" in error.hint


def test_no_key_at_all_says_so(sshd: Sshd) -> None:
    error = refusal(sshd.device(key=None))
    assert "no key to try" in error.message
    assert "ssh-keygen" in error.hint


def test_a_key_with_a_passphrase_is_sent_to_the_agent(sshd: Sshd, tmp_path: Path) -> None:
    error = refusal(sshd.device(key=make_key(tmp_path / "locked", passphrase="secret word")))
    assert "has a passphrase" in error.message
    assert f"ssh-add {tmp_path / 'locked'}" in error.hint


def test_a_file_that_is_no_key_is_named(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "noise").write_text("not a key")
    assert "noise (not a private key)" in refusal(sshd.device(key=tmp_path / "noise")).message


def test_a_key_of_the_home_folder_is_found(sshd: Sshd, home: Path) -> None:
    shutil.copy(sshd.key, home / ".ssh" / "id_ed25519")
    assert whoami(sshd.device(key=None)) == sshd.user


def test_an_rsa_key_logs_in(sshd: Sshd, tmp_path: Path) -> None:
    allowed = sshd.folder / "authorized_keys"
    make_key(tmp_path / "rsa", "rsa")
    with allowed.open("a") as file:
        file.write((tmp_path / "rsa.pub").read_text())
    assert whoami(sshd.device(key=tmp_path / "rsa")) == sshd.user


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A running ssh-agent without keys."""
    path = tmp_path / "agent.socket"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield
    process.kill()
    process.wait()


@pytest.mark.usefixtures("agent")
def test_a_key_of_the_agent_logs_in(sshd: Sshd) -> None:
    subprocess.run(["ssh-add", "-q", str(sshd.key)], check=True)
    assert whoami(sshd.device(key=None)) == sshd.user


@pytest.mark.usefixtures("agent")
def test_the_agent_serves_a_file_that_has_a_passphrase_before_its_other_keys(sshd: Sshd, tmp_path: Path) -> None:
    for number in range(8):  # more than a server lets one try
        subprocess.run(["ssh-add", "-q", str(make_key(tmp_path / f"other{number}"))], check=True)
    subprocess.run(["ssh-add", "-q", str(sshd.key)], check=True)
    locked = Path(shutil.copy(sshd.key, tmp_path / "locked"))
    shutil.copy(sshd.key.with_suffix(".pub"), tmp_path / "locked.pub")
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(locked)], check=True, stdout=subprocess.DEVNULL)
    assert whoami(sshd.device(key=locked)) == sshd.user


@pytest.mark.usefixtures("agent")
def test_too_many_keys_of_the_agent_are_one_clear_error(sshd: Sshd, tmp_path: Path) -> None:
    for number in range(8):
        subprocess.run(["ssh-add", "-q", str(make_key(tmp_path / f"other{number}"))], check=True)
    assert "too many keys" in refusal(sshd.device(key=None)).message


@pytest.mark.usefixtures("agent")
def test_a_key_that_the_agent_does_not_want_to_use_is_passed_over(sshd: Sshd, tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_ASKPASS", "/bin/false")
    subprocess.run(["ssh-add", "-q", "-c", str(make_key(tmp_path / "asks"))], check=True)
    assert "which would not sign" in refusal(sshd.device(key=None)).message
    subprocess.run(["ssh-add", "-q", str(sshd.key)], check=True)
    assert whoami(sshd.device(key=None)) == sshd.user


@pytest.mark.usefixtures("agent")
def test_a_server_that_wants_two_keys_gets_them(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "two", "AuthenticationMethods publickey,publickey\n") as server:
        assert "each key" in refusal(server.device()).message
        second = make_key(tmp_path / "second")
        with (server.folder / "authorized_keys").open("a") as file:
            file.write(second.with_suffix(".pub").read_text())
        subprocess.run(["ssh-add", "-q", str(server.key), str(second)], check=True, stderr=subprocess.DEVNULL)
        assert whoami(server.device(key=None)) == server.user


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can log in somebody without a password")
def test_an_account_without_a_password_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := why_no_account():
        pytest.skip(reason)
    with monkeypatch.context() as patch:
        live_in(tmp_path, tmp_path, patch)
        (tmp_path / "shadow").write_text(f"{getpass.getuser()}::19000:0:99999:7:::\n")
        patch.setenv("NSS_WRAPPER_SHADOW", str(tmp_path / "shadow"))
        options = "PermitEmptyPasswords yes\nPasswordAuthentication yes\nPermitRootLogin yes\n"
        with running_sshd(tmp_path / "open", options) as server:
            assert whoami(server.device(key=None)) == server.user


def test_a_server_that_has_key_exchange_by_the_name_of_its_standard_only_is_reached(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "hard", "KexAlgorithms curve25519-sha256\n") as server:
        assert whoami(server.device()) == server.user


@pytest.mark.parametrize(("option", "remedy"), [
    ("Ciphers chacha20-poly1305@openssh.com", "Ciphers in /etc/ssh/sshd_config: aes128-gcm@openssh.com"),
    ("KexAlgorithms sntrup761x25519-sha512@openssh.com", "KexAlgorithms in /etc/ssh/sshd_config: "),
    ("Ciphers aes128-ctr\nMACs umac-64-etm@openssh.com", "MACs in /etc/ssh/sshd_config: hmac-sha2-256"),
])
def test_a_server_without_a_common_algorithm_says_which_to_allow(tmp_path: Path, option: str, remedy: str) -> None:
    with running_sshd(tmp_path / "hard", f"{option}\n") as server:
        error = refusal(server.device())
    assert "paramiko" in error.message and remedy in error.hint


def test_a_host_of_the_ssh_configuration_is_reached_by_its_proxy_command(sshd: Sshd, home: Path) -> None:
    relay = home / "relay.py"
    relay.write_text("import socket, sys, os, threading\n"
                     "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
                     "def up():\n    while d := os.read(0, 65536): s.sendall(d)\n    s.shutdown(1)\n"
                     "threading.Thread(target=up, daemon=True).start()\n"
                     "while d := s.recv(65536): os.write(1, d)\n")
    (home / ".ssh" / "config").write_text(
        f"Host behind\n HostName 127.0.0.1\n Port {sshd.port}\n User {sshd.user}\n IdentityFile {sshd.key}\n"
        f" UserKnownHostsFile {sshd.known_hosts}\n ProxyCommand python3 {relay} %h %p\n")
    device = DeviceConfig.model_validate({"ssh": {"host": "behind"}})
    assert whoami(device) == sshd.user


def test_a_proxy_command_that_fails_is_one_clear_error(sshd: Sshd, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host 127.0.0.1\n ProxyCommand false\n")
    assert "closed before the log-in" in refusal(sshd.device()).message


def test_a_host_that_does_not_exist_is_named(sshd: Sshd) -> None:
    assert "no host named 'no-such-board.invalid'" in refusal(sshd.device(host="no-such-board.invalid")).message


def test_a_port_where_nothing_listens_is_refused_with_a_way_to_check(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = refusal(sshd.device(port=port))
    assert "refused: nothing listens there" in error.message
    assert f"ssh -p {port} {sshd.user}@127.0.0.1 true" in error.hint


def test_a_server_that_says_nothing_meets_the_deadline(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = refusal(sshd.device(port=mute.getsockname()[1]), seconds=0.6)
    assert isinstance(error, DeadlineExceeded)
    assert "within 0.6 s" in error.message


def test_a_server_that_freezes_in_the_handshake_meets_the_deadline(sshd: Sshd, proxy: Proxy) -> None:
    proxy.freeze()
    assert isinstance(refusal(sshd.device(port=proxy.port), seconds=0.6), DeadlineExceeded)


def test_a_server_that_is_no_ssh_server_is_one_clear_error(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as web:
        error_of = subprocess.Popen(["python3", "-c", "import socket, sys\n"
                                     "c, _ = socket.socket(fileno=int(sys.argv[1])).accept()\n"
                                     "c.sendall(b'HTTP/1.1 400 Bad Request\\r\\n' * 200)", str(web.fileno())],
                                    pass_fds=[web.fileno()])
        error = refusal(sshd.device(port=web.getsockname()[1]), seconds=20)
        error_of.wait()
    assert "before the log-in" in error.message


def test_a_link_cut_in_the_log_in_is_one_clear_error_wherever_it_is_cut(sshd: Sshd, proxy: Proxy) -> None:
    connect("board", sshd.device(port=proxy.port), Deadline(20)).close()
    for sixteenth in range(14):  # the very last bytes are sent after the log-in
        proxy.cut_after(proxy.sent * sixteenth // 16)
        proxy.sent, before = 0, proxy.sent
        refusal(sshd.device(port=proxy.port))
        proxy.sent = before


def test_paramiko_prints_nothing_of_its_own(sshd: Sshd, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        refusal(sshd.device(port=mute.getsockname()[1]), seconds=0.3)
    assert capfd.readouterr() == ("", "")


def test_local_devices_are_reached_without_paramiko() -> None:
    code = ("import sys; from bench.transports.connect import connect; from bench.config.devices import DeviceConfig, "
            "LocalConfig; from bench.deadline import Deadline; connect('me', DeviceConfig(local=LocalConfig()), "
            "Deadline(1)); sys.exit('paramiko' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code],
                          check=False).returncode == 0
