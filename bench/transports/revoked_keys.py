"""RevokedHostKeys: a list of keys that no host may show, as lines of text or as the file that `ssh-keygen -k` makes."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import paramiko

from bench.deadline import Deadline
from bench.errors import DeadlineExceeded, InfrastructureError
from bench.transports.host_key import ShownKey, revoked
from bench.transports.known_hosts import HostName
from bench.transports.ssh_certificate import authority_of

_KRL = b"SSHKRL\n\0"


def check_not_revoked(name: HostName, shown: ShownKey, file: Path, deadline: Deadline) -> None:
    """Return when neither the key nor its certificate's authority is in the list.

    Raises InfrastructureError when one is, and when the list cannot be read; DeadlineExceeded.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error
    blobs = [shown.blob]
    if shown.certificate is not None:
        blobs += [shown.certificate, authority_of(shown.certificate)]
    found = _in_krl(file, blobs, deadline) if data.startswith(_KRL) else _in_lines(data, blobs)
    if found:
        raise revoked(name, shown, file)


def _in_lines(data: bytes, blobs: list[bytes]) -> bool:
    listed = set()
    for line in data.splitlines():
        words = line.split()
        with suppress(ValueError, IndexError):
            listed.add(base64.b64decode(words[1], validate=True))
    return not listed.isdisjoint(blobs)


def _in_krl(file: Path, blobs: list[bytes], deadline: Deadline) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.pub") for number, _ in enumerate(blobs)]
        for path, blob in zip(paths, blobs, strict=True):
            path.write_text(f"{paramiko.Message(blob).get_text()} {base64.b64encode(blob).decode()}\n")
        argv = ["ssh-keygen", "-Q", "-f", str(file), *map(str, paths)]
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                                  timeout=deadline.left())
        except OSError as error:
            raise _unreadable(file, f"ssh-keygen: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise DeadlineExceeded(f"ssh-keygen did not read {file} within {deadline.seconds:g} s") from error
    if "REVOKED" in done.stdout:
        return True
    if done.returncode != 0:
        raise _unreadable(file, done.stderr.strip() or f"ssh-keygen ended with {done.returncode}")
    return False


def _unreadable(file: Path, reason: str) -> InfrastructureError:
    return InfrastructureError(f"cannot read {file}, the list of revoked host keys: {reason}",
                               hint="correct RevokedHostKeys in the ssh configuration")
