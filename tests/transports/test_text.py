"""Text from a device cannot harm a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.transports.text import Tail, printable, whole


def test_control_characters_and_broken_utf8_are_made_visible() -> None:
    assert printable(b"a\x1b[2Jb\x07\xff\x00\r\n\tc") == "a\\x1b[2Jb\\x07\\xff\\x00\\r\n\tc"
    assert printable("\u202eevil \u2603".encode()) == "\\u202eevil \u2603"


@given(st.binary(max_size=300))
def test_no_bytes_make_an_unprintable_character(data: bytes) -> None:
    assert all(char.isprintable() or char in "\n\t" for char in printable(data))


@given(st.text(st.characters(), max_size=30))
def test_whole_text_can_be_written_whatever_it_was(text: str) -> None:
    whole(text).encode()
    assert whole(whole(text)) == whole(text)


def test_what_utf8_cannot_hold_is_made_visible() -> None:
    assert whole("token \ud83d") == "token \\ud83d" and whole("mod\udce8le.pt") == "mod\\xe8le.pt"
    assert printable("token \ud83d") == "token \\ud83d" and whole("\u2603") == "\u2603"


def test_the_end_is_what_is_kept() -> None:
    assert printable(b"x" * 100 + b"end", 3) == "end"
    tail = Tail(4)
    for part in (b"abc", b"", b"defgh", b"i"):
        tail.add(part)
    assert tail.value() == b"fghi"
