"""Where `ssh board true` works, `bench devices` works; where it fails, bench fails, with one clear error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.config.devices import DeviceConfig, SshConfig
from bench.deadline import Deadline
from bench.errors import DeadlineExceeded
from bench.transports.connect import connect
from tests.fakes.account import live_in
from tests.fakes.account import why_not as why_no_account
from tests.fakes.processes import wait_gone
from tests.fakes.ssh_cases import FAILING, WORKING, Case
from tests.fakes.ssh_lab import Lab, running_lab
from tests.fakes.sshd import why_not


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if reason := why_not() or why_no_account():
        pytest.skip(reason)
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def ssh_folder(lab: Lab, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The account's ~/.ssh, with keys of all kinds."""
    live_in(home, tmp_path, monkeypatch)
    lab.furnish(home / ".ssh")
    return home / ".ssh"


@pytest.fixture
def case(request: pytest.FixtureRequest, lab: Lab, ssh_folder: Path, home: Path,
         monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """The configuration in place, and its agent running."""
    case: Case = request.param
    values = {"port": lab.server.port, "user": lab.server.user, "ssh": ssh_folder, "python": sys.executable}
    (ssh_folder / "config").write_text(case.config.format(**values))
    for name, text in case.files:
        file, model = ssh_folder / name.format(**values), ssh_folder / text
        file.parent.mkdir(exist_ok=True)
        if model.is_file():
            shutil.copy(model, file)
        else:
            file.write_text(text.format(**values))
    for name in case.without:
        (ssh_folder / name).unlink()
    if not case.agent:
        yield case
        return
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", home / "agent"], stdout=subprocess.PIPE)
    assert agent.stdout is not None
    agent.stdout.readline()
    for name in case.agent:
        subprocess.run(["ssh-add", "-q", ssh_folder / name], env={**os.environ, "SSH_AUTH_SOCK": str(home / "agent")},
                       check=True, stderr=subprocess.DEVNULL)
    if case.exported:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(home / "agent"))
    yield case
    agent.kill()
    agent.wait()


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, without any program, in which all programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


def ssh_works() -> bool:
    """What `ssh` itself says."""
    return subprocess.run(["ssh", "-o", "BatchMode=yes", "board", "true"], stdin=subprocess.DEVNULL, check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def devices(folder: Path) -> tuple[int, dict[str, str]]:
    """The exit code of `bench devices`, and what it tells of the board."""
    file = folder / "devices.yaml"
    file.write_text(f"version: 1\ndevices: {{board: {{ssh: {{host: board}}, python: {sys.executable}}}}}\n")
    done = CliRunner().invoke(app, ["devices", "--devices", str(file), "--json", "-d", "board"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    told, = json.loads(done.stdout)
    return done.exit_code, told


@pytest.mark.parametrize("case", WORKING, ids=str, indirect=True)
def test_what_ssh_reaches_is_reached(case: Case, tmp_path: Path) -> None:
    code, told = devices(tmp_path)
    assert ssh_works(), "the case is wrong: ssh itself fails"
    assert (code, told["state"], told["error"]) == (0, "ready", None)


@pytest.mark.parametrize("case", FAILING, ids=str, indirect=True)
def test_what_ssh_does_not_reach_is_one_clear_error(case: Case, tmp_path: Path) -> None:
    code, told = devices(tmp_path)
    assert not ssh_works(), "the case is wrong: ssh itself works"
    assert code == 3 and told["state"] in ("unreachable", "unusable")
    assert case.said in f"{told['error']} {told['hint']}"
    assert "\n" not in told["error"] and told["hint"]


@pytest.mark.parametrize("case", [case for case in WORKING if case.by_itself], ids=str, indirect=True)
def test_what_needs_no_ssh_is_reached_where_there_is_none(case: Case, empty_path: Path) -> None:
    transport = connect("board", DeviceConfig(ssh=SshConfig(host="board")), Deadline(20))
    with closing(transport):
        assert transport.run(["true"], Deadline(20)).returncode == 0


@pytest.mark.parametrize("case", [case for case in WORKING if not case.by_itself], ids=str, indirect=True)
def test_what_needs_ssh_is_one_clear_error_where_there_is_none(case: Case, empty_path: Path) -> None:
    code, told = devices(empty_path)
    assert code == 3 and told["error"] and told["hint"]


@pytest.mark.parametrize("case", [case for case in WORKING if case.name in ("ProxyJump", "CertificateFile")], ids=str,
                         indirect=True)
def test_the_whole_program_reaches_what_ssh_reaches(case: Case, tmp_path: Path) -> None:
    (tmp_path / "devices.yaml").write_text(f"version: 1\ndevices: {{board: {{ssh: {{host: board}}, python: "
                                           f"{sys.executable}}}}}\n")
    done = subprocess.run([sys.executable, "-m", "bench", "devices", "-d", "board"], cwd=tmp_path, text=True,
                          capture_output=True, check=False)
    assert done.stdout.startswith("board  [ssh]  ready\n"), done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_a_configuration_that_hangs_meets_the_deadline_and_is_ended(ssh_folder: Path, tmp_path: Path) -> None:
    (ssh_folder / "config").write_text(f'Match exec "echo $$ >{tmp_path}/pid; exec sleep 1000"\n Port 1\n')
    with pytest.raises(DeadlineExceeded, match=r"within 0\.5 s"):
        connect("board", DeviceConfig(ssh=SshConfig(host="board")), Deadline(0.5))
    wait_gone(int((tmp_path / "pid").read_text()))


def test_the_home_folder_is_the_account_s_where_home_has_no_configuration(
        lab: Lab, ssh_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ssh_folder / "config").write_text(f"Host board\n HostName 127.0.0.1\n Port {lab.server.port}\n")
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    assert ssh_works()
    assert devices(tmp_path)[1]["state"] == "ready"
    (tmp_path / "elsewhere" / ".ssh").mkdir(parents=True)
    (tmp_path / "elsewhere" / ".ssh" / "config").write_text("Host board\n HostName 127.0.0.1\n Port 1\n")
    assert "127.0.0.1:1" in devices(tmp_path)[1]["error"]
