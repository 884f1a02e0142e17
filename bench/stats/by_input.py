"""Whether a model's time depends on its input: times of several inputs, taken by turns in random order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

WORTH_TELLING = 0.05
"""The share by which the slowest input's median must exceed the fastest one's."""
RESOLUTION_NS = 1000
"""And at least by this: the clock and the interpreter do not resolve less."""
BY_CHANCE = 0.0025
"""Orders drawn by chance that set the inputs so far apart, at most."""
DRAWN = 3999
AT_ONCE = 400
CLIP = 3.0
"""Standard deviations at which single times count no further: another process's burst is not the input's doing."""
MOST_ROUNDS = 200
"""Of more, so many are taken that lie evenly among them: they tell enough."""
SEED = 20260101

Array = NDArray[np.float64]


def unlike_medians(rounds_ns: ArrayLike) -> tuple[float, ...] | None:
    """The median of each input in ns, where they differ beyond noise; None where they do not, or that is not known.

    `rounds_ns` has a row for each round (n, inputs): the times of all inputs, one inference each, in whatever order
    chance had them run in that round. Were they alike, the same times would have come with any input in any place; so
    in each round the times (logarithms less the round's median, clipped at `CLIP`) are dealt out to the inputs anew,
    `DRAWN` times, and the inputs' means are further apart (by their sum of squares) in a share of at most `BY_CHANCE`
    of those. This assumes nothing of the noise: what a device does meanwhile (drifts, two speeds, bursts, trials that
    differ) it does to whichever input comes next.

    Few rounds cannot tell: one slow input among 4 needs some 5 rounds, one of 2 needs 10. The medians must also differ
    by `WORTH_TELLING` and `RESOLUTION_NS`. Of 1,500 to 2,500 simulated cells each of equal inputs (3 to 100 rounds of 4
    or 8) with log-normal noise of 30 %, two speeds that take turns, or an autocorrelation of 0.9, 0.1 to 0.3 % seemed
    unlike; with noise of 3 %, a drift of 50 % or bursts fewer. One input 10 % slower than three others under noise of
    3 % was found in 88 % of 6 rounds and in all of 15; 30 % slower in all of 6, with bursts in 51 and 74 %.
    Raises ValueError for what is not a table of finite times.
    """
    times = np.asarray(rounds_ns, dtype=np.float64)
    if times.ndim != 2 or not np.isfinite(times).all():
        raise ValueError("wanted finite times by round and input")
    if times.shape[0] < 2 or times.shape[1] < 2:
        return None
    medians = np.median(times, axis=0)
    fastest, slowest = float(medians.min()), float(medians.max())
    if slowest - fastest < RESOLUTION_NS or slowest <= (1 + WORTH_TELLING) * fastest:
        return None
    return tuple(map(float, medians)) if _share_as_far_apart(_centred(times)) <= BY_CHANCE else None


def _centred(times: Array) -> Array:
    """Logarithms less their round's median, clipped."""
    if len(times) > MOST_ROUNDS:
        times = times[np.linspace(0, len(times) - 1, MOST_ROUNDS).astype(int)]
    logs = np.log(np.maximum(times, 1.0))
    logs -= np.median(logs, axis=1, keepdims=True)
    limit = CLIP * 1.4826 * float(np.median(np.abs(logs[logs != 0]))) if logs.any() else 0.0
    return np.clip(logs, -limit, limit)


def _share_as_far_apart(rows: Array) -> float:
    """The share of random deals (the one that was measured counted among them) with means as far apart."""
    random = np.random.default_rng(SEED)
    found = _apart(rows)
    as_far = 1
    for begin in range(0, DRAWN, AT_ONCE):
        number = min(AT_ONCE, DRAWN - begin)
        dealt = random.permuted(np.broadcast_to(rows, (number, *rows.shape)), axis=2)
        as_far += int(np.count_nonzero(_apart(dealt) >= found * (1 - 1e-9)))
    return as_far / (DRAWN + 1)


def _apart(rows: Array) -> Array:
    """The sum of squares of the inputs' means; a round's own mean is the same in any deal."""
    means = rows.mean(axis=-2)
    return np.asarray(((means - means.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1))
