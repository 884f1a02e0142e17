from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.report import report
from bench.report.html import aligned
from bench.results import RunResult
from tests.fakes.results import HOSTILE, hostile, many, ok_cell, run_info, typical

CHROMIUM = shutil.which("chromium")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")


class _Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page() -> str:
    return str(report(typical(), "html"))


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return str(report(hostile(), "html"))


def test_the_page_runs_no_script_and_loads_nothing(page: str) -> None:
    parsed = _Page(page)
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert all(value.startswith("#") for name, value in parsed.attributes if name in ("href", "src", "xlink:href"))
    assert "script-src 'none'" in page and "default-src 'none'" in page
    assert "@import" not in page and not re.search(r"url\((?!#)", page)


def test_every_cell_is_shown_and_lost_ones_with_their_reason(page: str) -> None:
    result = typical()
    assert page.count('<tr class="lowest">') >= 2
    assert len(re.findall(r'<td class="n p50">', page)) == sum(cell.status == "ok" for cell in result.cells)
    for cell in result.cells:
        if cell.status != "ok":
            assert page.count(str(cell.reason)) >= 2


def test_an_emulated_device_is_marked_and_stands_out_in_nothing(page: str) -> None:
    section = page[page.index('<section id="device-2"'):page.index('<section id="run"')]
    assert '<span class="chip emulated">emulated</span>' in section
    assert 'class="lowest"' not in section and "×" not in section and "Latency against accuracy" not in section


def test_the_page_says_what_is_unusual_of_the_run(page: str) -> None:
    assert "The demo measures 4 of 7 precisions." in page
    assert "top-1 agreement with the fp32 reference is 12.0 %" in page
    quick = replace(typical(), run=run_info(notes=("--quick: 2 short trials.",), state="interrupted"))
    text = _Page(str(report(quick, "html"))).text
    assert "--quick: 2 short trials." in text and "interrupted" in text


def test_every_column_is_defined_and_no_winner_is_named(page: str) -> None:
    text = _Page(page).text
    for word in ("Student's t", "VmHWM", "linear interpolation", "662", "fresh process"):
        assert word in text
    assert not re.search(r"\b(winner|best|fastest|recommend)", text, re.IGNORECASE)


def test_conditions_versions_and_settings_have_units(page: str) -> None:
    text = _Page(page).text
    for word in ("41 to 44 °C", "2390 to 2400 MHz", "not known", "avx512_vnni", "1.23.2", "300 s", "3932 MiB memory"):
        assert word in text


def test_hostile_names_are_text_and_nothing_else(hostile_page: str) -> None:
    parsed = _Page(hostile_page)
    assert not {"script", "img"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    for name in (HOSTILE[0], "=cmd()", "nul\\x00byte", "\\x1b[31mred", "$\\frac{", "{{ 7 * 7 }}", "</style><script>"):
        assert name in parsed.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", hostile_page)
    hostile_page.encode("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_runs_nothing_of_a_hostile_report(hostile_page: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(hostile_page, encoding="utf-8")
    done = subprocess.run([str(CHROMIUM), *FLAGS, "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
                           "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    assert "<title>owned" not in done.stdout and "bench report</title>" in done.stdout
    assert "<img" not in done.stdout and "<script" not in done.stdout
    assert "CONSOLE" not in done.stderr


def test_without_matplotlib_the_tables_stay_and_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = str(report(typical(), "html"))
    assert "pip install 'bench[report]'" in text
    assert "<svg" not in text and text.count('<table class="results">') == 3


def test_decimal_points_of_a_column_meet() -> None:
    padded = aligned(["4.31", "128", "0.0912"])
    texts = [value.replace("\u2008", ".") for value in padded.values()]
    assert {text.index(".") - len(text) for text in texts} == {-5}
    assert aligned(["1", "2"]) == {"1": "1", "2": "2"}


def test_cells_without_samples_or_accuracy_have_no_charts() -> None:
    bare = replace(ok_cell(score=None), quantiles_ms=())
    assert "<svg" not in str(report(RunResult(run_info(), (bare,)), "html"))


def test_a_device_without_a_summary_is_still_shown() -> None:
    assert "the device stated no facts" in str(report(RunResult(run_info(), (ok_cell(),)), "html"))


@pytest.mark.slow
def test_five_hundred_cells_are_written_in_seconds() -> None:
    result = many(500)
    started = time.process_time()
    text = str(report(result, "html"))
    assert time.process_time() - started < 15
    assert len(text) < 8_000_000
