"""The one rule of what is the same: threads may add up in another order, and nothing else may differ."""

from __future__ import annotations

import numpy as np
import torch

from bench.convert.sameness import difference, same
from bench.zoo.mobilenet import fashion


def test_several_threads_give_the_same_as_one() -> None:
    torch.manual_seed(0)
    net, before = fashion().eval(), torch.get_num_threads()
    x, outputs = torch.rand(1, 1, 28, 28), []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            with torch.no_grad():
                outputs.append(net(x).numpy())
    finally:
        torch.set_num_threads(before)
    assert same(outputs[:1], outputs[1:2]) and same(outputs[:1], outputs[2:])


def test_sums_in_another_order_are_the_same() -> None:
    random = np.random.default_rng(0)
    x, w = random.normal(size=(1, 4096)).astype("f4"), random.normal(size=(4096, 512)).astype("f4")
    order = random.permutation(4096)
    assert difference(x @ w, x[:, order] @ w[order]) is None


def test_more_or_fewer_outputs_are_not_the_same() -> None:
    one = np.zeros((1, 2), "f4")
    assert same([one], [one]) and not same([one], [one, one])
