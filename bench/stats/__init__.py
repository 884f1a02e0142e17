"""Statistics of cells and of pairs of cells: pure functions on numbers, numpy only.

Percentiles of a cell are taken over the samples of all its trials together; its p50 is the median over trials of trial
medians. Whatever compares cells works on trial medians: samples within a process follow one another's mood, and a
thousand of them are not a thousand pieces of evidence.
"""

from bench.stats.centre import ONE_TRIAL, Centre, cell_centre, median_interval, outer_rank
from bench.stats.percentiles import minimum_count, percentile, percentile_or_none

__all__ = ["ONE_TRIAL", "Centre", "cell_centre", "median_interval", "minimum_count", "outer_rank", "percentile",
           "percentile_or_none"]
