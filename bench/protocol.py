"""The messages between host and agent: one JSON object a line, UTF-8, at most 1 MiB. Standard library only, Python 3.8.

Host to agent
    have    {files: {name: sha256}}                which of these are missing under the work folder
    trial   {trial, kind, runtime, delegate, threads, options, artifact, inputs, measure, deadline_s, cores}
    look    {}                                     the conditions now, please
    forget  {trial}                                its outputs have been fetched; remove its folder
    ping    {}                                     the host is alive

Agent to host
    hello       {protocol, agent, boot_id, pid, facts, runtimes}      always the first line, or busy
    busy        {holder}                                              another controller holds the device
    files       {missing: [name]}
    phase       {trial, name}                                         what the worker is doing
    samples     {trial, ns: [int]}                                    in chunks
    conditions  {trial, when: before|during|after|asked, ...}         as bench.agents.probes.conditions says
    log         {trial, text}                                         the end of what the worker printed
    result      {trial, ...}                                          phases, memory, outputs, findings, versions, cores
    failed      {trial, kind, message, signal}                        ends a trial badly
    done        {trial, frames, crc}                                  ends a trial well; nothing else does
    alive       {}                                                    at least every ALIVE_EVERY_S

`cores` of a trial is null (none in particular), "big", "little", "all" or a list of numbers; that of a result is the
list of numbers it was allowed to run on.

`measure` of a trial has {min_samples, min_ns, warmup_min_runs, warmup_min_ns, warmup_max_ns, inputs}, the last of
which is "first" (the first sample alone is timed) or "all" (all are, interleaved, in their order again and again).

`findings` of a result are {inputs_changed, cycle, by_sample_ns}:
    inputs_changed  whether the model wrote into its own inputs (set again before each inference then, outside its time)
    cycle           how many samples were timed, interleaved: 1 or all
    by_sample_ns    for each sample a list of times of its inferences, equally many, interleaved in random order;
                    null where all samples are the same, or there was no time for it
A trial of kind accuracy has inputs_changed alone.

The outputs' file is an .npz: "0", "1", ... by the place of the output, each (samples, *shape), of a model that was
loaded anew and ran the samples in order ("0_0", "0_1", ..., one for each sample, where its shape varies); and
"repeated_0", "repeated_1", ..., each (1, *shape), of the first sample run once more by that model, after all of them.

`frames` counts the trial's lines before `done`, and `crc` is the CRC-32 of their bytes: `adb shell` and a dying ssh can
hand over half an output with exit code 0.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Dict, List, Optional

PROTOCOL = 2
MAX_LINE = 1 << 20
REPEATED = "repeated_"
"""What names of outputs begin with that the first sample gave when it was run again."""
SAMPLES_PER_MESSAGE = 20_000
ALIVE_EVERY_S = 2.0
SILENCE_LIMIT_S = 10.0
"""Either side gives the other up after this long without a line."""

Message = Dict[str, Any]


class ProtocolError(Exception):
    """A line that is no message. The text shows its first bytes."""


def encode(message: Message) -> bytes:
    """One line. Raises ValueError when it would be longer than MAX_LINE or holds NaN."""
    line = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("utf-8") + b"\n"
    if len(line) > MAX_LINE:
        raise ValueError("a message of {} bytes is over the limit of {}".format(len(line), MAX_LINE))
    return line


def decode(line: bytes) -> Message:
    """The message in a line. Raises ProtocolError for anything but a JSON object with a `type`."""
    shown = repr(line[:80])
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_no_constants, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not a message ({}): {}".format(error, shown)) from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ProtocolError("not a message (no type): " + shown)
    return message


def _no_constants(name: str) -> None:
    raise ValueError(name + " is not a number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(digits[:40] + " is too large a number")
    return number


class Lines:
    """Turns a stream of bytes into lines, memory bounded by MAX_LINE."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> List[bytes]:
        """The lines that `data` completes, without their newlines. Raises ProtocolError for one that is too long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        longest = max(map(len, [*lines, self._rest]))
        if longest >= MAX_LINE:
            raise ProtocolError("a line of over {} bytes".format(MAX_LINE))
        return [line for line in lines if line.strip()]


class Tally:
    """Counts the frames of one trial, on both sides."""

    def __init__(self) -> None:
        self.frames = 0
        self.crc = 0

    def add(self, line: bytes) -> None:
        self.frames += 1
        self.crc = zlib.crc32(line.rstrip(b"\n"), self.crc)

    def mismatch(self, done: Message) -> Optional[str]:
        """Why `done` does not fit what came before it; None when it does."""
        if (done.get("frames"), done.get("crc")) == (self.frames, self.crc):
            return None
        return "{} messages arrived (crc {}), the agent sent {} (crc {})".format(
            self.frames, self.crc, done.get("frames"), done.get("crc"))
