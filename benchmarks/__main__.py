"""`python -m benchmarks`: the parts asked for, as one report on standard output; progress goes to standard error."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.convert.cache import Cache, open_cache
from benchmarks import checking, damage, disk, fidelity, lies, overhead, phone, repeat, upload, verdicts
from benchmarks.figures import Part, to_json
from benchmarks.setting import Setting

PARTS: dict[str, Callable[[Setting], Part]] = {
    "fidelity": fidelity.measure, "overhead": overhead.measure, "repeat": repeat.measure, "upload": upload.measure,
    "phone": phone.measure, "verdicts": verdicts.measure, "checking": checking.measure,
    "lies": lies.measure, "damage": damage.measure, "disk": disk.measure}


def main() -> int:
    """Measure the parts asked for, and print what each found. Exit code 0; 3 when a part could not be measured."""
    arguments = _arguments()
    cache = open_cache()
    print(_machine())
    parts = []
    for name in arguments.parts or PARTS:
        begin = time.monotonic()
        part = _measure(name, arguments, cache)
        parts.append(part)
        print(f"\n{text_of(part)}\n  took {time.monotonic() - begin:.0f} s", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"schema": 1, "quick": arguments.quick, "machine": _machine(),
                                              "parts": [to_json(part) for part in parts]}, indent=1))
    return 3 if any(part.missing for part in parts) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks",
                                     description="What bench costs and how true its numbers are.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--minutes", type=float, default=6.5, metavar="N",
                        help="how long fidelity goes on for what it cannot tell yet, and how long lies are told; "
                             "default 6.5")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there as well")
    arguments = parser.parse_args()
    for name in arguments.parts:
        if name not in PARTS:
            parser.error(f"no part {name!r}: there are {', '.join(PARTS)}")
    return arguments


def _measure(name: str, arguments: argparse.Namespace, cache: Cache) -> Part:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return PARTS[name](Setting(arguments.quick, arguments.minutes, Path(folder), cache,
                                   lambda line: print(f"{name}: {line}", file=sys.stderr)))


def text_of(part: Part) -> str:
    """The part as lines of text."""
    lines = [f"== {part.title}"]
    if part.missing:
        lines.append(f"  not measured: {part.missing}")
    width = max((len(figure.name) for figure in part.figures), default=0)
    for figure in part.figures:
        verdict = f"{figure.verdict}: " if figure.verdict else ""
        note = f"; {figure.note}" if figure.note else ""
        lines.append(f"  {figure.name:<{width}}  {verdict}{figure.spread.text(figure.unit, figure.digits)}{note}")
    return "\n".join([*lines, *(f"  - {remark}" for remark in part.remarks)])


def _machine() -> str:
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return (f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, "
            f"Python {platform.python_version()}; load average {load}")


if __name__ == "__main__":
    sys.exit(main())
