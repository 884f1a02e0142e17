"""One OpenSSH server with certificates on both sides, and a ~/.ssh with a key of each kind."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.sshd import Sshd, make_key, running_sshd

PASSPHRASE = "secret word"


@dataclass
class Lab:
    """The server; `folder` holds what every home folder is given, and the authority that both sides trust."""

    server: Sshd
    folder: Path

    def public(self, key: Path) -> str:
        """Kind and key, as known_hosts has them."""
        return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])

    def furnish(self, ssh: Path) -> None:
        """Fill a home folder's .ssh: keys, and files of known hosts by what is special about them."""
        shutil.copytree(self.folder / "ssh", ssh, dirs_exist_ok=True)


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """A server whose host key is certified for 127.0.0.1 and `lab-board`, and that trusts the authority's users."""
    ssh, server, user = folder / "ssh", folder / "server", getpass.getuser()
    ssh.mkdir(mode=0o700, parents=True)
    server.mkdir()
    authority = make_key(folder / "authority")
    host_key = make_key(server / "host_key")
    _certify(authority, host_key, "-h", "-n", "127.0.0.1,lab-board")
    for name in ("good", "stranger", "certified", "uncertified", "elsewhere", "misnamed"):
        make_key(ssh / name)
    for name, principals in (("certified", user), ("elsewhere", user), ("misnamed", "nobody-else")):
        _certify(authority, ssh / name, "-n", principals)
    (ssh / "elsewhere-cert.pub").rename(ssh / "certificate.pub")
    for name in ("locked", "open", "with space", "id_ed25519"):
        shutil.copy(ssh / "good", ssh / name)
    (ssh / "open").chmod(0o644)
    shutil.copy(ssh / "good.pub", ssh / "public.pub")
    _keygen("-p", "-N", PASSPHRASE, "-f", ssh / "locked")
    options = (f"HostCertificate {server}/host_key-cert.pub\nTrustedUserCAKeys {authority}.pub\n"
               "KexAlgorithms curve25519-sha256\n")  # a quarter of a second faster than OpenSSH's first choice
    for suffix in ("", ".pub"):
        shutil.copy(ssh / f"good{suffix}", server / f"client_key{suffix}")
    with running_sshd(server, options) as running:
        lab = Lab(running, folder)
        _write_known(lab, ssh)
        yield lab


def _write_known(lab: Lab, ssh: Path) -> None:
    """Files of known and of revoked hosts, named by what is special about them."""
    port, good, other = lab.server.port, lab.public(lab.server.host_key), lab.public(lab.folder / "authority")
    host = f"[127.0.0.1]:{port}"
    files = {
        "known_hosts": f"{host} {good}\n", "hashed": f"{host} {good}\n", "two words": f"{host} {good}\n",
        "authority": f"@cert-authority [127.0.0.*]:{port},lab-* {other}\n", "alias": f"lab-board {good}\n",
        "portless": f"127.0.0.1 {good}\n", "changed": f"{host} {other}\n", "empty": "",
        "local": f"[localhost]:{port} {good}\n", "lab": f"[board.lab]:7 {good}\n",
        "revoked": f"{host} {good}\n@revoked * {good}\n",
        "authority_revoked": f"@cert-authority * {other}\n@revoked * {other}\n",
        "listed_good": good + "\n", "listed_stranger": lab.public(ssh / "stranger") + "\n",
    }
    for name, text in files.items():
        (ssh / name).write_text(text)
    _keygen("-H", "-f", ssh / "hashed")
    for name in ("good", "stranger"):
        _keygen("-k", "-f", ssh / f"krl_{name}", ssh / f"listed_{name}")


def _certify(authority: Path, key: Path, *options: str) -> None:
    _keygen("-s", authority, "-I", "test", *options, f"{key}.pub")


def _keygen(*words: str | Path) -> None:
    subprocess.run(["ssh-keygen", "-q", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
