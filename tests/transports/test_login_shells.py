"""Whatever the account's login shell is: the same words arrive, files are copied, processes end, devices answer."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.config.devices import DeviceConfig, DevicesConfig
from bench.deadline import Deadline
from bench.devices.survey import survey
from bench.transports.announced import Announced
from bench.transports.base import Transport
from bench.transports.connect import connect
from bench.transports.quoting import for_any_shell
from bench.transports.ssh_process import SshProcess
from tests.fakes.processes import wait_gone
from tests.fakes.sshd import Sshd, make_key

SHELLS = {"bash": "bash", "dash": "dash", "fish": "fish", "csh": "csh", "tcsh": "tcsh"}
"""What runs each, with Debian's package."""
WORDS = ["", "a b", "$HOME", "it's", '"', "!", "!!", "!x", "\\", "\\'", "\\\\0141", "\\n", "a\nb\n", "`id`", "$(id)",
         "%s%%", "*", "{a,b}", "~", "^x^y", "#", "ü\udcff\x01\x7f", "x" * 3000, "-n", ";", "&&", "|", "<", ">"]


@pytest.fixture(params=sorted(SHELLS))
def board(request: pytest.FixtureRequest, sshd: Sshd, tmp_path: Path) -> DeviceConfig:
    """A board at whose account this shell reads what the client sends, as it does where it is the login shell."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"needs {request.param} (Debian: {SHELLS[request.param]})")
    public = make_key(tmp_path / "key").with_suffix(".pub").read_text()
    with (sshd.folder / "authorized_keys").open("a") as file:
        file.write(f'command="exec {shell} -c \\"$SSH_ORIGINAL_COMMAND\\"" {public}')
    return sshd.device(key=tmp_path / "key").model_copy(update={"python": sys.executable})


@pytest.fixture
def transport(board: DeviceConfig) -> Iterator[Transport]:
    transport = connect("board", board, Deadline(20))
    yield transport
    transport.close()


def test_any_words_arrive(transport: Transport) -> None:
    shown = transport.run(["printf", "%s\\0", *WORDS], Deadline(20))
    assert (shown.stdout, shown.stderr) == (b"".join(os.fsencode(word) + b"\0" for word in WORDS), b"")


def test_files_come_back_whole_under_odd_names(transport: Transport, tmp_path: Path) -> None:
    source, remote = tmp_path / "source", f"{tmp_path}/it's !new \\ ü/a b"
    source.write_bytes(os.urandom(100_000))
    assert transport.push(source, remote, Deadline(20)) == 100_000
    assert transport.push(source, remote, Deadline(20)) == 0
    transport.pull(remote, tmp_path / "back", Deadline(20))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_exit_codes_are_told(transport: Transport, script: str, code: int) -> None:
    assert transport.run(["sh", "-c", script], Deadline(20)).returncode == code


def test_a_process_gets_its_environment_and_is_killed_with_its_group(transport: Transport, tmp_path: Path) -> None:
    script = f"trap '' TERM HUP; sleep 1000 & echo $$ $! >{tmp_path}/pids; echo \"$X\"; wait; sleep 1000"
    process = transport.start(["sh", "-c", script], Deadline(20), {"X": "it's !me"})
    assert process.receive(Deadline(20)) == b"it's !me\n"
    assert isinstance(process, SshProcess)
    process.end(grace_s=0)
    for pid in (tmp_path / "pids").read_text().split():
        wait_gone(int(pid))


def test_the_device_is_asked_what_it_is(board: DeviceConfig) -> None:
    state, = survey(DevicesConfig(version=1, devices={"board": board}).devices)
    assert (state.state, state.error) == ("ready", None)


@pytest.mark.parametrize(("shell", "said"), [
    ("/usr/sbin/nologin", "This account is currently not available"),
    ("echo no shell today >&2; exit 1", "no shell today"),
    ("/bin/false", "it said: nothing"),
])
def test_an_account_that_runs_no_commands_is_named_as_that(sshd: Sshd, tmp_path: Path, shell: str, said: str) -> None:
    public = make_key(tmp_path / "key").with_suffix(".pub").read_text()
    with (sshd.folder / "authorized_keys").open("a") as file:
        file.write(f'command="{shell}" {public}')
    state, = survey(DevicesConfig(version=1, devices={"board": sshd.device(key=tmp_path / "key")}).devices)
    assert state.state == "unusable" and state.error is not None
    assert "does not run commands" in state.error and said in state.error


def test_no_word_is_too_long_for_the_oldest_shell() -> None:
    line = for_any_shell("x" * 5000 + "\\" * 5000)
    assert max(map(len, line.split(b" "))) < 1000 and b"\n" not in line
    with pytest.raises(ValueError, match="push a file"):
        for_any_shell("'" * 100_000)


def test_a_shell_that_repeats_its_line_in_an_error_breaks_nothing() -> None:
    errors = Announced(4096)
    errors.add(f"shell: cannot read: echo {errors.marker} $$ >&2\n".encode())
    assert errors.pid(0) is None
