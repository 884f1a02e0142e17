"""A real OpenSSH server on loopback, with keys, known_hosts and a home folder of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.config.devices import DeviceConfig, SshConfig

SSHD = Path("/usr/sbin/sshd")


@dataclass
class Sshd:
    """A running server. `config()` is what a user would write to reach it."""

    port: int
    user: str
    folder: Path
    home: Path
    log: list[str] = field(default_factory=list)

    @property
    def key(self) -> Path:
        return self.folder / "client_key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def host_key(self) -> Path:
        return self.folder / "host_key"

    def know(self, port: int, key: Path | None = None) -> None:
        """Append this server's key (or another) to known_hosts, for a port of 127.0.0.1 (a proxy's, say)."""
        public = (key or self.host_key).with_suffix(".pub").read_text().split()[:2]
        with self.known_hosts.open("a") as file:
            file.write(f"[127.0.0.1]:{port} {' '.join(public)}\n")

    def config(self, **changes: object) -> SshConfig:
        """What reaches this server, with changes."""
        values = {"host": "127.0.0.1", "port": self.port, "user": self.user, "key": self.key,
                  "known_hosts": self.known_hosts}
        return SshConfig.model_validate(values | changes)

    def device(self, **changes: object) -> DeviceConfig:
        """The same as a device of devices.yaml."""
        return DeviceConfig(ssh=self.config(**changes))


def why_not() -> str:
    """The reason why no server can be started here, or an empty string."""
    if not SSHD.exists():
        return "needs /usr/sbin/sshd (Debian: openssh-server)"
    if shutil.which("ssh-keygen") is None:
        return "needs ssh-keygen (Debian: openssh-client)"
    if os.geteuid() != 0 and not Path("/run/sshd").is_dir():
        return "sshd needs the folder /run/sshd, and only root can make it"
    return ""


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A new key pair at `path` and `path.pub`."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)], check=True)
    return path


@contextmanager
def running_sshd(folder: Path, options: str = "") -> Iterator[Sshd]:
    """A server in `folder`, whose sessions have `folder/home` as HOME. `options` are further lines of sshd_config."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "home").mkdir(exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "client_key"):
        if not (folder / name).exists():
            make_key(folder / name)
    shutil.copy(folder / "client_key.pub", folder / "authorized_keys")
    for _ in range(5):
        server = Sshd(_free_port(), getpass.getuser(), folder, folder / "home")
        process = _spawn(server, options)
        if process is not None:
            break
    else:
        raise RuntimeError("sshd did not start; its last words: " + " ".join(server.log))
    server.know(server.port)
    try:
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _spawn(server: Sshd, options: str) -> subprocess.Popen[str] | None:
    """The server's process once it listens; None when it ended instead (its port was taken meanwhile)."""
    folder = server.folder
    (folder / "sshd_config").write_text(
        options + f"ListenAddress 127.0.0.1\nPort {server.port}\nHostKey {server.host_key}\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n"
        f"KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\nMaxSessions 30\nSetEnv HOME={server.home}\n")
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL, text=True, start_new_session=True)
    assert process.stderr is not None
    for line in process.stderr:
        server.log.append(line)
        if "Server listening" in line:
            threading.Thread(target=server.log.extend, args=(process.stderr,), daemon=True).start()
            return process
    process.wait()
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
