"""A stand-in for a device's Python that says what a real agent said, but for one word. Needs nothing of `bench`.

    liar.py FOLDER PYTHON ARGUMENTS ...

With no recording in FOLDER it starts PYTHON with the arguments, hands on what either side says, and keeps the agent's
words and the files of outputs in FOLDER. With one, it is the agent: it gives those words again, to the trials that it
is asked for, and changes the one that FOLDER/lie.json names, if there is such a file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDING, LIE = "recording.json", "lie.json"
FAILED = {"type": "failed", "kind": "signal", "message": "killed by signal 9", "signal": 9}
FILES: dict[str, Any] = {"type": "files", "missing": []}
OUTPUTS, ODD_FILES = "outputs' file", ("pipe", "zeros", "folder", "huge")
FLOOD, ENDLESS = "flood", ("phase", "conditions", "samples", "log")
"""Lies that are no words: what lies in the place of the outputs' file, and messages that never end."""
_STAND_IN = "@word@"

Words = dict[str, Any]


def main() -> int:
    """Record or replay. The agent's exit code."""
    folder, python, *arguments = sys.argv[1:]
    workdir = Path(arguments[arguments.index("--workdir") + 1]).expanduser()
    if (Path(folder) / RECORDING).exists():
        _replay(Path(folder), workdir)
        return 0
    return _record(Path(folder), workdir, [python, *arguments])


def _record(folder: Path, workdir: Path, argv: list[str]) -> int:
    """Trials by their kind: the last of each; its lines without `done`, which ends it."""
    agent = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert agent.stdin is not None and agent.stdout is not None
    asked: dict[str, str] = {}
    told: Words = {"trials": {}}
    heard: list[Words] = []
    threading.Thread(target=_hand_on, args=(agent.stdin, asked), daemon=True).start()
    for line in agent.stdout:
        said = json.loads(line)
        kind, trial = said["type"], said.get("trial")
        if kind == "done":
            told["trials"][asked[trial]], heard = heard, []
            shutil.copy(workdir / "trials" / trial / "outputs.npz", folder / f"{asked[trial]}.npz")
        elif trial:
            heard.append(_soon(said))
        elif kind != "alive":
            told[kind] = said
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
    (folder / RECORDING).write_text(json.dumps(told))
    return agent.wait()


def _soon(said: Words) -> Words:
    """Told again in a moment, it cannot have imported anything for long."""
    if said["type"] == "result":
        said["phases"]["import_ns"] = min(said["phases"]["import_ns"], 10**6)
    return said


def _hand_on(agent: Any, asked: dict[str, str]) -> None:
    """The host's words, to the agent; the kinds of the trials that it asks for are kept."""
    for line in sys.stdin.buffer:
        said = json.loads(line)
        if said["type"] == "trial":
            asked[said["trial"]] = said["kind"]
        agent.write(line)
        agent.flush()
    agent.close()


def _replay(folder: Path, workdir: Path) -> None:
    shutil.rmtree(workdir / "trials", ignore_errors=True)
    told: Words = json.loads((folder / RECORDING).read_text())
    lie = json.loads((folder / LIE).read_text()) if (folder / LIE).exists() else {"type": None}
    _say({**told["hello"], "workdir": str(workdir)}, lie)
    for line in sys.stdin.buffer:
        said = json.loads(line)
        if said["type"] in ("have", "look"):
            _say(FILES if said["type"] == "have" else told["conditions"], lie)
        elif said["type"] == "trial":
            outputs = workdir / "trials" / said["trial"] / "outputs.npz"
            outputs.parent.mkdir(parents=True, exist_ok=True)
            if lie["type"] == OUTPUTS:
                make_odd(outputs, lie["raw"])
            else:
                shutil.copy(folder / f"{said['kind']}.npz", outputs)
            _tell(told["trials"][said["kind"]], said["trial"], lie)


def make_odd(path: Path, kind: str | None) -> None:
    """A file that has no end, or far more bytes than it can have: one of `ODD_FILES`."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "zeros":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)


def _tell(heard: list[Words], trial: str, lie: Words) -> None:
    """A trial's words; one that fails breaks off before its result."""
    frames = crc = 0
    for said in heard:
        while lie["type"] == FLOOD and lie["raw"] == said["type"]:
            _say({**said, "trial": trial}, lie)
        if said["type"] == "result" and lie["type"] == "failed":
            _say({**FAILED, "trial": trial}, lie)
            return
        line = _say({**said, "trial": trial}, lie)
        frames, crc = frames + 1, zlib.crc32(line, crc)
    _say({"type": "done", "trial": trial, "frames": frames, "crc": crc}, lie)


def _say(said: Words, lie: Words) -> bytes:
    line = (changed(said, lie["path"], lie["raw"]) if said["type"] == lie["type"] else json.dumps(said)).encode()
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()
    return line


def changed(said: Words, path: list[str | int], raw: str | None) -> str:
    """The message as JSON, with the text `raw` in the place of the word at `path`; None takes the word out."""
    copy = json.loads(json.dumps(said))
    holder: Any = copy
    try:
        for step in path[:-1]:
            holder = holder[step]
        held = holder.pop(path[-1])
    except (KeyError, IndexError, TypeError):
        return json.dumps(said)  # this one has no such word
    if raw is None:
        return json.dumps(copy)
    if isinstance(holder, list):
        holder.insert(int(path[-1]), held)
    holder[path[-1]] = _STAND_IN
    return json.dumps(copy).replace(f'"{_STAND_IN}"', raw)


def words_of(said: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all words in a message, of a list its first alone."""
    if before:
        yield before
    within: Any = said.items() if isinstance(said, dict) else enumerate(said[:1]) if isinstance(said, list) else ()
    for name, value in within:
        yield from words_of(value, (*before, name))


if __name__ == "__main__":
    sys.exit(main())
