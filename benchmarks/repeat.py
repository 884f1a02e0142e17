"""A second run of the same suite: how much is converted and pushed again. It should be nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Aim, Figure, Part, spread
from benchmarks.runs import RunFailed, run_suite, zoo_suite
from benchmarks.setting import Setting

TITLE = "A second run of the same suite, begun with an empty cache and an empty device"
NONE = Aim(0, 0)


@dataclass(frozen=True)
class Effort:
    """What one run did: files converted, other results computed for the cache, bytes pushed to the device."""

    converted: int
    computed: int
    pushed_bytes: int
    seconds: float


def measure(setting: Setting) -> Part:
    """What the second run did, beside the first."""
    suite = zoo_suite("repeat", "[fp32]", "[onnxruntime]") if setting.quick else zoo_suite("repeat", "[fp32, int8]")
    try:
        setting.tell("first run, which converts and pushes")
        first = _effort(suite, setting.folder)
        setting.tell("second run")
        second = _effort(suite, setting.folder)
    except RunFailed as error:
        return Part("repeat", TITLE, missing=str(error))
    return Part("repeat", TITLE, (
        Figure("conversions", spread([second.converted]), digits=0, aim=NONE, note=f"first run: {first.converted}"),
        Figure("fp32 references computed", spread([second.computed]), digits=0, aim=NONE,
               note=f"first run: {first.computed}"),
        Figure("pushed", spread([second.pushed_bytes]), " bytes", 0, NONE, f"first run: {first.pushed_bytes:,}"),
    ), (f"wall time: {first.seconds:.1f} s, then {second.seconds:.1f} s",))


def _effort(suite: str, folder: Path) -> Effort:
    """Run it, and count by what has changed on the disk; of bytes pushed, the run's own count where that is larger."""
    cache, device = folder / "cache", folder / "device"
    entries, files = set(cache.glob("entries/*")), written(device)
    finished = run_suite(suite, folder, "--quick", cache=cache)
    new = set(cache.glob("entries/*")) - entries
    converted = sum("format" in json.loads((entry / "entry.json").read_text())["facts"] for entry in new)
    appeared = sum(size for file, size in written(device).items() if file not in files)
    counted = sum(session.pushed_bytes for session in finished.stored.sessions)
    return Effort(converted, len(new) - converted, max(appeared, counted), finished.wall_s)


def written(device: Path) -> dict[tuple[Path, int], int]:
    """Sizes of the files that were pushed to the device's folder, each by its path and inode.

    A push writes a new file and renames it; when a file was used last is marked in its time and does not count.
    """
    pushed = [*device.glob("*.pyz"), *device.glob("files/*")]
    return {(path, path.stat().st_ino): path.stat().st_size for path in pushed}
