"""A phone over this machine's own shell, which the real adb connects to, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.testing.adbd.faults import Faults
from bench.testing.adbd.root import HostRoot
from bench.testing.phone import running_phone


def main(words: list[str]) -> int:
    """Start the phone, say how to connect to it, and wait. An exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.testing", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where it lives; default: a new one")
    parser.add_argument("--bytes-per-s", type=float, metavar="N", help="the speed of its link, in each direction")
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="phone-") as own:
        folder, faults = arguments.folder or Path(own), Faults(bytes_per_s=arguments.bytes_per_s)
        with running_phone(HostRoot(folder), faults=faults) as phone, suppress(KeyboardInterrupt):
            print(f"a phone, until Ctrl-C; its files: {folder}\n"
                  f"  adb connect {phone.serial}\n  adb -s {phone.serial} shell\n\n"
                  f"in devices.yaml:\n  test-phone:\n    adb: {{serial: \"{phone.serial}\"}}\n"
                  f"    workdir: {folder / 'bench'}", flush=True)
            signal.pause()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
