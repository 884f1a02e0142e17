"""Shell scripts that run on a device: constants, whose values arrive as arguments. POSIX sh and busybox are enough.

Each answers on standard output with lines that start with its first argument, a random marker: what an account's
`.bashrc` prints is told apart by that.
"""

from __future__ import annotations

from typing import Final

_WORDS = r"""
export LC_ALL=C
mark=$1 target=$2 size=$3
part=$target.$mark.part dir=${target%/*}/
say() { printf '%s %s\n' "$mark" "$*"; }
stop() { rm -f "$part"; say "$@"; exit 1; }
space() { df -Pk "$dir" 2>/dev/null | tail -n 1; }
has() { command -v "$1" >/dev/null 2>&1; }
sum() {
  if has openssl; then s=$(openssl dgst -sha256 -r)
  elif has sha256sum; then s=$(sha256sum)
  elif has busybox; then s=$(busybox sha256sum)
  elif has shasum; then s=$(shasum -a 256)
  else s=$(python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'); fi
  printf '%s' "${s%% *}"
}
"""
_BEGIN = r"""
trap 'rm -f "$part"; exit 1' HUP INT TERM
[ ! -d "$target" ] || stop folder
mkdir -p "$dir" || stop mkdir
find "$dir" -maxdepth 1 -name '*.bench-*.part' -mmin +60 -exec rm -f {} \; 2>/dev/null
held=
if [ -f "$target" ] && [ "$(wc -c <"$target")" -eq "$size" ]; then held=$(sum <"$target"); fi
got=
"""
_PLACE = r"""
[ "$(wc -c <"$part")" -eq "$size" ] || stop short
[ "$got" = "$want" ] || got=$(sum <"$part")
[ "$got" = "$want" ] || stop hash "$got"
mv -f "$part" "$target" || stop rename
say done
"""

PUSH: Final = _WORDS + _BEGIN + r"""
want=$4
if [ "$held" = "$want" ]; then
  say have
  exit 0
fi
say need "$(space)"
cat >"$part" || { rm -f "$part"; stop write "$(space)"; }
""" + _PLACE
"""Arguments: marker, target, size in bytes, sha256. Answers `have`, or `need DF_LINE` and then reads the file.

Answers at the end `done`, or, with nothing left behind, `folder`, `mkdir`, `write DF_LINE`, `short`, `hash FOUND`,
`rename`. A link that drops ends the file early, hence `short`: nothing unfinished is ever renamed.
openssl first: it uses the CPU's own SHA-2 instructions, which made it 4 times as fast as Debian's sha256sum.
The temporary name is unique, lest the script of a link that dropped clear away the file of the next attempt; what a
power cut left behind is removed after an hour.
"""

ADMIT: Final = _WORDS + _BEGIN + r"""
bytes() { stat -Lc %s "$1" 2>/dev/null || wc -c <"$1"; }
nap() { idle=$((idle + 1)); sleep 0.05; }
follow() {
  idle=0 had=none
  until [ -e "$part" ] || [ "$idle" -ge 200 ]; do nap; done
  exec 3<"$part"
  idle=0
  while [ "$had" != "$size" ] && [ "$idle" -lt 200 ] && [ -e "$part" ]; do
    now=$(bytes "$part")
    [ "$now" = "$had" ] || idle=0
    had=$now
    cat <&3
    [ "$had" = "$size" ] || nap
  done
}
say holds "$held"
say clock "$(date +%s)"
say need "$(space)"
read -r word || exit 0
if [ "$word" = follow ]; then got=$(follow 2>/dev/null | sum); fi
read -r want || stop left
""" + _PLACE
"""PUSH for a file that comes to TARGET.MARKER.part by other means than this script. Arguments: marker, target, size.

Answers `holds SHA256` (of a file of that size at the target; else nothing follows), `clock SECONDS` (the device's
time) and `need DF_LINE`. Then reads a line, `follow` or another, at the end of the copy another with the sha256, and
answers as PUSH does. At the end of its input it ends without a trace.
With `follow` it hashes the file while it grows, for at most 10 s without growth. That is only to save time: unless
the sha256 comes out right, the file is hashed once more at the end.
"""

CLEAR: Final = _WORDS + r"""
rm -f "$part"
say cleared "$(space)"
"""
"""Arguments: marker, target. Removes TARGET.MARKER.part, then answers `cleared DF_LINE`."""

PULL: Final = r"""
export LC_ALL=C
[ -d "$2" ] || [ -e "$2" ] || { printf '%s missing\n' "$1"; exit 1; }
[ -f "$2" ] || { printf '%s irregular\n' "$1"; exit 1; }
exec 3<"$2" || { printf '%s unreadable\n' "$1"; exit 1; }
printf '%s size %s\n' "$1" "$(stat -Lc %s "$2" 2>/dev/null || wc -c <"$2")"
exec cat <&3
"""
"""Arguments: marker, file. Answers `missing`, `irregular` (a folder, a pipe, a device), `unreadable`, or `size BYTES`
followed by the bytes."""

KILL: Final = r"""kill -KILL "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null"""
"""Argument: the process number of a session's first process. Ends its group, else the process alone."""
