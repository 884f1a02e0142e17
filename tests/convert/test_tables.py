"""Which inputs of a module number the rows of a table: one call is watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.convert.tables import watching
from bench.models.spec import Table


def _tables(function: Callable[..., Any], **inputs: torch.Tensor) -> dict[str, Table]:
    with watching(inputs) as followed:
        function(*inputs.values())
    return followed.smallest


WAYS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "long": torch.Tensor.long, "view": lambda ids: ids.reshape(-1), "more": lambda ids: ids[None],
    "turned": lambda ids: ids.transpose(0, -1), "copied": lambda ids: ids.clone(), "part": lambda ids: ids[..., :1],
    "twice": lambda ids: torch.cat([ids, ids])}


@given(ways=st.lists(st.sampled_from(sorted(WAYS)), max_size=5), rows=st.integers(2, 500), other=st.integers(2, 500))
@settings(deadline=None)
def test_an_input_is_followed_to_the_smallest_table(ways: list[str], rows: int, other: int) -> None:
    first, second = nn.Embedding(rows, 4), nn.Embedding(other, 4)

    def call(ids: torch.Tensor) -> None:
        second(ids)
        for way in ways:
            ids = WAYS[way](ids)
        first(ids.long())

    found = _tables(call, ids=torch.randint(0, 2, (2, 3)))
    assert found == {"ids": Table("ids", min(rows, other), "embedding")}


@pytest.mark.parametrize("call", [
    lambda table, ids: table.index_select(0, ids), lambda table, ids: table[ids],
    lambda table, ids: table[:, 0].gather(0, ids), lambda table, ids: nn.functional.embedding_bag(ids[None], table)])
def test_every_way_to_read_rows_is_seen(call: Callable[..., Any]) -> None:
    table = torch.zeros(30, 4)
    (found,) = _tables(lambda ids: call(table, ids), ids=torch.tensor([0, 1])).values()
    assert found.rows == 30


def test_an_index_beyond_the_table_is_seen_before_it_ends_the_call() -> None:
    assert _tables(nn.Embedding(5, 2), ids=torch.tensor([99]))["ids"].rows == 5


@pytest.mark.parametrize("moved", [lambda ids: ids + 2, lambda ids: ids.clamp(max=3), lambda ids: ids.add_(1)])
def test_values_that_are_computed_with_are_not_followed(moved: Callable[..., Any]) -> None:
    table = nn.Embedding(30, 4)
    assert _tables(lambda ids: table(moved(ids)), ids=torch.tensor([0, 1])) == {}
