"""Nights of a store, judged one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench.config.load import LoadedSuite, parse_suite
from bench.results import Judgement
from bench.run.judging import judge_run
from bench.store.store import Store
from tests.fakes.nights import run_id

EXPECT: Final = "{latency_p50: {against: last-green, at_most: +10%}}"


def suite(expect: str = EXPECT) -> LoadedSuite:
    """A suite of one labelled model that expects this."""
    text = ("version: 1\nname: vision\nmodels: {net: {source: {onnx: net.onnx}, dataset: fashion-mnist-1k}}\n"
            f"expect: {expect}\n")
    return parse_suite(text, Path("s.yaml"), Path())


def judged(store: Store, nights: int, expect: str = EXPECT) -> list[Judgement]:
    """Each night as it was judged, one after another."""
    return [judge_run(store, run_id(night), suite(expect).config) for night in range(nights)]
