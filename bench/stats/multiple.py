"""Many tests at once: keeping the share of false finds small."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p: Sequence[float]) -> tuple[float, ...]:
    """`p` adjusted for being judged together: calling those at most q keeps the expected share of false calls below q.

    Where nothing differs at all, the chance of a single false call among them is at most q. For independent or
    positively dependent tests. Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995).
    """
    adjusted = [1.0] * len(p)
    lowest = 1.0
    order = sorted(range(len(p)), key=p.__getitem__)
    for rank in range(len(p), 0, -1):
        lowest = min(lowest, p[order[rank - 1]] * len(p) / rank)
        adjusted[order[rank - 1]] = lowest
    return tuple(adjusted)


def next_threshold(p: Sequence[float], level: float) -> float:
    """What a value in place of the largest of `p` must be at most for `benjamini_hochberg` to bring it to `level`."""
    ordered = sorted(p)
    rank = max((rank for rank in range(1, len(p) + 1) if rank == 1 or ordered[rank - 2] <= level * rank / len(p)),
               default=1)
    return level * rank / max(1, len(p))
