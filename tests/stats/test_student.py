from __future__ import annotations

import math

import pytest
from scipy import stats as oracle  # type: ignore[import-untyped]

from bench.stats.student import chi_square_quantile, t_cdf, t_quantile, two_sided

DEGREES = [1, 1.3, 2, 2.5, 3, 4.5, 8, 30, 99.5, 200.1, 1e4, math.inf]


@pytest.mark.parametrize("df", DEGREES)
@pytest.mark.parametrize("t", [0, 1e-6, 0.1, 0.7, 1, 1.9, 3, 8, 60, 1e4])
def test_probabilities_are_those_of_the_oracle(t: float, df: float) -> None:
    assert t_cdf(t, df) == pytest.approx(float(oracle.t.cdf(t, df)), rel=1e-9)
    assert t_cdf(-t, df) == pytest.approx(float(oracle.t.cdf(-t, df)), rel=1e-9, abs=1e-290)
    assert two_sided(-t, df) == two_sided(t, df) == pytest.approx(2 * float(oracle.t.sf(t, df)), rel=1e-9, abs=1e-290)


@pytest.mark.parametrize("df", DEGREES)
@pytest.mark.parametrize("p", [1e-9, 2e-4, 0.005, 0.025, 0.3, 0.5, 0.6, 0.975, 0.995, 0.9999])
def test_quantiles_are_those_of_the_oracle(p: float, df: float) -> None:
    assert t_quantile(p, df) == pytest.approx(float(oracle.t.ppf(p, df)), rel=1e-9)


def test_the_tables_of_textbooks_are_met() -> None:
    assert [round(t_quantile(0.975, df), 3) for df in (1, 2, 4, 8, 30)] == [12.706, 4.303, 2.776, 2.306, 2.042]
    assert t_quantile(0.995, math.inf) == pytest.approx(2.575829, abs=1e-6)


def test_an_infinite_t_has_no_tail() -> None:
    assert two_sided(math.inf, 3) == 0
    assert t_cdf(-math.inf, math.inf) == 0


@pytest.mark.parametrize("df", [1, 2, 4, 8, 18, 78])
@pytest.mark.parametrize("p", [0.05, 0.2, 0.5, 0.95])
def test_chi_square_quantiles_are_near_the_oracles(p: float, df: float) -> None:
    assert chi_square_quantile(p, df) == pytest.approx(float(oracle.chi2.ppf(p, df)), rel=0.03)


@pytest.mark.parametrize("df", [0, 0.5, -1, math.nan])
def test_less_than_one_degree_of_freedom_is_refused(df: float) -> None:
    with pytest.raises(ValueError, match="1 degree of freedom or more"):
        two_sided(1, df)
    with pytest.raises(ValueError, match="1 degree of freedom or more"):
        t_quantile(0.9, df)


@pytest.mark.parametrize("p", [0, 1, -0.1, math.nan])
def test_no_quantile_lies_at_the_ends(p: float) -> None:
    with pytest.raises(ValueError, match="above 0 and below 1"):
        t_quantile(p, 4)
