"""What a failed trial says of itself."""

from __future__ import annotations

from bench.agents.reasons import one_line


def test_of_an_import_that_failed_because_another_did_the_innermost_is_told() -> None:
    try:
        try:
            raise ImportError("libstdc++.so.6: cannot open shared object file")
        except ImportError as inner:
            raise ImportError("IMPORTANT: PLEASE READ THIS\n\na page of advice") from inner
    except ImportError as error:
        assert one_line(error) == "ImportError: libstdc++.so.6: cannot open shared object file"


def test_only_the_first_line_that_says_something_is_told() -> None:
    assert one_line(ValueError("\n\n  bad shape\nmore")) == "ValueError: bad shape"
    assert one_line(ValueError()) == "ValueError: no message"
