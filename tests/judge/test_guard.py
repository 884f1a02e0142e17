from __future__ import annotations

from dataclasses import replace

import pytest

from bench.collect.circumstances import NAMES
from bench.errors import ConfigError
from bench.judge.guard import AGAIN, BEFORE, Kind, differences, hindering, noted, parse_despite
from bench.judge.types import Difference
from tests.fakes.compared import ALIKE, timed

CHANGES = {"os": "Android 16", "runtime": "onnxruntime 1.23.0", "agent": "1f0c", "governor": "performance",
           "power-mode": "MAXN", "charging": "yes", "cores": "0-3", "threads": "2", "input-shape": "image 1x3x192x192",
           "batch": "8", "dataset": "abcd", "options": "graph=off", "emulation": "yes"}


@pytest.mark.parametrize("name", CHANGES)
def test_runs_that_differ_in_any_circumstance_are_not_alike(name: str) -> None:
    before, after = timed(), replace(timed(), circumstances={**ALIKE, name: CHANGES[name]})
    found = differences(before, after, "run")
    assert found == (Difference(name, ALIKE.get(name, "not known"), CHANGES[name]),)


def test_what_only_one_side_knows_is_a_difference_and_what_neither_knows_is_none() -> None:
    known, unknown = {**ALIKE}, {**ALIKE}
    del unknown["governor"]
    before, after = replace(timed(), circumstances=known), replace(timed(), circumstances=unknown)
    assert differences(before, after, "run") == (Difference("governor", "schedutil", "not known"),)
    assert differences(after, after, "run") == ()


def test_differences_come_in_the_order_of_their_names() -> None:
    after = replace(timed(), circumstances={**ALIKE, **CHANGES})
    names = [item.name for item in differences(timed(), after, "run")]
    assert names == [name for name in NAMES if name in CHANGES]


def test_another_converter_is_noted_and_hinders_nothing() -> None:
    after = replace(timed(source="cd" * 32), circumstances={**ALIKE, "converter": "torch 2.14"})
    assert differences(timed(), after, "run") == ()
    assert [(item.name, item.after) for item in noted(timed(), after)] == [
        ("model's file", "cdcdcdcdcdcd"), ("converter", "torch 2.14")]


def test_two_devices_may_have_their_own_systems_and_clocks_but_not_another_runtime_or_an_emulator() -> None:
    other = {**ALIKE, "os": "Debian 12", "cpu": "Xeon", "governor": "performance", "cores": "0", "libraries": "numpy 2",
             "charging": "no"}
    assert differences(timed(), replace(timed(), circumstances=other), "device") == ()
    other |= {"runtime": "onnxruntime 1.20.0", "emulation": "yes"}
    found = differences(timed(), replace(timed(), circumstances=other), "device")
    assert [item.name for item in found] == ["runtime", "emulation"]


def test_two_devices_that_both_tell_of_charging_must_agree() -> None:
    cells = [replace(timed(), circumstances={**ALIKE, "charging": value}) for value in ("yes", "no")]
    assert [item.name for item in differences(cells[0], cells[1], "device")] == ["charging"]


def test_two_runtimes_may_have_their_own_versions_and_options_but_not_other_threads() -> None:
    other = timed(runtime="tflite", threads=2)
    other = replace(other, circumstances={**other.circumstances, "runtime": "tflite 2.3", "delegate": "xnnpack",
                                          "options": "x=1", "libraries": "numpy 2"})
    assert [item.name for item in differences(timed(), other, "runtime")] == ["threads"]


def test_variants_of_one_runtime_must_have_its_version_in_common_and_those_of_two_need_not() -> None:
    newer = {**ALIKE, "runtime": "other", "inputs": "image abcd"}
    same = replace(timed(precision="int8"), circumstances=newer)
    assert [item.name for item in differences(timed(), same, "variant")] == ["runtime"]
    assert differences(timed(), replace(timed(runtime="tflite", precision="int8"), circumstances=newer),
                       "variant") == ()


def test_what_the_user_lets_pass_hinders_nothing() -> None:
    found = (Difference("os", "a", "b"), Difference("runtime", "1", "2"))
    assert hindering(found, {"os"}) == found[1:]
    assert hindering(found, {"all"}) == hindering(found, {"os", "runtime"}) == ()


def test_despite_takes_names_and_says_which_was_meant() -> None:
    assert parse_despite("os, runtime") == {"os", "runtime"} and parse_despite(None) == frozenset()
    with pytest.raises(ConfigError, match="no circumstance is named 'runtim', did you mean 'runtime'"):
        parse_despite("os,runtim")


@pytest.mark.parametrize("other", ["undisturbed", "disturbed", "disturbed / undisturbed", None])
@pytest.mark.parametrize("kind", ["run", "device", "runtime", "variant"])
def test_a_side_that_was_disturbed_is_compared_with_nothing(kind: Kind, other: str | None) -> None:
    theirs = {**ALIKE, **({"contention": other} if other else {})}
    mine = replace(timed(), circumstances={**ALIKE, "contention": "disturbed"})
    for sides in ((mine, replace(timed(), circumstances=theirs)), (replace(timed(), circumstances=theirs), mine)):
        found = differences(*sides, kind)
        assert [item.name for item in found] == ["contention"] and {BEFORE, AGAIN} & {found[0].before, found[0].after}
        assert hindering(found, {"contention"}) == ()


def test_contention_that_is_not_known_hinders_nothing() -> None:
    old, quiet = timed(), replace(timed(), circumstances={**ALIKE, "contention": "undisturbed"})
    assert differences(old, quiet, "run") == differences(quiet, old, "run") == differences(old, old, "run") == ()
