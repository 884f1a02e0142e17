"""Framing: whatever arrives is a message or a ProtocolError, in bounded memory."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import protocol

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


@given(st.dictionaries(st.text(), JSON, max_size=5), st.lists(st.integers(1, 40), max_size=20))
def test_a_message_survives_any_cutting_of_the_stream(fields: dict[str, object], cuts: list[int]) -> None:
    message = {**fields, "type": "x"}
    stream = protocol.encode(message) * 3
    lines, reader = [], protocol.Lines()
    for size in cuts:
        lines += reader.feed(stream[:size])
        stream = stream[size:]
    lines += reader.feed(stream)
    assert [protocol.decode(line) for line in lines] == [message] * 3


@given(st.binary(max_size=300))
def test_garbage_is_a_protocol_error_or_a_message(data: bytes) -> None:
    reader = protocol.Lines()
    for line in reader.feed(data + b"\n"):
        try:
            assert isinstance(protocol.decode(line)["type"], str)
        except protocol.ProtocolError as error:
            assert len(str(error)) < 1000


@pytest.mark.parametrize("line", [b'{"type": NaN}', b'{"type":"x","n":Infinity}', b"[" * 100_000, b"{}", b'"x"',
                                  b'{"type":1}', b"\xff\xfe", b'{"type":"x","n":-1e999}'])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(line)


def test_an_endless_line_is_refused_before_it_fills_the_memory() -> None:
    reader = protocol.Lines()
    with pytest.raises(protocol.ProtocolError, match="a line of over"):
        for _ in range(40):
            reader.feed(b"x" * (1 << 16))


def test_nan_is_never_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        protocol.encode({"type": "x", "value": float("nan")})


def test_a_message_over_the_limit_is_never_sent() -> None:
    with pytest.raises(ValueError, match="over the limit"):
        protocol.encode({"type": "x", "text": "x" * protocol.MAX_LINE})


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6), st.data())
def test_a_lost_or_changed_line_shows_in_the_tally(lines: list[bytes], data: st.DataObject) -> None:
    sent, arrived = protocol.Tally(), protocol.Tally()
    lost = data.draw(st.integers(0, len(lines) - 1))
    for position, line in enumerate(lines):
        sent.add(line)
        if position != lost:
            arrived.add(line)
    done = {"frames": sent.frames, "crc": sent.crc}
    assert sent.mismatch(done) is None
    assert "messages arrived" in str(arrived.mismatch(done))


def test_a_full_chunk_of_samples_fits_into_a_message() -> None:
    longest = [10**18] * protocol.SAMPLES_PER_MESSAGE
    assert json.loads(protocol.encode({"type": "samples", "trial": "t" * 64, "ns": longest}))["ns"] == longest
