"""One image for all, and one board where a test leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.deadline import Deadline
from bench.testing.board.board import Board, running_board
from bench.testing.board.image import BoardImage
from bench.transports.base import Transport
from bench.transports.connect import connect
from tests.fakes.board import shared_image


@pytest.fixture(scope="session")
def image() -> BoardImage:
    return shared_image()


@pytest.fixture(scope="session")
def board(image: BoardImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with running_board(image, tmp_path_factory.mktemp("board")) as running:
        yield running


@pytest.fixture
def transport(board: Board) -> Iterator[Transport]:
    way = connect("board", board.device(), Deadline(60))
    yield way
    way.close()
