"""The emulated board's image, as tests share it."""

from __future__ import annotations

import pytest

from bench.errors import ConfigError
from bench.testing.board.board import why_not
from bench.testing.board.image import BoardImage, build_image
from tests.fakes.caches import test_cache


def shared_image() -> BoardImage:
    """The image in the tests' cache, built unless it is there; the test is skipped where none can be built."""
    if why_not():
        pytest.skip(why_not())
    try:
        return build_image(test_cache() / "board")
    except ConfigError as error:
        pytest.skip(str(error))
