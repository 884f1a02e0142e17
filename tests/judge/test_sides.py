from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.judge.sides import find_sides, last_green, previous
from bench.store.store import Store
from tests.fakes.fake_cells import fake_run
from tests.fakes.nights import Circumstances, NightCell, run_id, write_nights

CELLS = [NightCell([4.0] * 4, device=device, model=model, precision=precision, runtime=runtime)
         for device in ("pixel-8", "orin") for model in ("mobilenet", "resnet") for precision in ("fp32", "int8")
         for runtime in ("onnxruntime", "tflite")]
GIT = ("1111aaaa" * 5, "2222bbbb" * 5, "3333cccc" * 5, "3333cccc" * 5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Four nights; the third of another suite, the last two of the same commit."""
    write_nights(tmp_path / "s", CELLS, trials=1, circumstances=lambda night: Circumstances(
        git=GIT[night], suite="audio" if night == 2 else "vision"))
    with Store(tmp_path / "s") as opened:
        yield opened


def found(store: Store, before: str, after: str, run: str | None = None) -> tuple[str, str]:
    """The two runs, or the parts of one."""
    sides = find_sides(store, before, after, run)
    if sides[0].kind == "run":
        return sides[0].run.id, sides[1].run.id
    return " ".join(sides[0].part.values()), " ".join(sides[1].part.values())


def judged(store: Store, night: int, state: str) -> None:
    store.set_judgement(run_id(night), {"state": state})


@pytest.mark.parametrize("before", [
    run_id(0), run_id(0)[:8], f"run:{run_id(0)[:10]}", "2026-01-01", "date:2026-01-01", "1111aaaa", "git:1111",
    "1111aaaa" * 5])
def test_a_run_has_many_names(store: Store, before: str) -> None:
    assert found(store, before, "last") == (run_id(0), run_id(3))


def test_previous_is_the_run_of_the_same_suite_before_the_other_side(store: Store) -> None:
    assert found(store, "previous", "last") == (run_id(1), run_id(3))
    assert found(store, "previous", run_id(1)) == (run_id(0), run_id(1))
    assert found(store, "last", "previous") == (run_id(3), run_id(1))
    with pytest.raises(ConfigError, match="no run of the suite vision before"):
        find_sides(store, "previous", run_id(0))


def test_last_green_is_the_newest_green_run_before_the_other_side(store: Store) -> None:
    with pytest.raises(ConfigError, match=f"no run of the suite vision before {run_id(3)} is green"):
        find_sides(store, "last-green", "last")
    judged(store, 0, "green")
    judged(store, 1, "red")
    judged(store, 2, "green")
    judged(store, 3, "green")
    assert found(store, "last-green", "last") == (run_id(0), run_id(3))
    assert found(store, run_id(0), "last-green") == (run_id(0), run_id(3))


def test_green_is_finished_and_judged_to_keep_what_was_expected(store: Store) -> None:
    runs = {run.id: run for run in store.runs()}
    newest = runs[run_id(3)]
    assert last_green(store, newest) is None, "not judged"
    judged(store, 0, "none")
    assert last_green(store, newest) == replace(runs[run_id(0)], judgement={"state": "none"})
    judged(store, 1, "green")
    store.set_state(run_id(1), "incomplete", None)
    green = last_green(store, newest)
    assert green is not None and green.id == run_id(0)
    assert last_green(store, runs[run_id(0)]) is None
    assert last_green(store, runs[run_id(2)]) is None, "of another suite"


def test_where_no_run_ever_finishes_one_that_kept_all_it_expected_is_green(store: Store) -> None:
    for number, state in enumerate(("green", "red", "none")):
        judged(store, number, state)
        store.set_state(run_id(number), "incomplete", None)
    green = last_green(store, store.find_run(run_id(3)))
    assert green is not None and green.id == run_id(0)


def test_a_quick_run_or_one_of_fewer_devices_is_no_baseline_for_a_whole_night(store: Store) -> None:
    devices = ["pixel-8", "orin"]
    for hour, settings in enumerate(({"devices": devices}, {"devices": ["orin"]}, {"devices": devices, "quick": True},
                                     {"devices": devices})):
        store.add_run(fake_run(f"20270101-0{hour}0000-aaaa", suite="nightly", started=f"2027-01-01T0{hour}:00:00Z",
                               state="finished", settings=settings, judgement={"state": "green"}), [])
    newest, quick, _, first = store.runs()[:4]
    assert last_green(store, newest) == first
    assert last_green(store, quick) is None


def test_a_run_that_was_stopped_or_of_fewer_devices_is_not_what_a_night_is_held_against(store: Store) -> None:
    devices = ["pixel-8", "orin"]
    for hour, (state, of) in enumerate((("incomplete", devices), ("interrupted", devices), ("finished", ["orin"]),
                                        ("finished", devices))):
        store.add_run(fake_run(f"20270101-0{hour}0000-aaaa", suite="nightly", started=f"2027-01-01T0{hour}:00:00Z",
                               state=state, settings={"devices": of}), [])
    newest, _, _, first = store.runs()[:4]
    assert previous(store, newest) == first and previous(store, first) is None


def test_a_date_or_a_commit_is_its_newest_run_of_the_other_sides_suite(store: Store) -> None:
    assert found(store, run_id(1), "git:3333cccc") == (run_id(1), run_id(3))
    assert found(store, "git:3333cccc", run_id(1)) == (run_id(3), run_id(1))


def test_a_tag_is_looked_up_in_the_suites_folder(store: Store, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    git("tag", "v1")
    for hour in (1, 2):
        store.add_run(fake_run(f"20270101-0{hour}0000-aaaa", suite_path=str(tmp_path / "suite.yaml"),
                               started=f"2027-01-01T0{hour}:00:00Z", state="finished",
                               host={"git": git("rev-parse", "HEAD") if hour == 1 else None}), [])
    assert found(store, "v1", "last") == ("20270101-010000-aaaa", "20270101-020000-aaaa")
    assert found(store, "git:v1", "last") == ("20270101-010000-aaaa", "20270101-020000-aaaa")
    for name in ("v2", "--version", "git:--help", "v1\x00"):
        with pytest.raises(ConfigError, match="was not found"):
            find_sides(store, name, "last")


@pytest.mark.parametrize(("before", "after", "parts"), [
    ("pixel-8", "orin", ("pixel-8", "orin")), ("device:pixel-8", "orin", ("pixel-8", "orin")),
    ("tflite", "onnxruntime", ("tflite", "onnxruntime")), ("tflite/cpu", "runtime:onnxruntime",
                                                           ("tflite cpu", "onnxruntime")),
    ("fp32", "int8", ("fp32", "int8")), ("onnx/fp32", "onnx/int8", ("onnx fp32", "onnx int8")),
    ("mobilenet/fp32", "resnet/int8", ("mobilenet fp32", "resnet int8")), ("mobilenet", "resnet",
                                                                           ("mobilenet", "resnet"))])
def test_parts_of_the_newest_run_have_names_too(store: Store, before: str, after: str, parts: tuple[str, str]) -> None:
    assert found(store, before, after) == parts
    assert find_sides(store, before, after)[0].run.id == run_id(3)
    assert find_sides(store, before, after, run_id(0))[1].run.id == run_id(0)


def test_a_name_that_may_be_several_things_must_be_told_apart(store: Store, tmp_path: Path) -> None:
    write_nights(tmp_path / "t", [NightCell([4.0], device="int8"), NightCell([4.0], device="int8", precision="int8"),
                                  NightCell([4.0], device="2026")], trials=1)
    with Store(tmp_path / "t") as other:
        with pytest.raises(ConfigError, match="'int8' may be several things; write one of: device:int8, variant:int8"):
            find_sides(other, "fp32", "int8")
        with pytest.raises(ConfigError, match="run:2026, device:2026"):
            find_sides(other, "2026", "last")
        assert found(other, "fp32", "variant:int8") == ("fp32", "int8")
        assert found(other, "device:2026", "device:int8") == ("2026", "int8")


def test_both_sides_must_be_of_one_kind_and_not_the_same(store: Store) -> None:
    with pytest.raises(ConfigError, match="'pixel-8' is a device and 'last' a run") as caught:
        find_sides(store, "pixel-8", "last")
    assert "--run" in caught.value.hint
    with pytest.raises(ConfigError, match=f"both sides are run {run_id(3)}"):
        find_sides(store, "2026-01-04", "last")
    with pytest.raises(ConfigError, match="both sides are device orin"):
        find_sides(store, "orin", "device:orin")
    with pytest.raises(ConfigError, match="both sides are runs"):
        find_sides(store, "previous", "last", run_id(0))


@pytest.mark.parametrize(("name", "guess"), [
    ("pixel8", "pixel-8"), ("tflit", "tflite"), ("int-8", "int8"), ("lastgreen", "last-green"),
    ("runtime:onnxruntim", "onnxruntime"), ("run:20260101-0315", ""), ("date:2026-01-09", "2026-01-0"),
    ("mobilenett", "mobilenet")])
def test_an_unknown_name_is_answered_with_the_nearest(store: Store, name: str, guess: str) -> None:
    if not guess:
        assert find_sides(store, name, "last")[0].run.id == run_id(0)
        return
    with pytest.raises(ConfigError, match=f"was not found.*did you mean '{guess}"):
        find_sides(store, name, "last")
