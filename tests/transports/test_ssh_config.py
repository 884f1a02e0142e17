"""devices.yaml wins over ~/.ssh/config, which wins over nothing being said."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from bench.config.devices import SshConfig
from bench.deadline import Deadline
from bench.errors import ConfigError
from bench.transports.ssh_config import resolve


def written(home: Path, text: str) -> None:
    (home / ".ssh" / "config").write_text(text)


def test_without_any_file_the_usual_places_hold(home: Path) -> None:
    (home / ".ssh" / "id_ed25519").write_text("key")
    target = resolve(SshConfig(host="board.lab"), "board", Deadline(20))
    assert str(target) == f"{getpass.getuser()}@board.lab:22"
    assert target.keys == (home / ".ssh" / "id_ed25519",)
    assert target.known_hosts[0] == home / ".ssh" / "known_hosts"
    assert (target.proxy, target.only_these, target.host.entry) == (None, False, "board.lab")


def test_the_ssh_configuration_is_respected(home: Path) -> None:
    written(home, "Host board\n HostName 10.0.0.7\n Port 2222\n User bench\n IdentityFile ~/.ssh/lab\n"
                  " IdentitiesOnly yes\n UserKnownHostsFile ~/.ssh/lab_hosts\n HostKeyAlias lab-board\n"
                  "Host *\n Port 99\n")
    target = resolve(SshConfig(host="board"), "board", Deadline(20))
    assert str(target) == "bench@10.0.0.7:2222"
    assert target.keys == (home / ".ssh" / "lab",)
    assert target.only_these
    assert target.known_hosts[0] == home / ".ssh" / "lab_hosts"
    assert target.host.entry == "lab-board"


def test_values_of_devices_yaml_win(home: Path) -> None:
    written(home, "Host board\n HostName 10.0.0.7\n Port 2222\n User bench\n IdentityFile ~/.ssh/lab\n"
                  " ProxyCommand relay %r %h %p\n")
    (home / "mine").write_text("key")
    config = SshConfig(host="board", port=7, user="me", key=Path("~/mine"), known_hosts=Path("~/kh"))
    target = resolve(config, "board", Deadline(20))
    assert str(target) == "me@10.0.0.7:7"
    assert target.keys == (home / "mine",)
    assert target.only_these
    assert target.known_hosts[0] == home / "kh"
    assert target.proxy == (os.environ.get("SHELL", "/bin/sh"), "-c", "exec relay me 10.0.0.7 7")


def test_included_files_count_where_they_stand(home: Path) -> None:
    (home / ".ssh" / "more.d").mkdir()
    (home / ".ssh" / "more.d" / "a").write_text("Host board\n User from-include\n")
    written(home, "Host other\n Include more.d/*\n User other\nHost board\n User too-late\n Port 5\nInclude config\n")
    assert str(resolve(SshConfig(host="board"), "board", Deadline(20))) == "from-include@board:5"
    assert str(resolve(SshConfig(host="other"), "other", Deadline(20))) == "other@other:22"


@pytest.mark.parametrize(("jumps", "argv"), [
    ("gate", ["-W", "[board]:22", "ssh://gate"]),
    ("a,me@gate:2200", ["-J", "a", "-W", "[board]:22", "ssh://me@gate:2200"]),
    ("ssh://gate:1", ["-W", "[board]:22", "ssh://gate:1"]),
])
def test_a_jump_is_made_by_ssh_itself(home: Path, jumps: str, argv: list[str]) -> None:
    written(home, f"Host board\n ProxyJump {jumps}\n")
    assert resolve(SshConfig(host="board"), "board", Deadline(20)).proxy == (
        "ssh", "-o", "BatchMode=yes", "-F", str(home / ".ssh" / "config"), *argv)


@pytest.mark.parametrize("text", ["Host board\n Port many\n", "Host board\n Port 70000\n", "Host board\n gibberish\n",
                                  "Host board\n ProxyJump -oProxyCommand=evil\n"])
def test_a_configuration_that_cannot_be_used_is_one_clear_error(home: Path, text: str) -> None:
    written(home, text)
    with pytest.raises(ConfigError, match="ssh configuration"):
        resolve(SshConfig(host="board"), "board", Deadline(20))


@pytest.mark.parametrize("host", ["a;b", "$(id)", "`id`", "a|b", "a'b", "{a,b}"])
def test_a_host_that_could_be_taken_for_something_else_is_refused(home: Path, host: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the host"):
        resolve(SshConfig(host=host), "board", Deadline(20))


def test_a_key_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(ConfigError, match="nokey` is not a file"):
        resolve(SshConfig(host="board", key=Path("~/nokey")), "board", Deadline(20))
