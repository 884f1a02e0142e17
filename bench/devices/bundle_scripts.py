"""Shell scripts that put a bundle on a device: constants, whose values arrive as arguments. POSIX sh is enough.

Each answers on standard output with lines that start with its first argument, a random marker.
"""

from __future__ import annotations

from typing import Final

LOOK: Final = r"""
export LC_ALL=C
mark=$1 root=$2
shift 2
say() { printf '%s %s\n' "$mark" "$*"; }
say machine "$(uname -m)"
command -v getprop >/dev/null 2>&1 && say abis "$(getprop ro.product.cpu.abilist)"
shell=$(command -v sh)
case $shell in
  /*) ;;
  *) [ -x /bin/sh ] && shell=/bin/sh || shell=/system/bin/sh ;;
esac
say shell "$shell"
mkdir -p "$root" && cd "$root" || exit 1
say root "$(pwd)"
say free "$(df -Pk . 2>/dev/null | tail -n 1)"
try=try-$mark
printf '#!%s\nexit 0\n' "$shell" >"$try" && chmod 755 "$try" && "./$try" || say forbidden
rm -f "$try"
for name in "$@"; do [ ! -d "$name" ] || say have "$name"; done
for name in py-*; do [ ! -x "$name" ] || say launcher "$name"; done
exit 0
"""
"""Arguments: marker, the bundle's folder, the layers' folders.

Answers `machine NAME`, `abis LIST` (Android alone), `shell PATH`, `root PATH`, `free DF_LINE`, `forbidden`
where no program may start in the folder, and `have NAME` and `launcher NAME` for what is there. Layers appear by a
rename, launchers after they have run once: each is there whole.
"""

UNPACK: Final = r"""
export LC_ALL=C
mark=$1 root=$2 name=$3 files=$4
cd "$root" || exit 1
part=$name.$mark.part
stop() {
  rm -rf "$part"
  [ ! -d "$name" ] || set -- done
  rm -f "$name.tar.gz"
  printf '%s %s\n' "$mark" "$*"
  exit
}
trap 'rm -rf "$part"; exit 1' HUP INT TERM
find . -maxdepth 1 -name '*.part' -mmin +60 -exec rm -rf {} \; 2>/dev/null
[ ! -d "$name" ] || stop done
mkdir "$part" || stop tar
gzip -dc <"$name.tar.gz" | tar -xf - -C "$part" || stop tar
found=$(($(find "$part" -type f | wc -l)))
[ "$found" -eq "$files" ] || stop files "$found"
sync 2>/dev/null
[ -d "$name" ] || mv "$part" "$name" || stop rename
rm -rf "${name:?}/$part"
stop done
"""
"""Arguments: marker, the bundle's folder, the layer's, the number of files in it.

Answers `done`, or, with nothing left behind, `tar`, `files FOUND`, `rename`. A layer is not looked into again once it
has its name, hence `sync`: a power cut leaves it whole or not there. Another run may unpack the same layer meanwhile:
what counts is that the layer is there; `mv` into a folder that has just come is undone.
"""

PROBE: Final = r"""
export LC_ALL=C
mark=$1 root=$2 name=$3 new=$4 code=$5
cd "$root" || exit 1
find . -maxdepth 1 -name 'py-*.new' -mmin +60 -exec rm -f {} \; 2>/dev/null
mkdir -p home || exit 1
chmod 755 "$new" || exit 1
"$root/$new" -c "$code"
status=$?
[ "$status" -ne 0 ] || mv -f "$new" "$name" || exit 1
rm -f "$new"
printf '%s probe %s\n' "$mark" "$status"
"""
"""Arguments: marker, the bundle's folder (absolute), the launcher's name, the name it was pushed under, Python code.

Runs the pushed launcher; one that works gets its name. Answers `probe EXIT_CODE`. The pushed name is unique, lest two
runs take it from each other; what a lost link left behind is removed after an hour.
"""
