"""Who uses a device: the holder of the lock in its work folder, asked without starting anything there but a shell."""

from __future__ import annotations

import json
from typing import Any, Final

from bench.devices.script import run_script
from bench.transports.base import Transport

ASK_WITHIN_S: Final = 20.0

LOCK_IS_FREE: Final = r"""
  if command -v flock >/dev/null 2>&1; then
    exec <lock
    flock -n 0 || { say busy "$(cat lock)"; exit 0; }
  else
    pid=$(sed -n 's/.*"pid": *\([0-9][0-9]*\).*/\1/p' lock)
    [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null || { say busy "$(cat lock)"; exit 0; }
  fi
"""
"""Shell, run in the work folder, with a function `say`: answers `busy HOLDER` and ends where somebody has the lock."""

SCRIPT: Final = rf"""
export LC_ALL=C
mark=$1
say() {{ printf '\n%s %s\n' "$mark" "$*"; }}
cd "$2" 2>/dev/null && [ -f lock ] || {{ say free; exit 0; }}
{LOCK_IS_FREE}
say free
"""
"""Arguments: marker, folder. Answers `free` or `busy HOLDER`."""


def holder_of(transport: Transport, folder: str) -> dict[str, Any] | None:
    """What the lock says of who uses the device; None where nobody does, as far as it tells.

    Raises what `Transport.run` raises.
    """
    _, answers = run_script(transport, SCRIPT, [folder], ASK_WITHIN_S)
    found = dict(answers)
    return parse_holder(found["busy"]) if "busy" in found else None


def parse_holder(text: str) -> dict[str, Any]:
    """The lock's content; of one that cannot be read, an owner that is not known."""
    try:
        holder = json.loads(text)
    except (ValueError, RecursionError):
        holder = None
    return holder if isinstance(holder, dict) else {"owner": "unknown"}
