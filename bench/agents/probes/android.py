"""Android: what `getprop` says a phone is, and what its services (`dumpsys`) say of its state."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from bench.agents.probes import battery, command, getprop, thermal
from bench.agents.probes.problems import refuse

BIN = "/system/bin"
CALL_WITHIN_S = 2.0
"""For each call; the agent tells the host between them that it is alive."""
ASK_EVERY_S = 1.0
SPARING_EVERY_S = 15.0
"""While something is measured: a call starts a process and works in the system's own."""

_AWAKE = {"Awake": True, "Dreaming": True, "Dozing": False, "Asleep": False}
_DISPLAY = {"ON": True, "VR": True, "OFF": False, "DOZE": False, "DOZE_SUSPEND": False, "ON_SUSPEND": True}


def here() -> bool:
    """Whether this is Android."""
    return os.path.exists(os.path.join(BIN, "getprop"))


def properties_text(problems: List[str]) -> str:
    """What `getprop` prints here; empty, with a note, when it does not answer."""
    return _said(["getprop"], problems)


def setting(name: str, problems: List[str]) -> Optional[str]:
    """The value of a global setting; None for one that is unset, and, with a note, where the phone does not answer."""
    told = _said(["settings", "get", "global", name], problems).strip()
    return told if told not in ("", "null") else None


def facts_from(text: str, problems: Optional[List[str]] = None) -> Dict[str, Any]:
    """What a phone is, from what `getprop` prints. What it does not tell is None (or an empty list)."""
    problems = [] if problems is None else problems
    told = {key: value.strip() for key, value in getprop.parse(text, problems).items() if value.strip()}
    abis = told.get("ro.product.cpu.abilist") or told.get("ro.product.cpu.abi") or ""
    return {
        "manufacturer": told.get("ro.product.manufacturer"),
        "model": told.get("ro.product.model"),
        "soc": _soc(told),
        "release": told.get("ro.build.version.release"),
        "api_level": _api_level(told.get("ro.build.version.sdk"), problems),
        "fingerprint": told.get("ro.build.fingerprint"),
        "security_patch": told.get("ro.build.version.security_patch"),
        "abis": [abi.strip() for abi in abis.split(",") if abi.strip()],
    }


def system_of(android: Dict[str, Any]) -> str:
    """The system's name from those facts: `Android 14 (API 34)`, shorter where they lack something."""
    release, level = android["release"], android["api_level"]
    return " ".join(["Android"] + ([release] if release else []) + (["(API {})".format(level)] if level else []))


def is_emulator(text: str) -> bool:
    """Whether `getprop`'s text is that of Android's own emulators."""
    told = getprop.parse(text, [])
    return (any(told.get(key) == "1" for key in ("ro.boot.qemu", "ro.kernel.qemu"))
            or told.get("ro.hardware") in ("ranchu", "goldfish", "cutf_cvm"))


def screen_on(text: str, problems: List[str]) -> Optional[bool]:
    """Whether the screen is lit, from what `dumpsys power` prints; an always-on display is not."""
    for pattern, meanings in ((r"^Display Power: state=(\w+)", _DISPLAY), (r"^[ \t]*mWakefulness=([A-Z]\w*)", _AWAKE)):
        match = re.search(pattern, text, re.MULTILINE)
        if match and match.group(1) in meanings:
            return meanings[match.group(1)]
        if match:
            refuse(problems, "dumpsys power: not understood", match.group(0).strip())
            return None
    refuse(problems, "dumpsys power: no state of the display", text.strip())
    return None


class Told(NamedTuple):
    """What the services said, and when by the monotonic clock."""

    at: float
    battery: Optional[Dict[str, Any]]
    thermal: thermal.Thermal
    screen_on: Optional[bool]
    problems: List[str]


class Services:
    """Asks the phone's services, not more often than their cost allows."""

    def __init__(self) -> None:
        self._told: Optional[Told] = None

    def ask(self, sparing: bool, between: Callable[[], None]) -> Told:
        """What they say, or said up to 1 s ago, with `sparing` 15 s. `between` is called before each call."""
        limit = SPARING_EVERY_S if sparing else ASK_EVERY_S
        if self._told is None or time.monotonic() - self._told.at >= limit:
            self._told = _ask(between)
        return self._told


def _ask(between: Callable[[], None]) -> Told:
    at = time.monotonic()
    problems: List[str] = []
    said: Dict[str, str] = {}
    for service in ("battery", "thermalservice", "power"):
        between()
        said[service] = _said(["dumpsys", service], problems)
    state, heat, power = (said[service] for service in ("battery", "thermalservice", "power"))
    return Told(at, battery.parse(state, problems) if state else None,
                thermal.parse(heat, problems) if heat else thermal.Thermal(None, False, []),
                screen_on(power, problems) if power else None, problems)


def _said(words: List[str], problems: List[str]) -> str:
    try:
        said = command.output([os.path.join(BIN, words[0]), *words[1:]], CALL_WITHIN_S)
    except command.Unanswered as unanswered:
        refuse(problems, str(unanswered))
        return ""
    if not said.strip():
        refuse(problems, "{} said nothing".format(" ".join(words)))
    return said.strip() and said


def _soc(told: Dict[str, str]) -> Optional[str]:
    """Maker and model since Android 12, else the first of older names."""
    model = told.get("ro.soc.model")
    if model:
        maker = told.get("ro.soc.manufacturer")
        return "{} {}".format(maker, model) if maker else model
    names = ("ro.chipname", "ro.hardware.chipname", "ro.board.platform", "ro.hardware")
    return next((told[name] for name in names if name in told), None)


def _api_level(value: Optional[str], problems: List[str]) -> Optional[int]:
    if value is None:
        return None
    if re.fullmatch("[0-9]{1,3}", value):
        return int(value)
    refuse(problems, "getprop: not an API level", value)
    return None
