"""What a phone is, and how its services are asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import protocol
from bench.agents.probes import android
from tests.fakes.phone_answers import EMULATOR, GALAXY_S9, PIXEL_8_PRO, POWER_NEWER, POWER_ON


def test_a_pixel_says_what_it_is() -> None:
    problems: list[str] = []
    assert android.facts_from(PIXEL_8_PRO, problems) == {
        "manufacturer": "Google", "model": "Pixel 8 Pro", "soc": "Google Tensor G3", "release": "14", "api_level": 34,
        "fingerprint": "google/husky/husky:14/AP1A.240505.005/11677807:user/release-keys",
        "security_patch": "2024-05-05", "abis": ["arm64-v8a"]}
    assert problems == []


def test_a_phone_from_before_the_properties_of_its_chip_names_it_otherwise() -> None:
    facts = android.facts_from(GALAXY_S9)
    assert facts["soc"] == "exynos9810"
    assert facts["abis"] == ["arm64-v8a", "armeabi-v7a", "armeabi"]
    assert android.facts_from("[ro.board.platform]: [sdm845]\n[ro.hardware]: [qcom]\n")["soc"] == "sdm845"
    assert android.facts_from("[ro.hardware]: [qcom]\n")["soc"] == "qcom"


def test_what_is_not_told_is_none() -> None:
    facts = android.facts_from("[ro.product.model]: []\n")
    assert set(facts.values() if not facts.pop("abis") else []) == {None}


@pytest.mark.parametrize("level", ["thirty-four", "34.1", "-1", "9999"])
def test_an_api_level_that_is_no_number_is_refused_loudly(level: str) -> None:
    problems: list[str] = []
    assert android.facts_from(f"[ro.build.version.sdk]: [{level}]\n", problems)["api_level"] is None
    assert level in problems[0]


@pytest.mark.parametrize(("text", "name"), [
    (PIXEL_8_PRO, "Android 14 (API 34)"), (GALAXY_S9, "Android 9 (API 28)"),
    ("[ro.build.version.release]: [14]\n", "Android 14"), ("[ro.build.version.sdk]: [34]\n", "Android (API 34)"),
    ("", "Android"),
])
def test_the_system_is_named_by_release_and_api_level(text: str, name: str) -> None:
    assert android.system_of(android.facts_from(text)) == name


@pytest.mark.parametrize(("text", "emulator"), [
    (EMULATOR, True), ("[ro.kernel.qemu]: [1]\n", True), ("[ro.hardware]: [goldfish]\n", True),
    (PIXEL_8_PRO, False), (GALAXY_S9, False), ("[ro.kernel.qemu]: [0]\n[ro.boot.qemu]: []\n", False),
])
def test_androids_own_emulators_are_known(text: str, emulator: bool) -> None:
    assert android.is_emulator(text) is emulator


@pytest.mark.parametrize(("text", "lit"), [
    (POWER_ON, True), (POWER_ON.replace("state=ON", "state=OFF"), False),
    (POWER_ON.replace("state=ON", "state=DOZE"), False), (POWER_NEWER, False),
    (POWER_NEWER.replace("Asleep", "Awake"), True), (POWER_NEWER.replace("Asleep", "Dozing"), False),
])
def test_the_screen_is_lit_or_not(text: str, lit: bool) -> None:
    problems: list[str] = []
    assert android.screen_on(text, problems) is lit
    assert problems == []


@pytest.mark.parametrize("text", [POWER_NEWER.replace("Asleep", "Levitating"), "Permission Denial\n",
                                  POWER_ON.replace("state=ON", "state=HALF")])
def test_a_screen_in_an_unknown_state_is_not_guessed(text: str) -> None:
    problems: list[str] = []
    assert android.screen_on(text, problems) is None
    assert len(problems) == 1


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().split("\n")[:-1]


def test_services_are_asked_again_only_after_a_while(phone: Callable[..., Path],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    folder, now = phone(), [1000.0]
    services = android.Services()
    monkeypatch.setattr(android, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def asked_after(seconds: float, sparing: bool) -> bool:
        now[0] += seconds
        before = len(calls(folder)) if (folder / "calls").exists() else 0
        services.ask(sparing, lambda: None)
        return len(calls(folder)) > before

    assert asked_after(0.0, True)
    assert not asked_after(14.0, True)
    assert asked_after(2.0, True)
    assert asked_after(1.5, False)
    assert not asked_after(0.5, False)


def test_services_that_hang_cost_their_answers_and_never_the_hosts_patience(
        phone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android, "CALL_WITHIN_S", 0.2)
    phone(battery=None, power=None)
    words: list[float] = []
    told = android.Services().ask(False, lambda: words.append(time.monotonic()))
    words.append(time.monotonic())
    assert max(later - sooner for sooner, later in pairwise(words)) < 1.5
    assert told.battery is None and told.screen_on is None
    assert told.thermal.status == 0
    assert [problem.partition(" did not end")[0].split()[-1] for problem in told.problems] == ["battery", "power"]


def test_the_longest_silence_between_two_words_is_within_the_limit() -> None:
    slack_s = 1.0
    assert android.CALL_WITHIN_S + slack_s + protocol.ALIVE_EVERY_S < protocol.SILENCE_LIMIT_S


def test_a_service_that_says_nothing_is_a_problem(phone: Callable[..., Path]) -> None:
    phone(battery="\n")
    told = android.Services().ask(False, lambda: None)
    assert told.battery is None
    assert told.problems == ["dumpsys battery said nothing"]
