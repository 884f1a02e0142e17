"""Student's t distribution and the chi-square quantile, without scipy."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

NORMAL = NormalDist()
MOST_TERMS = 10_000
"""Of the continued fraction. It needs some sqrt(df)."""
SMALL = 1e-300


def two_sided(t: float, df: float) -> float:
    """The probability of a t at least so far from 0, either way, with `df` (1 or more, or inf) degrees of freedom.

    I_x(df/2, 1/2) at x = df / (df + t^2), the regularised incomplete beta function (Abramowitz & Stegun 26.7.1).
    """
    _check(df)
    if math.isinf(t):
        return 0.0
    if math.isinf(df):
        return math.erfc(abs(t) / math.sqrt(2))
    square = t * t
    below, above = df / (df + square), square / (df + square)
    if below < (df / 2 + 1) / (df / 2 + 2.5):
        return _beta(df / 2, 0.5, below, above)
    return 1 - _beta(0.5, df / 2, above, below)


def t_cdf(t: float, df: float) -> float:
    """The probability of a value of at most `t`, with `df` (1 or more, or inf) degrees of freedom."""
    tail = two_sided(t, df) / 2
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=4096)
def t_quantile(p: float, df: float) -> float:
    """The value that Student's t with `df` (1 or more, or inf) stays below with probability `p` (0 < p < 1).

    Started from Hill's approximation (Algorithm 396, Communications of the ACM 13, 1970), then Newton's steps.
    """
    _check(df)
    if not 0 < p < 1:
        raise ValueError(f"no quantile for a probability of {p}: it must be above 0 and below 1")
    if p == 0.5:
        return 0.0
    tail = 2 * min(p, 1 - p)
    if math.isinf(df):
        return NORMAL.inv_cdf(p)
    t = _hill(tail, df)
    for _ in range(50):
        found = two_sided(t, df)
        # Newton on the logarithm of the tail: far out it is nearly straight in log t, where the tail itself is not.
        step = found * math.log(found / tail) / (2 * t * _density(t, df))
        t *= math.exp(max(-1.0, min(1.0, step)))
        if abs(step) < 1e-12:
            break
    return t if p > 0.5 else -t


def chi_square_quantile(p: float, df: float) -> float:
    """What a chi-square with `df` degrees of freedom stays below with probability `p` (0 < p < 1).

    Exact for 1 and 2; else by Wilson and Hilferty's cube (Abramowitz & Stegun 26.4.17), within 3 % for p from 0.05 to
    0.95 from 4 on.
    """
    if df == 1:
        return NORMAL.inv_cdf((1 + p) / 2) ** 2
    if df == 2:
        return -2 * math.log1p(-p)
    spread = 2 / (9 * df)
    return float(df * max(0.0, 1 - spread + NORMAL.inv_cdf(p) * math.sqrt(spread)) ** 3)


def _check(df: float) -> None:
    if not df >= 1:
        raise ValueError(f"Student's t needs 1 degree of freedom or more, not {df}")


def _density(t: float, df: float) -> float:
    return math.exp(_log_beta_half(df / 2) - (df + 1) / 2 * math.log1p(t * t / df)) / math.sqrt(df)


def _log_beta_half(a: float) -> float:
    """-ln B(a, 1/2). From 100 on by Stirling's series, where the difference of two lgamma has lost its digits."""
    if a < 100:
        return math.lgamma(a + 0.5) - math.lgamma(a) - math.lgamma(0.5)
    return 0.5 * math.log(a) - 1 / (8 * a) + 1 / (192 * a**3) - 0.5 * math.log(math.pi)


def _beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b), one of a and b being 1/2 and `rest` being 1 - x, for x < (a + 1) / (a + b + 2).

    The continued fraction by Lentz's method (Numerical Recipes, 3rd edition, section 6.4).
    """
    if x == 0:
        return 0.0
    front = math.exp(a * _log(x, rest) + b * _log(rest, x) + _log_beta_half(max(a, b) if max(a, b) > 0.5 else 0.5)) / a
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, MOST_TERMS):
        for term in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                     -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


def _log(x: float, rest: float) -> float:
    return math.log(x) if x < 0.5 else math.log1p(-rest)


def _away(value: float) -> float:
    return value if abs(value) > SMALL else SMALL


def _hill(tail: float, df: float) -> float:
    """The two-sided quantile, to some six digits from 3 degrees of freedom on, exact for 1 and 2."""
    if df == 1:
        return 1 / math.tan(tail * math.pi / 2)
    if df == 2:
        return math.sqrt(2 / (tail * (2 - tail)) - 2)
    a = 1 / (df - 0.5)
    b = (48 / a) / a
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * df
    y = (d * tail) ** (2 / df)
    if y > 0.05 + a:
        x = NORMAL.inv_cdf(tail / 2)
        y = x * x
        c += 0.3 * (df - 4.5) * (x + 0.6) if df < 5 else 0
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = ((1 / (((df + 6) / (df * y) - 0.089 * d - 0.822) * (df + 2) * 3) + 0.5 / (df + 4)) * y - 1) \
            * (df + 1) / (df + 2) + 1 / y
    return math.sqrt(max(df * y, 1e-12))
