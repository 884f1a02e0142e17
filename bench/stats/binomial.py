"""The binomial distribution, for shares that are counted: how often chance gives as much."""

from __future__ import annotations

import math


def at_least(successes: int, count: int, share: float) -> float:
    """The probability of `successes` or more of `count` where each has the probability `share`: P(X >= k).

    Summed from logarithms of the terms, so that large counts neither overflow nor vanish.
    """
    if successes <= 0 or share >= 1:
        return 1.0
    if share <= 0 or successes > count:
        return 0.0
    whole, yes, no = math.lgamma(count + 1), math.log(share), math.log1p(-share)
    terms = (whole - math.lgamma(k + 1) - math.lgamma(count - k + 1) + k * yes + (count - k) * no
             for k in range(successes, count + 1))
    return min(1.0, math.fsum(math.exp(term) for term in terms))
