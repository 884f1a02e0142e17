"""The power mode, by what each kind of device answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.agents.probes import android, power


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | None]:
    """The mode that a board tells with these files, and in `problems` what of them was not understood."""
    monkeypatch.setattr(power, "NVPMODEL", str(tmp_path / "status"))
    monkeypatch.setattr(power, "PLATFORM_PROFILE", str(tmp_path / "platform_profile"))

    def tell(problems: list[str], status: str | None = None, profile: str | None = None) -> str | None:
        for name, said in {"status": status, "platform_profile": profile}.items():
            (tmp_path / name).unlink(missing_ok=True)
            if said is not None:
                (tmp_path / name).write_text(said)
        return power.mode(problems)

    return tell


@pytest.mark.parametrize(("status", "profile", "mode"), [
    ("pmode:0002 fmode:fanNull\n", None, "nvpmodel 2"),
    ("pmode:0000 fmode:quiet\n", None, "nvpmodel 0"),
    ("pmode:0010", "balanced\n", "nvpmodel 10"),
    (None, "low-power\n", "low-power"),
    (None, None, None),
])
def test_a_board_tells_its_mode_by_a_file(board: Callable[..., str | None], status: str | None, profile: str | None,
                                          mode: str | None) -> None:
    problems: list[str] = []
    assert (board(problems, status, profile), problems) == (mode, [])


def test_what_is_not_understood_is_a_problem_and_no_mode(board: Callable[..., str | None]) -> None:
    problems: list[str] = []
    assert board(problems, "Mode 2", "\x1b[31m") is None
    assert len(problems) == 2 and "'Mode 2'" in problems[0] and "platform_profile" in problems[1]


@pytest.mark.parametrize(("said", "mode", "unclear"), [("0\n", "normal", 0), ("1\n", "battery saver", 0),
                                                       ("null\n", None, 0), ("true\n", None, 1)])
def test_a_phone_tells_of_its_battery_saver(phone: Callable[..., Path], said: str, mode: str | None,
                                            unclear: int) -> None:
    phone(low_power=said)
    problems: list[str] = []
    assert (power.mode(problems), len(problems)) == (mode, unclear)


def test_a_phone_that_does_not_answer_has_no_mode(phone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android, "CALL_WITHIN_S", 0.2)
    phone(low_power=None)
    problems: list[str] = []
    assert power.mode(problems) is None and "settings get global low_power did not end" in problems[0]
