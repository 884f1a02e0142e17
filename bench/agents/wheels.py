"""Wheels on the device: what its Python is, how one is unpacked, and whether what it holds can be imported.

    probe NAME ...     of these distributions, which are installed; and all that chooses a wheel
    unpack FILE NAME   FILE becomes WORKDIR/wheels/TAG/NAME, whole or not at all; other versions of it go
    check MODULE ...   import numpy and these runtimes

Each prints one JSON object, as the last line. The host runs them while an agent of its own holds the device.
"""

from __future__ import annotations

import errno
import glob
import json
import os
import re
import shutil
import sys
import zipfile
from importlib import metadata
from typing import Any, Dict, List, Optional

from bench.agents import runtimes, site
from bench.agents.reasons import one_line

ENTRY = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bench.agents.wheels import main; sys.exit(main())"
"""For `python -c ENTRY ARCHIVE WORKDIR VERB ...`."""

_DATA = re.compile(r"[^/]+\.data/(?:(?:purelib|platlib)/(?P<kept>.+))?")


def main() -> int:
    """Do what the command line says and print the answer; exit code 0 unless it raises."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # native libraries print to it
    workdir = os.path.abspath(os.path.expanduser(sys.argv[1]))
    verb, words = sys.argv[2], sys.argv[3:]
    site.use_wheels(workdir)
    if verb == "probe":
        answer = probe(workdir, words)
    elif verb == "unpack":
        answer = unpack(os.path.expanduser(words[0]), os.path.join(workdir, "wheels", site.tag(), words[1]))
    else:
        answer = check(words)
    channel.write("\n{}\n".format(json.dumps(answer)))
    channel.flush()
    os._exit(0)  # some libraries crash while they are taken down


def probe(workdir: str, names: List[str]) -> Dict[str, Any]:
    """What chooses a wheel, and what is there already: installed, and pushed earlier."""
    folders = glob.glob(os.path.join(glob.escape(os.path.join(workdir, "wheels", site.tag())), "*", ""))
    usage = shutil.disk_usage(workdir)
    return {
        "implementation": sys.implementation.name, "version": list(sys.version_info[:2]), "abi": site.abi(),
        "machine": site.machine(), "tag": site.tag(), "glibc": _glibc(), "free_bytes": usage.free,
        "installed": {name: version for name in names for version in [_version(name)] if version is not None},
        "folders": sorted(os.path.basename(os.path.dirname(folder)) for folder in folders),
    }


def unpack(file: str, target: str) -> Dict[str, Any]:
    """Unpack a wheel to `target` by way of `target.part`, then remove the wheel and other versions' folders."""
    part = target + ".part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    try:
        with zipfile.ZipFile(file) as wheel:
            for member in wheel.infolist():
                place = _place(member.filename)
                if place is not None:
                    member.filename = place
                    wheel.extract(member, part)
        os.sync()  # a folder under its final name is whole, even after a power cut
        os.rename(part, target)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return {"error": "disk full"}
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.unlink(file)
    root, name = os.path.split(target)
    for other in os.listdir(root):
        if other != name and _distribution(other) == _distribution(name):
            shutil.rmtree(os.path.join(root, other), ignore_errors=True)
    return {}


def check(names: List[str]) -> Dict[str, Any]:
    """The versions of numpy and of these runtimes, all of them imported, or the `error` of the first that failed."""
    try:
        import numpy

        versions = {"numpy": numpy.__version__}
        for name in names:
            runtimes.get(name).import_library()
            versions[name] = runtimes.get(name).version()
    except Exception as error:  # whatever a library raises is the answer
        return {"error": one_line(error)}
    return {"versions": versions}


def _distribution(folder: str) -> str:
    """`numpy` of `numpy-2.4.6-0123456789ab`: a wheel's name holds no hyphen."""
    return folder.partition("-")[0]


def _place(name: str) -> Optional[str]:
    """Where a wheel's member belongs below the folder; None for scripts and headers, which nothing here needs."""
    match = _DATA.match(name)
    return name if match is None else match.group("kept")


def _version(name: str) -> Optional[str]:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _glibc() -> Optional[List[int]]:
    """glibc's version; None for another C library."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return None
    match = re.match(r"glibc (\d+)\.(\d+)", text)
    return [int(match.group(1)), int(match.group(2))] if match else None
