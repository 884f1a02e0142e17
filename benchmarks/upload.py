"""Upload: a file sent by the ssh transport against `scp` of the same file to the same OpenSSH server on loopback.

Both sides are timed from before the connection to after its end. The transport also hashes the file at both ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from bench.deadline import Deadline
from bench.transports.connect import connect
from benchmarks.figures import Aim, Figure, Part, spread
from benchmarks.setting import Setting
from tests.fakes.sshd import Sshd, running_sshd, why_not

TITLE = "Upload over SSH: the transport's speed against that of scp, on loopback"
SIZE = 100 << 20
SPEED = Aim(least=0.95)
WITHIN_S = 120.0


def measure(setting: Setting) -> Part:
    """The ratio of speeds over interleaved pairs, and each side's own speed."""
    reason = why_not() or ("" if shutil.which("scp") else "needs scp (Debian: openssh-client)")
    if reason:
        return Part("upload", TITLE, missing=reason)
    file = setting.folder / "file.bin"
    file.write_bytes(os.urandom(SIZE))
    ours: list[float] = []
    theirs: list[float] = []
    with running_sshd(setting.folder / "sshd") as server:
        for number in range(3 if setting.quick else 12):
            setting.tell(f"pair {number + 1}")
            for side in (_by_transport, _by_scp) if number % 2 == 0 else (_by_scp, _by_transport):
                (ours if side is _by_transport else theirs).append(side(server, file))
    mega = SIZE / 1e6
    return Part("upload", TITLE, (
        Figure("speed against scp", spread([scp / own for own, scp in zip(ours, theirs, strict=True)]), aim=SPEED),
        Figure("by the transport", spread([mega / seconds for seconds in ours]), " MB/s", 0),
        Figure("by scp", spread([mega / seconds for seconds in theirs]), " MB/s", 0),
    ), (f"a file of {SIZE >> 20} MiB; connecting is part of it on both sides",),
        raw={"transport_s": ours, "scp_s": theirs})


def _by_transport(server: Sshd, file: Path) -> float:
    """Seconds of an upload by the transport."""
    target = server.folder / "by-transport.bin"
    begin = time.perf_counter()
    transport = connect("board", server.device(), Deadline(WITHIN_S))
    try:
        transport.push(file, str(target), Deadline(WITHIN_S))
    finally:
        transport.close()
    seconds = time.perf_counter() - begin
    target.unlink()
    return seconds


def _by_scp(server: Sshd, file: Path) -> float:
    """Seconds of an upload by scp."""
    target = server.folder / "by-scp.bin"
    command = ["scp", "-q", "-F", "none", "-P", str(server.port), "-i", str(server.key), "-o", "IdentitiesOnly=yes",
               "-o", f"UserKnownHostsFile={server.known_hosts}", str(file), f"{server.user}@127.0.0.1:{target}"]
    begin = time.perf_counter()
    subprocess.run(command, check=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL)
    seconds = time.perf_counter() - begin
    target.unlink()
    return seconds
