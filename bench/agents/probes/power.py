"""The power mode that a device is set to: a name that is another when the same board runs at another limit.

Jetson: /var/lib/nvpmodel/status holds what was set last, `pmode:0002 fmode:...` by NVIDIA's documentation of nvpmodel;
its number, for what it is called differs from module to module (not tried on a board). PCs and laptops: the kernel's
platform_profile (Documentation/ABI/testing/sysfs-platform_profile). Android: the setting that its battery saver is.
"""

from __future__ import annotations

import re
from typing import List, Optional

from bench.agents.probes import android, files
from bench.agents.probes.problems import refuse

NVPMODEL = "/var/lib/nvpmodel/status"
PLATFORM_PROFILE = "/sys/firmware/acpi/platform_profile"

_SAVER = {"0": "normal", "1": "battery saver"}


def mode(problems: List[str]) -> Optional[str]:
    """The mode in words: `nvpmodel 2`, `balanced`, `battery saver`. None where the device does not tell."""
    if android.here():
        return _saver(android.setting("low_power", problems), problems)
    for path, pattern, shown in ((NVPMODEL, r"pmode:0*(\w{1,8})\b", "nvpmodel {}"),
                                 (PLATFORM_PROFILE, r"([a-z][a-z-]{0,30})$", "{}")):
        content = files.text(path)
        match = re.match(pattern, content) if content else None
        if match:
            return shown.format(match.group(1))
        if content:
            refuse(problems, "{}: not understood".format(path), content)
    return None


def _saver(told: Optional[str], problems: List[str]) -> Optional[str]:
    if told is None or told in _SAVER:
        return None if told is None else _SAVER[told]
    refuse(problems, "settings: not a state of the battery saver", told)
    return None
