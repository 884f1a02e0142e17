"""`python -m bench.testing [FOLDER]`: a phone over this machine's own shell, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.testing.adbd.root import HostRoot
from bench.testing.phone import running_phone


def main(arguments: list[str]) -> int:
    """Start the phone, say how to connect to it, and wait. An exit code."""
    if len(arguments) > 1 or any(word.startswith("-") for word in arguments):
        print(f"usage: python -m bench.testing [FOLDER]\n\n{__doc__}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="phone-") as own:
        folder = Path(arguments[0] if arguments else own)
        with running_phone(HostRoot(folder)) as phone, suppress(KeyboardInterrupt):
            print(f"a phone, until Ctrl-C; its files: {folder}\n"
                  f"  adb connect {phone.serial}\n  adb -s {phone.serial} shell\n\n"
                  f"in devices.yaml:\n  test-phone:\n    adb: {{serial: \"{phone.serial}\"}}\n"
                  f"    workdir: {folder / 'bench'}", flush=True)
            signal.pause()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
