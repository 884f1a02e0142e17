"""The script that starts a bundle's Python on a device, from wherever its folder lies."""

from __future__ import annotations

import hashlib

from bench.bundles.layers import Bundle

_HEAD = r"""#!{shell}
case $0 in
  /*) self=$0 ;;
  *) self=$PWD/$0 ;;
esac
root=${{self%/*}}
unset LD_PRELOAD LD_LIBRARY_PATH
[ "$BENCH_PYTHON" = "$self" ] || export HOME="$root/home" TMPDIR="$root/home"
export BENCH_PYTHON="$self" LC_ALL=C
"""

_OWN = r"""export PYTHONHOME="$root/{python}" PYTHONPATH="{path}"
export PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
exec "$PYTHONHOME/lib/ld-linux-aarch64.so.1" --library-path "$PYTHONHOME/lib" --argv0 "$self" \
  "$PYTHONHOME/bin/python3.11" "$@"
"""
# --argv0 makes sys.executable this script: the program itself has an interpreter that the device lacks.
# Who was started by this very script keeps HOME and TMPDIR: the agent gives each trial its own.

_ELSEWHERE = r"""exec "$root/{layer}/py" "$@"
"""


def launcher_text(bundle: Bundle, shell: str) -> str:
    """The script, for a device whose POSIX shell lies at the path `shell`. It and the layers share a folder."""
    head = _HEAD.format(shell=shell)
    if bundle.elsewhere is not None:
        return head + _ELSEWHERE.format(layer=bundle.elsewhere.folder)
    folders = {layer.name: layer.folder for layer in bundle.layers}
    python = folders.pop("python")
    return head + _OWN.format(python=python, path=":".join(f"$root/{folder}" for folder in folders.values()))


def launcher_name(bundle: Bundle, shell: str) -> str:
    """What it is called: named by what it says."""
    return f"py-{hashlib.sha256(launcher_text(bundle, shell).encode()).hexdigest()[:16]}"
