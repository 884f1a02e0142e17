"""The supervisor on the device: one conversation with the host over standard input and output.

It starts a worker per trial, forwards what the worker says, samples the device's conditions, and ends (with its worker)
at the end of its input or when the host has been silent for SILENCE_LIMIT_S.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import select
import shutil
import signal
import sys
import time
from typing import Any, BinaryIO, Callable, List, Optional

from bench import protocol
from bench.agents import lock, runtimes, site
from bench.agents.child import Child
from bench.agents.probes import conditions, facts

DURING_EVERY_S = 1.0
KEEP_DAYS = 30


def main(argv: Optional[List[str]] = None) -> int:
    """Serve one host until it is gone. Exit code 0; 3 when the device is busy."""
    parser = argparse.ArgumentParser(prog="agent")
    parser.add_argument("--archive", required=True, help="this agent's own .pyz, or the folder that holds bench/")
    parser.add_argument("--workdir", required=True)
    parser.add_argument("--owner", default="unknown")
    arguments = parser.parse_args(argv)
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    workdir = os.path.abspath(os.path.expanduser(arguments.workdir))
    os.makedirs(os.path.join(workdir, "files"), exist_ok=True)
    try:
        lock.take(workdir, arguments.owner)
    except lock.Busy as busy:
        channel.write(protocol.encode({"type": "busy", "holder": busy.holder}))
        return 3
    _remove_unused(workdir, arguments.archive)
    site.use_wheels(workdir)
    with Supervisor(channel, workdir, os.path.abspath(arguments.archive)) as supervisor:
        supervisor.hello()
        supervisor.serve()
    return 0


class Supervisor:
    """The conversation and, at most, one worker."""

    def __init__(self, channel: BinaryIO, workdir: str, archive: str) -> None:
        self._channel = channel
        self._workdir = workdir
        self._archive = archive
        self._trials = os.path.join(workdir, "trials")
        self._child: Optional[Child] = None
        self._watch = conditions.Watch()
        self._tally = protocol.Tally()
        self._spoke = self._sampled = time.monotonic()
        self._open = True

    def __enter__(self) -> Supervisor:
        shutil.rmtree(self._trials, ignore_errors=True)  # left by an agent that was killed; the lock is ours now
        os.makedirs(self._trials)
        for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, self._abandon)
        return self

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)
        if self._child is not None:
            self._child.end()
        shutil.rmtree(self._trials, ignore_errors=True)

    def _abandon(self, *_: object) -> None:
        """The host is gone, or has been silent for too long; it may not even read, so nothing is said."""
        if self._child is not None:
            self._child.end()
        shutil.rmtree(self._trials, ignore_errors=True)
        os._exit(4)

    def hello(self) -> None:
        self._say({"type": "hello", "protocol": protocol.PROTOCOL, "agent": _digest(self._archive),
                   "boot_id": facts.boot_id(), "pid": os.getpid(), "workdir": self._workdir,
                   "facts": facts.facts(self._workdir, self._watch.look()), "runtimes": runtimes.installed()})

    def serve(self) -> None:
        """Handle messages until the input ends. The alarm is set anew by the host's words alone."""
        incoming = protocol.Lines()
        signal.alarm(int(protocol.SILENCE_LIMIT_S))
        while self._open:
            child = self._child
            watched = [0] if child is None else [0, child.stdout.fileno()]
            ready, _, _ = select.select(watched, [], [], 0.5)
            if child is not None and ready not in ([], [0]):
                self._hear(child)
            if 0 in ready:
                signal.alarm(int(protocol.SILENCE_LIMIT_S))
                self._listen(incoming)
            self._keep_time()

    def _listen(self, incoming: protocol.Lines) -> None:
        data = os.read(0, 1 << 16)
        if not data:
            self._open = False
        for line in incoming.feed(data):
            self._handle(protocol.decode(line))

    def _handle(self, message: protocol.Message) -> None:
        kind = message["type"]
        if kind == "have":
            self._say({"type": "files", "missing": self._missing(message["files"])})
        elif kind == "look":
            self._say(dict(self._watch.look(between=self._still_here), type="conditions", trial="", when="asked"))
        elif kind == "trial":
            self._begin(message)
        elif kind == "forget":
            shutil.rmtree(os.path.join(self._trials, _plain(message["trial"])), ignore_errors=True)

    def _missing(self, wanted: Any) -> List[str]:
        """Files with another content, or none. A file asked for is marked as used; the others fade away."""
        folder = os.path.join(self._workdir, "files")
        missing = []
        for name, digest in wanted.items():
            path = os.path.join(folder, _plain(name))
            if _digest(path, self._still_here) == digest:
                os.utime(path)
            else:
                missing.append(name)
        return missing

    def _still_here(self) -> None:
        """Called between chunks of long work: both sides stay patient, this one while words of the host's wait."""
        if select.select([0], [], [], 0)[0]:
            signal.alarm(int(protocol.SILENCE_LIMIT_S))
        if time.monotonic() - self._spoke > protocol.ALIVE_EVERY_S:
            self._say({"type": "alive"})

    def _begin(self, message: protocol.Message) -> None:
        folder = os.path.join(self._trials, _plain(message["trial"]))
        os.makedirs(folder)
        files = os.path.join(self._workdir, "files")
        message = dict(message, supervisor=os.getpid(), artifact=os.path.join(files, _plain(message["artifact"])),
                       inputs=os.path.join(files, _plain(message["inputs"])),
                       outputs=os.path.join(folder, "outputs.npz"))
        self._tally = protocol.Tally()
        self._conditions(message["trial"], "before")
        self._child = Child(message, folder, self._archive)

    def _hear(self, child: Child) -> None:
        """Forward what the worker says; at its end, say how it ended."""
        try:
            lines = child.read()
            if lines is None:
                self._ended(child)
                return
            for line in lines:
                self._relay(child, line)
        except protocol.ProtocolError as error:
            self._fail(child, "garbage", str(error))

    def _relay(self, child: Child, line: bytes) -> None:
        message = protocol.decode(line)
        if message["type"] == "failed":
            self._fail(child, message["kind"], message["message"])
            return
        if message["type"] == "result":
            self._conditions(child.trial["trial"], "after")
            self._log(child)
            child.result_seen = True
        self._forward(line)

    def _ended(self, child: Child) -> None:
        status = child.wait()
        if child.result_seen:
            self._child = None
            child.close()
            self._say({"type": "done", "trial": child.trial["trial"], "frames": self._tally.frames,
                       "crc": self._tally.crc})
        elif status < 0:
            self._fail(child, "signal", "killed by signal {} ({})".format(-status, _signal_name(-status)), -status)
        else:
            self._fail(child, "exit", "the worker ended with exit code {} and no result".format(status))

    def _fail(self, child: Child, kind: str, message: str, number: Optional[int] = None) -> None:
        child.kill()
        child.process.wait()
        self._child = None
        self._conditions(child.trial["trial"], "after")
        self._log(child)
        child.close()
        self._forward(protocol.encode({"type": "failed", "trial": child.trial["trial"], "kind": kind,
                                       "message": message, "signal": number}))
        shutil.rmtree(os.path.join(self._trials, child.trial["trial"]), ignore_errors=True)

    def _keep_time(self) -> None:
        now = time.monotonic()
        child = self._child
        if child is not None and now > child.deadline:
            self._fail(child, "timeout", "no result within {:g} s".format(child.trial["deadline_s"]))
        elif child is not None and now - self._sampled > DURING_EVERY_S:
            self._conditions(child.trial["trial"], "during")
        if now - self._spoke > protocol.ALIVE_EVERY_S:
            self._say({"type": "alive"})

    def _conditions(self, trial: str, when: str) -> None:
        self._sampled = time.monotonic()
        seen = self._watch.look(sparing=when == "during", between=self._still_here)
        self._forward(protocol.encode(dict(seen, type="conditions", trial=trial, when=when)))

    def _log(self, child: Child) -> None:
        self._forward(protocol.encode({"type": "log", "trial": child.trial["trial"], "text": child.log_tail()}))

    def _forward(self, line: bytes) -> None:
        self._tally.add(line)
        self._write(line if line.endswith(b"\n") else line + b"\n")

    def _say(self, message: protocol.Message) -> None:
        self._write(protocol.encode(message))

    def _write(self, line: bytes) -> None:
        self._spoke = time.monotonic()
        view = memoryview(line)
        while view:
            view = view[self._channel.write(view):]


def _plain(name: str) -> str:
    """A name from the host that stays inside its folder. Raises ValueError for any other."""
    if not name or name != os.path.basename(name) or name.startswith("."):
        raise ValueError("not a plain file name: {!r}".format(name))
    return name


def _digest(path: str, between: Callable[[], None] = lambda: None) -> Optional[str]:
    """The sha256 of a file, None where there is none; `between` is called after each MiB."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                digest.update(chunk)
                between()
    except OSError:
        return None
    return digest.hexdigest()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "real-time"


def _remove_unused(workdir: str, keep: str) -> None:
    """Remove pushed files that no run has asked for in KEEP_DAYS, and agents other than this one as old."""
    oldest = time.time() - KEEP_DAYS * 86400
    for path in glob.glob(os.path.join(workdir, "files", "*")) + glob.glob(os.path.join(workdir, "agent-*.pyz")):
        try:
            if os.path.getmtime(path) < oldest and not os.path.samefile(path, keep):
                os.unlink(path)
        except OSError:
            continue


if __name__ == "__main__":
    sys.exit(main())
