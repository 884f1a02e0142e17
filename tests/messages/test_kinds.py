"""What a word of a device may be: plain words are refused by name, descriptions become unknown."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.errors import BenchError, InfrastructureError
from bench.messages.agent import Conditions, Hello, Phases, Result, plain
from bench.messages.kinds import shown, take, text_of
from bench.session import _introduced, busy

EVIL: list[Any] = [True, -1, 1.5, math.nan, math.inf, 10**400, "x", "\ud83d", "x" * 100_000, [[]], {"a": 1}]


@pytest.mark.parametrize("evil", EVIL, ids=lambda evil: shown(evil)[:20])
def test_a_word_that_a_number_rests_on_is_refused_by_its_name(evil: Any) -> None:
    with pytest.raises(InfrastructureError, match=r"^the agent's word result\.load_ns is .+: it should ") as caught:
        take(Phases, {"load_ns": evil}, "result")
    assert caught.value.message.isascii() and len(caught.value.message) < 300


@pytest.mark.parametrize("evil", EVIL, ids=lambda evil: shown(evil)[:20])
def test_a_word_that_describes_is_unknown_where_it_is_not_understood_and_is_noted(evil: Any) -> None:
    told = {"when": "before", "available_memory_bytes": evil, "governor": "performance"}
    seen, notes = take(Conditions, told, "seen")
    assert plain(seen) == {"when": "before", "available_memory_bytes": None, "governor": "performance"}
    assert len(notes) == 1 and notes[0].startswith("available_memory_bytes: ") and notes[0].isascii()


def test_one_bad_word_of_a_part_leaves_the_others() -> None:
    seen, _ = take(Conditions, {"when": "after", "battery": {"level_percent": 80, "temperature_c": "hot"}}, "seen")
    assert plain(seen)["battery"] == {"level_percent": 80, "temperature_c": None}


def test_a_word_that_is_missing_is_named() -> None:
    with pytest.raises(InfrastructureError, match=r"the agent's word result\.findings is missing"):
        take(Result, {"phases": {}, "memory": {}, "versions": {}, "cores": [0],
                      "outputs": {"sha256": "0" * 64, "bytes": 1, "count": 1}}, "result")


def test_words_that_nobody_declared_are_dropped() -> None:
    seen, notes = take(Conditions, {"when": "asked", "type": "conditions", "mood": [[[]]]}, "seen")
    assert (plain(seen), notes) == ({"when": "asked"}, [])


def test_a_device_must_say_whether_it_is_emulated_and_where_its_folder_is() -> None:
    hello = {"agent": "a", "workdir": "/home/\udcff", "pid": 1, "facts": {"emulated": False}, "runtimes": {}}
    assert take(Hello, hello, "hello")[0].workdir == "/home/\udcff", "a name of bytes that are no UTF-8"
    for word, evil, said in (("facts", {"emulated": "no"}, "facts.emulated"), ("facts", {}, "facts.emulated"),
                             ("workdir", "work", "path of a folder"), ("workdir", "/a\nb", "path of a folder")):
        with pytest.raises(InfrastructureError, match=said):
            take(Hello, hello | {word: evil}, "hello")


def test_texts_are_cut_and_whole() -> None:
    assert text_of("a" * 9 + "\ud83d", 3) == "aa\\ud83d"
    assert text_of(None, 3) == "" and text_of([1], 99) == "a list of 1"


@pytest.mark.parametrize("evil", [*EVIL, None, 1e308])
def test_who_holds_a_device_is_told_whatever_its_lock_says(evil: Any) -> None:
    for said in ({"owner": evil, "since": 1.7e9}, {"owner": "ann", "since": evil}, {"pid": evil}):
        message = busy(said).message
        assert message.startswith("the device is in use by ") and len(message) < 400
    with pytest.raises(BenchError, match=r"in use|the agent's word|another protocol"):
        _introduced({"type": "busy", "holder": evil})
