"""What every column means: shown in the report itself, so that a number never travels without it."""

from __future__ import annotations

from typing import Final

from bench.stats import minimum_count

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
     "Peak resident set (VmHWM) of the trial's process in MiB, read outside the timed loop. It counts the "
     "Python process and the runtime's libraries."),
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
     "signal to quantization noise, share of equal arg-max. \"differs\": do not use the timing."),
    ("emulated",
     "The device is emulated: its timings show that it works, never how fast a real one is."),
)
