from __future__ import annotations

import pytest

from bench.words import PRECISIONS, nearest


@pytest.mark.parametrize(("word", "meant"), [
    ("int4", "int4-weight"), ("INT8", "int8"), ("int8-dyn", "int8-dynamic"), ("FP-16", "fp16"), ("int16", "int16x8"),
    ("bf16", "bf16"), ("in8", "int8")])
def test_the_nearest_name_is_the_one_that_was_meant(word: str, meant: str) -> None:
    assert f"did you mean {meant!r}?" in nearest(word, PRECISIONS)


def test_what_is_like_no_name_is_not_guessed() -> None:
    assert nearest("zebra", PRECISIONS).startswith(" (known: fp32")
