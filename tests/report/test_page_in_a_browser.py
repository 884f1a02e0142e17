from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.judge.trust import CHECKS
from bench.report.html import to_html
from bench.report.morning import Morning
from tests.fakes.mornings import hostile_morning, large_morning, morning

if TYPE_CHECKING:
    from playwright.sync_api import Browser

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")]
WITHIN_MS = 15_000
"""Of every wait: a busy machine is slow, and a wait ends as soon as what it waits for is there."""


class Seen:
    """A report in the browser, and what went wrong there."""

    def __init__(self, browser: Browser, file: Path, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1400, "height": 900}, **options)
        self.context.set_default_timeout(WITHIN_MS)
        self.file = file
        self.wrong: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        self.page.on("request", lambda request: self.wrong.extend(
            [] if request.url.startswith(file.as_uri()) else [request.url]))
        self.open("")

    def open(self, state: str) -> None:
        """The page anew, at a state."""
        self.page.goto("about:blank")
        self.page.goto(self.file.as_uri() + state)
        self.page.wait_for_selector("#heat-table table")

    def column(self, name: str) -> list[str]:
        """The texts of a column of the table of all cells, without what only screen readers read."""
        heads = [head.split("\n")[0].strip(" ↑↓") for head in self.page.locator(".cells thead th").all_inner_texts()]
        rows = self.page.locator("table.cells tbody tr[data-cell]")
        return list(rows.evaluate_all(
            "(rows, place) => rows.map((row) => { const cell = row.children[place]; if (!cell) return '';"
            "const copy = cell.cloneNode(true);"
            "copy.querySelectorAll('.unseen, small').forEach((each) => each.remove());"
            "return copy.textContent.trim(); })", heads.index(name)))

    def count(self) -> str:
        return str(self.page.locator("#count").inner_text())

    def choose(self, label: str, value: str) -> None:
        self.page.locator("#filters").get_by_label(label, exact=True).select_option(value)

    def sort(self, key: str) -> None:
        self.page.locator(f"table.cells button[data-sort={key}]").click()

    def state(self) -> str:
        return str(self.page.evaluate("location.hash"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(morning(), tmp_path_factory.mktemp("page"))


@pytest.fixture
def seen(browser: Browser, file: Path) -> Iterator[Seen]:
    """The usual page; whatever it did, nothing went wrong in it and nothing was asked for elsewhere."""
    seen = Seen(browser, file)
    yield seen
    seen.context.close()
    assert seen.wrong == []


def _written(told: Morning, folder: Path) -> Path:
    file = folder / "report.html"
    file.write_text(to_html(told), encoding="utf-8")
    return file


def test_filters_change_the_rows_and_the_count_that_is_read_aloud(seen: Seen) -> None:
    assert seen.count() == "All 28 cells" and len(seen.column("Model")) == 28
    seen.choose("Runtime", "tflite")
    seen.choose("Model", "mobilenet")
    assert set(seen.column("Runtime")) == {"tflite"} and len(seen.column("Model")) == 6
    assert seen.count() == "6 of 28 cells"
    seen.choose("Status", "skipped")
    assert seen.count() == "2 of 28 cells"
    seen.page.get_by_role("button", name="Clear filters").click()
    assert seen.count() == "All 28 cells" and seen.state() in ("", "#")
    seen.page.get_by_label("Search").fill("sigsegv torch")
    assert seen.count() == "1 of 28 cells"
    assert seen.page.locator("#count").get_attribute("aria-live") == "polite"


def test_filters_reach_the_charts(seen: Seen) -> None:
    seen.page.wait_for_selector("#scatter-panels figure")
    assert seen.page.locator("#scatter-panels figure").count() == 2
    seen.choose("Device", "board-qemu")
    seen.page.wait_for_function("document.querySelectorAll('#scatter-panels figure').length === 1")
    assert seen.page.locator("#heat-table tbody tr").count() == 1


def test_sorting_is_by_number_and_never_ranks_what_may_not_be(seen: Seen) -> None:
    seen.choose("Model", "mobilenet")
    for way, reverse in (("ascending", False), ("descending", True)):
        seen.sort("p50")
        head = seen.page.locator("table.cells th", has=seen.page.locator("button[data-sort=p50]"))
        assert head.get_attribute("aria-sort") == way
        numbers = [float(text) for text in seen.column("p50")[:10]]
        assert numbers == sorted(numbers, reverse=reverse) and min(numbers) == 1.75
        trust = seen.column("Trust")[:15]
        assert ["not trusted" in word for word in trust] == [False] * 10 + [True] * 5
    assert seen.page.locator("tr.divider").inner_text().startswith("Not ranked")
    seen.sort("p50")
    assert seen.state() == "#model=mobilenet"
    seen.sort("precision")
    assert seen.column("Precision")[0] == "fp32" and seen.column("Precision")[-1] == "int8"


def test_a_link_restores_everything_and_back_goes_a_step_back(seen: Seen) -> None:
    seen.open("#model=mobilenet&change=worse&sort=-p50&metric=size&basis=fp32")
    assert seen.count() == "2 of 28 cells" and seen.column("p50") == ["4.50", "1.75"]
    assert seen.page.locator("#heat-choices select").first.input_value() == "size"
    seen.page.locator("table.cells tbody a").first.click()
    dialog = seen.page.locator("dialog[open]")
    assert "mobilenet fp16" in dialog.inner_text() and "cell=" in seen.state()
    link = seen.state()
    seen.page.go_back()
    seen.page.wait_for_selector("dialog:not([open])", state="attached")
    assert seen.count() == "2 of 28 cells"
    seen.open(link)
    assert "mobilenet fp16" in seen.page.locator("dialog[open]").inner_text() and seen.count() == "2 of 28 cells"


def test_back_undoes_a_filter(seen: Seen) -> None:
    seen.choose("Runtime", "torch")
    assert seen.count() == "4 of 28 cells"
    seen.page.go_back()
    seen.page.wait_for_function("document.getElementById('count').textContent.startsWith('All')")
    assert seen.page.locator("#filters").get_by_label("Runtime").input_value() == ""


def test_a_number_on_top_leads_to_its_cells(seen: Seen) -> None:
    seen.page.locator(".tiles a", has_text="cannot tell").click()
    seen.page.wait_for_function("document.getElementById('count').textContent === '3 of 28 cells'")
    assert {text.split("+")[0].strip() for text in seen.column("Change")} == {"? cannot tell"}


def test_a_cell_shows_its_distribution_its_checks_and_its_numbers(seen: Seen) -> None:
    told = morning()
    assert told.comparison
    cell = next(pair.after for pair in told.comparison.pairs if pair.latency.call == "worse")
    seen.page.locator(f"table.cells tr[data-cell='{told.result.cells.index(cell)}'] td").last.click()
    dialog = seen.page.locator("dialog[open]")
    assert dialog.locator("svg.chart").count() == 2
    assert dialog.locator("figure").first.locator("circle.dot").count() == cell.trials
    dialog.locator("summary", has_text="Numbers").first.click()
    text = dialog.inner_text()
    assert f"{cell.trial_medians_ms[0]:.5g}" in text and "+14.0 % against a margin of 3 %" in text
    for check in cell.checks:
        assert check.reason in text
    assert dialog.locator("tr.check").count() == len(CHECKS)


def test_everything_can_be_reached_by_the_keyboard(seen: Seen) -> None:
    keyboard = seen.page.keyboard
    seen.page.locator("button[data-sort=p50]").focus()
    keyboard.press("Enter")
    assert seen.state() == "#sort=p50"
    keyboard.press("Space")
    assert seen.state() == "#sort=-p50"
    seen.page.locator("table.cells tbody a").first.focus()
    keyboard.press("Enter")
    assert seen.page.locator("dialog[open]").count() == 1
    assert seen.page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    keyboard.press("Escape")
    seen.page.wait_for_selector("dialog:not([open])", state="attached")
    assert seen.page.evaluate("document.activeElement.className") == "opens" and seen.state() == "#sort=-p50"
    seen.open("")
    keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "To the table of all cells"


def test_tables_and_charts_tell_what_they_are(seen: Seen) -> None:
    unnamed = """() => [...document.querySelectorAll('table, svg[role=img], select, input, button')].filter((element) =>
      !(element.caption?.textContent || element.getAttribute('aria-label') || element.labels?.length
        || element.textContent.trim())).length"""
    assert seen.page.evaluate(unnamed) == 0
    assert seen.page.evaluate("[...document.querySelectorAll('th')].filter((head) => !head.scope).length") == 0
    assert seen.page.evaluate("document.querySelectorAll('h1').length") == 1


def test_light_and_dark(browser: Browser, file: Path) -> None:
    seen = Seen(browser, file, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = seen.page.evaluate(paper)
    seen.page.locator("#theme").click()
    light = seen.page.evaluate(paper)
    assert light == "rgb(255, 255, 255)" and dark != light
    seen.page.emulate_media(color_scheme="light")
    seen.page.locator("#theme").click()
    assert seen.page.evaluate(paper) == dark
    assert seen.wrong == []
    seen.context.close()


def test_on_paper_there_are_no_controls_and_what_is_broken_is(seen: Seen) -> None:
    seen.page.emulate_media(media="print")
    assert not seen.page.locator("#filters").is_visible() and not seen.page.locator("nav").is_visible()
    assert seen.page.locator(".group.tone-bad table").first.is_visible()
    assert seen.page.pdf()[:5] == b"%PDF-"


def test_nothing_is_wider_than_a_phone(browser: Browser, file: Path) -> None:
    seen = Seen(browser, file)
    seen.page.set_viewport_size({"width": 400, "height": 800})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 400
    seen.context.close()


def test_hostile_names_run_nothing_and_break_nothing(browser: Browser, tmp_path: Path) -> None:
    seen = Seen(browser, _written(hostile_morning(), tmp_path))
    title = seen.page.title()
    assert "bench report" in title
    links = seen.page.locator("table.cells tbody a")
    assert links.count() == 39
    for place in (0, 1, 33):
        links.nth(place).click()
        assert seen.page.locator("dialog[open] h2").count() == 1
        seen.page.keyboard.press("Escape")
        seen.page.wait_for_selector("dialog:not([open])", state="attached")
    seen.choose("Model", seen.page.locator("#filters option").nth(20).get_attribute("value") or "")
    assert re.fullmatch("3 of 39 cells", seen.count())
    assert seen.page.title() == title and seen.wrong == []
    assert seen.page.evaluate("document.querySelectorAll('img, iframe, script:not(#data)').length") == 1
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1400
    seen.context.close()


def test_five_thousand_cells_are_shown_in_steps_and_filtered(browser: Browser, tmp_path: Path) -> None:
    seen = Seen(browser, _written(large_morning(5000, nights=6), tmp_path))
    assert seen.count() == "All 5,000 cells" and len(seen.column("Model")) == 200
    seen.choose("Device", "device-07")
    assert seen.count() == "250 of 5,000 cells"
    seen.page.get_by_role("button", name="Show all 250 rows").click()
    assert len(seen.column("Model")) == 250 and set(seen.column("Device")) == {"device-07"}
    assert seen.wrong == []
    seen.context.close()
