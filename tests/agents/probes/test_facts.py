"""What the device is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.agents.probes import android, conditions, facts
from tests.fakes.phone_answers import EMULATOR

ROOT = Path(__file__).parents[3]
EMULATED = "from bench.agents.probes import facts; print(facts.emulated(''))"


def test_a_phone_is_named_by_its_properties(phone: Callable[..., Path], tmp_path: Path) -> None:
    phone()
    found = facts.facts(str(tmp_path), {"temperature_c": 36.9})
    assert (found["os"], found["soc"], found["temperature_c"]) == ("Android 14 (API 34)", "Google Tensor G3", 36.9)
    assert found["android"]["model"] == "Pixel 8 Pro"
    assert found["problems"] == []
    assert json.dumps(found)


def test_androids_emulator_is_emulated(phone: Callable[..., Path], tmp_path: Path) -> None:
    phone(properties=EMULATOR)
    assert facts.facts(str(tmp_path), {"temperature_c": None})["emulated"]


def test_a_phone_that_does_not_answer_is_still_one(phone: Callable[..., Path], tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android, "CALL_WITHIN_S", 0.2)
    phone(properties=None)
    found = facts.facts(str(tmp_path), {"temperature_c": None})
    assert found["os"] == "Android"
    assert found["android"]["model"] is None
    assert "getprop" in found["problems"][0]


def test_this_machine_is_no_phone(tmp_path: Path) -> None:
    found = facts.facts(str(tmp_path), conditions.Watch().look())
    assert found["android"] is None
    assert found["page_size"] == os.sysconf("SC_PAGE_SIZE")
    assert isinstance(found["core_capacities"], list)


def test_what_runs_below_a_program_of_qemus_user_mode_is_emulated(tmp_path: Path) -> None:
    said = {}
    for name in ("qemu-aarch64-static", "qemu-system-aarch64", "sh"):
        program = tmp_path / name
        shutil.copy2("/bin/sh", program)  # what counts is the name of the file that the parent runs
        done = subprocess.run([program, "-c", '"$@"; exit $?', "sh", sys.executable, "-c", EMULATED], cwd=ROOT,
                              capture_output=True, text=True, timeout=60, check=False)
        said[name] = done.stdout.strip() or done.stderr
    assert said == {"qemu-aarch64-static": "True", "qemu-system-aarch64": "False", "sh": "False"}
