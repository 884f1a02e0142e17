from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from bench.report import report
from bench.report.html import embedded
from bench.report.morning import Morning
from bench.results import RunResult
from tests.fakes.mornings import calm_morning, hostile_morning, large_morning, morning
from tests.fakes.results import HOSTILE, ok_cell, run_info, typical


class _Page(HTMLParser):
    """The tags, attributes and text of a page, scripts and styles apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.raw: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] in (["script"], ["style"]) and self.cdata_elem:
            self.raw.append(data)
        else:
            self.text += data


@pytest.fixture(scope="module")
def page() -> str:
    return str(report(morning(), "html"))


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return str(report(hostile_morning(), "html"))


def test_the_page_is_one_file_and_only_its_own_script_may_run(page: str) -> None:
    parsed = _Page(page)
    assert not {"img", "link", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on") or name == "style"]
    assert all(value.startswith("#") for name, value in parsed.attributes if name in ("href", "src", "xlink:href"))
    assert parsed.tags.count("script") == 2 and ("src", "") not in parsed.attributes
    assert "@import" not in page and not re.search(r"url\((?!#)", page)


def test_the_policy_names_the_hashes_of_the_script_and_the_style(page: str) -> None:
    parsed = _Page(page)
    policy = next(value for name, value in parsed.attributes if name == "content" and "default-src" in value)
    style, _, script = parsed.raw
    for kind, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_data_cannot_end_its_element() -> None:
    text = str(embedded({"name": "</script><!--<script>&\u2028\u2029é"}))
    assert not re.search("[<>&\u2028\u2029]", text) and text.isascii()
    assert json.loads(text) == {"name": "</script><!--<script>&\u2028\u2029é"}


def test_without_a_script_the_page_tells_what_is_broken_and_what_was_not_measured(page: str) -> None:
    text = _Page(page).text
    for words in ("Red.", "1 expectation broken", "p50 at most +5 % against last-green",
                  "Expectations that could not be told", "9 of 11 cells rose by 4 to 8 %",
                  "onnxruntime 1.22.0 -> 1.23.2", "Debian GNU/Linux 12.4",
                  "top-1 agreement with the fp32 reference is 12.0 %", "need JavaScript"):
        assert words in text
    for cell in typical().cells:
        if cell.status != "ok":
            assert str(cell.reason) in text


def test_a_calm_morning_says_so_in_one_line() -> None:
    page = str(report(calm_morning(), "html"))
    heading = re.search(r"<h1.*?</h1>", page, re.DOTALL)
    assert heading and _Page(heading[0]).text.strip() == "Green. Nothing changed and nothing is broken."
    assert '<details class="group' not in page


def test_the_page_says_what_is_unusual_of_the_run(page: str) -> None:
    assert "The demo measures 4 of 7 precisions." in page
    quick = replace(typical(), run=run_info(notes=("--quick: 2 short trials.",), state="interrupted"))
    text = _Page(str(report(Morning(quick), "html"))).text
    assert "--quick: 2 short trials." in text and "interrupted" in text
    assert "no earlier run of this suite" in text


def test_every_column_is_defined_and_no_winner_is_named(page: str) -> None:
    text = _Page(page).text
    for word in ("Student's t", "VmHWM", "linear interpolation", "662", "fresh process"):
        assert word in text
    assert not re.search(r"\b(winner|fastest|recommend)", text, re.IGNORECASE)


def test_conditions_versions_and_settings_have_units(page: str) -> None:
    text = _Page(page).text
    for word in ("41 to 44 °C", "2390 to 2400 MHz", "not known", "avx512_vnni", "1.23.2", "300 s", "3932 MiB memory"):
        assert word in text


def test_hostile_names_are_text_and_nothing_else(hostile_page: str) -> None:
    parsed = _Page(hostile_page)
    assert parsed.tags.count("script") == 2 and "img" not in parsed.tags
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    for name in (HOSTILE[0], "=cmd()", "nul\\x00byte", "\\x1b[31mred", "$\\frac{", "{{ 7 * 7 }}", "</style><script>"):
        assert name in parsed.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", hostile_page)
    hostile_page.encode("utf-8")


def test_a_device_without_a_summary_is_still_shown() -> None:
    alone = Morning(RunResult(run_info(), (ok_cell(),)))
    assert "the device stated no facts" in str(report(alone, "html"))


def test_a_run_without_cells_has_a_page() -> None:
    assert "Nothing is broken." in str(report(Morning(RunResult(run_info(), ())), "html"))


def test_a_page_of_five_thousand_cells_is_below_eight_mebibytes() -> None:
    assert len(str(report(large_morning(5000), "html")).encode()) < 8 * 2**20
