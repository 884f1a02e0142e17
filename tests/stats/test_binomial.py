from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.stats.binomial import at_least


@given(count=st.integers(1, 5000), part=st.floats(0, 1), share=st.floats(0, 1))
def test_the_upper_tail_is_scipys(count: int, part: float, share: float) -> None:
    successes = round(part * count)
    wanted = stats.binom.sf(successes - 1, count, share)
    assert at_least(successes, count, share) == pytest.approx(wanted, rel=1e-7, abs=1e-12)
