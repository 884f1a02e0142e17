"""Taking away what bench keeps on a device: its work folder, and nothing that bench did not put there."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.bundles import library
from bench.config.devices import DeviceConfig
from bench.deadline import Deadline
from bench.devices.holder import LOCK_IS_FREE, parse_holder
from bench.devices.script import run_script, said
from bench.errors import DeviceError
from bench.session import busy
from bench.transports.connect import connect

CONNECT_WITHIN_S = 30.0
REMOVE_WITHIN_S = 300.0

OURS: Final = ("lock", "files", "trials", "wheels", "bundle", "agent-*.pyz", "agent-*.part")
"""What bench writes into a work folder."""
HOST: Final = ("entries", "inputs", "work", "bundles", "agent")
"""What bench keeps in the cache of a machine that converts, which may be the same folder: left alone."""

_DIGEST: Final = "[0-9a-f]" * 16
"""A pattern of the end of what lies in `bundle`: layers, their archives, launchers."""

SCRIPT: Final = rf"""
export LC_ALL=C
mark=$1 folder=$2 verb=$3 mine= foreign= kept= total=0
say() {{ printf '\n%s %s\n' "$mark" "$*"; }}
proven() {{
  for name in bundle/*-{_DIGEST}* wheels/cp*; do [ ! -e "$name" ] || return 0; done
  return 1
}}
[ -d "$folder" ] || {{ say absent; exit 0; }}
cd "$folder" || {{ say closed; exit 0; }}
for name in * .[!.]* ..?*; do
  [ -e "$name" ] || [ -L "$name" ] || continue
  case "$name" in
    *[!A-Za-z0-9._-]*) say foreign "$name"; foreign=yes ;;
    {'|'.join(OURS)}) mine="$mine $name" ;;
    {'|'.join(HOST)}) kept="$kept $name" ;;
    *) say foreign "$name"; foreign=yes ;;
  esac
done
[ -z "$foreign" ] || exit 0
[ -z "$kept" ] || say kept $kept
[ -n "$mine" ] || {{ say nothing; exit 0; }}
case " $mine " in
  *' lock '*|*' agent-'*) ;;
  *) proven || {{ say unmarked $mine; exit 0; }} ;;
esac
if [ -f lock ]; then
{LOCK_IS_FREE}
fi
for name in $mine; do
  size=$(du -sk "$name" 2>/dev/null) || size=0
  size=${{size%%[!0-9]*}}
  total=$((total + ${{size:-0}}))
done
if [ "$verb" = remove ]; then
  for name in $mine; do
    [ "$name" = lock ] || rm -rf "./$name"
  done
  rm -f ./lock
  for name in $mine; do
    [ ! -e "$name" ] || say left "$name"
  done
  [ -n "$kept" ] || {{ cd / && rmdir "$folder" 2>/dev/null; }}
fi
say size "$total"
"""
"""Arguments: marker, folder, `look` or `remove`. POSIX sh with the tools of busybox or toybox is enough.

Answers `absent`, `closed` (not allowed in), `nothing`, `foreign NAME` for each name that is not bench's, `unmarked
NAMES` (bench's names, but no proof that bench made them), `busy HOLDER`, or else `size KIB`, before it `kept NAMES` and
`left NAME` for what could not be removed. The lock is held while it removes, and goes last.
"""


@dataclass(frozen=True)
class Tidied:
    """A device's work folder, gone, or with `dry_run` about to go. `size_bytes` is None where there was nothing."""

    folder: str
    size_bytes: int | None
    kept: tuple[str, ...]
    """What lies in the same folder and is the cache of a machine that converts."""


def tidy(name: str, device: DeviceConfig, dry_run: bool = False) -> Tidied:
    """Remove what bench keeps on the device. Raises DeviceError: a folder not bench's, or in use (Busy)."""
    transport = connect(name, device, Deadline(CONNECT_WITHIN_S))
    try:
        done, answers = run_script(transport, SCRIPT, [device.folder, "look" if dry_run else "remove"],
                                   REMOVE_WITHIN_S)
    finally:
        transport.close()
    if not answers:
        raise DeviceError(f"cannot look into {device.folder} on the device: {said(done)}")
    return _read(answers, device.folder)


def _read(answers: list[tuple[str, str]], folder: str) -> Tidied:
    found = dict(answers)
    foreign = [rest for word, rest in answers if word == "foreign"]
    if foreign:
        shown = ", ".join(foreign[:5]) + (", ..." if len(foreign) > 5 else "")
        raise DeviceError(f"{folder} on the device holds what bench did not put there: {shown}", hint="remove by hand "
                          "what is bench's, or point `workdir` of this device to a folder of its own")
    if "unmarked" in found:
        raise DeviceError(f"nothing shows that bench made {folder} on the device: it holds {found['unmarked']} and no "
                          "agent", hint="remove it by hand if it is bench's")
    if "closed" in found:
        raise DeviceError(f"cannot look into {folder} on the device: it is not allowed to this account")
    if "busy" in found:
        raise busy(parse_holder(found["busy"]))
    left = [rest for word, rest in answers if word == "left"]
    if left:
        raise DeviceError(f"cannot remove {', '.join(left)} of {folder} on the device",
                          hint="look there for files of another account")
    size = int(found["size"]) * 1024 if re.fullmatch(r"\d{1,15}", found.get("size", "")) else None
    return Tidied(folder, size, tuple(found.get("kept", "").split()))


def prune_bundles(root: Path, older_than_days: float, everything: bool) -> tuple[int, int]:
    """Remove parts of this machine's library of bundles, and count them and the bytes that this freed.

    Everything; or else what was downloaded and built so long ago, but for the layers of the newest bundle.
    """
    newest = library.newest(root)
    needed = {layer.folder for layer in newest.layers} if newest and not everything else set()
    parts = {layer: sorted(root.glob(f"layers/{layer}.*")) for layer in _stems(root / "layers") - needed}
    parts["downloads"] = [root / "downloads"]
    horizon = time.time() - older_than_days * 86400
    count = freed = 0
    for paths in parts.values():
        files = [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
        if files and (everything or max(file.stat().st_mtime for file in files) < horizon):
            count, freed = count + 1, freed + sum(file.stat().st_size for file in files)
            for path in paths:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    if everything:
        shutil.rmtree(root, ignore_errors=True)
    return count, freed


def _stems(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in folder.glob("*") if path.is_file()}
