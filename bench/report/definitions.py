"""What every column means: shown in the report itself, so that a number never travels without it."""

from __future__ import annotations

from typing import Final

from bench.contention import OTHERS, WAITED
from bench.convert.grades import DIFFERS_DB, POOR_DB
from bench.stats import minimum_count
from bench.throttling import CLOCK_FALL, DRIFT, RISE_C

COLUMNS: Final = (
    ("p50",
     "Median over trials of each trial's median latency of one inference, in ms. A trial is a fresh "
     "process on the device; its samples are timed one by one after warm-up, around the runtime's own call "
     "only: neither setting inputs nor reading outputs. The lowest p50 of a table is marked, together with "
     "all that cannot be told from it; only cells with right outputs, never emulated devices. The bar "
     "under it is in proportion, from zero."),
    ("95 % interval",
     "Where the p50 would lie in other sets of trials: the wider of a hierarchical bootstrap (trials, then "
     "blocks of successive samples) and an interval of the median of trial medians (Student's t of their "
     "logarithms below 6 trials, order statistics from 6 on). With one trial it covers that process only."),
    ("p90",
     f"90th percentile of all samples of the cell, by linear interpolation. It needs {minimum_count(90)} "
     f"samples, p99 {minimum_count(99)} (the bound of MLPerf's load generator), else it is \"-\"."),
    ("load, first",
     "Loading the file into the runtime, and the first inference, each in a fresh process: medians over "
     "trials, in ms. The file may be in the page cache."),
    ("peak",
     "Peak resident set (the kernel's VmHWM) of the trial's process in MiB: the most physical memory it ever had "
     "mapped, pages shared with other processes counted in full. Read outside the timed loop; median over trials. "
     "It counts the Python process and the runtime's libraries."),
    ("PSS",
     "Proportional set size (smaps_rollup) of the trial's process in MiB, once, at its end: a page that n processes "
     "share counts as 1/n. So it is most often below the peak, and depends on what else runs; median over trials. "
     "\"-\" where the kernel does not tell."),
    ("model",
     "Peak resident set less what it was after importing the runtime, in MiB: about what the model itself "
     "costs."),
    ("size",
     "The artifact's file, in MiB."),
    ("accuracy, drop",
     "Score on the labelled set, computed from outputs of the device, in %; and what is lost against the "
     "fp32 reference on the host, in percentage points (negative: gained)."),
    ("vs fp32",
     "p50 of fp32 over this p50, of the same runtime, delegate, threads, batch and device; above 1 is "
     "faster. \"≈\": the two intervals overlap, so the difference may be chance. Not given for emulated "
     "devices."),
    ("outputs",
     "The worst of all trials against the fp32 reference on the host: largest absolute difference, cosine, "
     "signal to quantization noise (SQNR), share of equal arg-max; also index by index along the axes of each output. "
     f"\"poor\": an SQNR below what the precision usually has ({POOR_DB['fp32']:g} dB for fp32, {POOR_DB['fp16']:g} "
     "for fp16, 20 for others), or a part of an output that lost much; with the lowest SQNR. \"differs\": an SQNR "
     f"below {DIFFERS_DB['fp32']:g} dB for fp32, {DIFFERS_DB['fp16']:g} for fp16, 10 for others, or a lost part "
     "(constant, saturated, or nothing but noise): do not use the timing. \"unknown\": there is nothing to compare "
     "with, or both calibration and check were on made-up values; the reason is beside it."),
    ("throttled",
     f"The device did not keep its pace in some trial: while it ran, the highest clock of its cores fell by more "
     f"than {100 * CLOCK_FALL:.0f} %, a sensor rose by more than {RISE_C:g} °C, the system told of a thermal "
     f"status above 0, or the samples' median rose by more than {100 * DRIFT:.0f} % from their first third to their "
     "last, clearly beyond noise. The timings hold for a device in that state only."),
    ("disturbed",
     "Other processes, or the machine's host, took the processor while some trial's samples were taken: a thread "
     f"of it waited for a core for at least {100 * WAITED:.0f} % of the time, the host took as much of one, or others "
     f"used at least {100 * OTHERS:.0f} % of the cores that the trial leaves over. Disturbed trials do not count where "
     "at least 3 others do. A disturbed cell is neither compared nor ranked: measure it again."),
    ("trust",
     "Eleven checks of each cell, each passed, failed or not known; open a cell to read them. Trusted: all passed. "
     "Unverified: none failed, some are not known. Not trusted: some failed; such a cell is shown and never ranked."),
    ("emulated",
     "The device is emulated: its timings show that it works, never how fast a real one is."),
)
