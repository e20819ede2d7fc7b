"""The page as a reader meets it: in a browser, at a desk and on a telephone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_results import make_result

from shortrange.report.document import plotly_script

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import Browser, find_chromium

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or sys.platform == "win32", reason="no Chromium is installed to open the page in"
)
KEPT = "SHORTRANGE_SCREENSHOTS"
"""Environment variable that names a folder in which the pictures of the page are kept."""
DRAWN = "document.documentElement.dataset.plots === 'drawn'"
SIZES = pytest.mark.parametrize(("width", "mobile"), [(1400, False), (390, True)], ids=["desk", "telephone"])


@pytest.fixture(scope="module")
def browser():
    with Browser(CHROMIUM) as found:
        yield found


@pytest.fixture
def opened(browser, page):
    """Open the page at the desk."""
    browser.complaints.clear()
    browser.open(page, width=1400)
    browser.wait_for(DRAWN)
    return browser


@SIZES
def test_every_plot_is_drawn_and_nothing_complains(browser, page, tmp_path, width, mobile):
    browser.complaints.clear()
    browser.open(page, width=width, mobile=mobile)
    browser.wait_for(DRAWN)
    places = "[...document.querySelectorAll('[data-plot]')]"
    assert browser.run(f"{places}.length") == 8
    assert browser.run(f"{places}.every((p) => p.querySelectorAll('.main-svg').length > 0)")
    assert browser.run(
        f"{places}.every((p) => p.querySelector('.scatterlayer .trace path').getTotalLength() > 50)"
    )
    assert browser.run("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    assert browser.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert browser.complaints == []
    kept = Path(os.environ.get(KEPT) or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    picture = kept / f"report-{width}.png"
    browser.screenshot(picture)
    assert picture.stat().st_size > 100_000


def test_tables_sort_by_value(opened):
    column = "[...document.querySelector('table').tBodies[0].rows].map((r) => r.cells[0].textContent)"
    names = [model.name for model in make_result().verdict.models]
    assert opened.run(column) == names
    header = "document.querySelector('table').tHead.rows[0].cells[1]"
    opened.run(f"{header}.click()")  # probabilities: "< 10⁻¹²" comes before "3.1 %"
    assert opened.run(column) == names[::-1]
    opened.run(f"{header}.click()")
    assert opened.run(column) == names
    assert opened.run(f"{header}.getAttribute('aria-sort')") == "descending"


def test_tables_copy_with_tabs(opened):
    opened.run(
        "window.copied = null; Object.defineProperty(navigator, 'clipboard', "
        "{value: {writeText: async (text) => { window.copied = text; }}, configurable: true});"
        "document.querySelector('button.copy').click()"
    )
    opened.wait_for("window.copied !== null", seconds=5)
    rows = [line.split("\t") for line in opened.run("window.copied").splitlines()]
    assert rows[0][0] == "Model"
    assert [row[0] for row in rows[1:]] == [model.name for model in make_result().verdict.models]
    assert {len(row) for row in rows} == {len(rows[0])}


def test_print_shows_the_still_pictures(opened):
    assert opened.run("getComputedStyle(document.querySelector('figure.drawn .still')).display") == "none"
    opened.call("Emulation.setEmulatedMedia", media="print")
    assert opened.run("getComputedStyle(document.querySelector('figure.drawn .still')).display") == "block"
    assert opened.run("getComputedStyle(document.querySelector('button')).display") == "none"
    opened.call("Emulation.setEmulatedMedia", media="")


def test_prints_on_few_pages_of_a4(opened):
    printed = opened.pdf()
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    for box in boxes:
        assert [float(side) / 72 * 25.4 for side in box] == pytest.approx([210, 297], abs=0.5)
    assert boxes


@pytest.mark.parametrize("number", [2, 3])
def test_the_first_printed_page_ends_with_the_fits(opened, number):
    """Measured in the print's style, in a window as wide as the page between its margins."""
    opened.call("Emulation.setEmulatedMedia", media="print")
    millimetre = 96 / 25.4
    opened.call("Emulation.setDeviceMetricsOverride", width=round(186 * millimetre), height=900,
                deviceScaleFactor=1, mobile=False)  # fmt: skip
    place = "document.querySelector('.printed')"
    if number == 3:  # as of a project with one more measurement
        opened.run(f"{place}.append({place}.firstChild.cloneNode(true)); 0")
    heights = opened.run(f"[...{place}.querySelectorAll('img')].map((i) => i.clientHeight)")
    bottom = opened.run(f"{place}.getBoundingClientRect().bottom + window.scrollY")
    hidden = opened.run(
        "[...document.querySelectorAll('figure.on-first-page')].map((f) => getComputedStyle(f).display)"
    )
    opened.call("Emulation.setEmulatedMedia", media="")
    assert len(heights) == number
    assert min(heights) > 60 * millimetre
    assert max(heights) - min(heights) < millimetre  # none is squeezed
    assert bottom < 277 * millimetre
    assert hidden == ["none", "none"]  # shown once


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext is installed to read the print")
def test_the_first_printed_page_says_what_a_supplement_needs(opened, tmp_path):
    file = tmp_path / "report.pdf"
    file.write_bytes(opened.pdf())
    command = ["pdftotext", "-layout", "-f", "1", "-l", "1", str(file), "-"]
    words = " ".join(subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())
    result = make_result()
    for model in result.verdict.models:
        assert model.name in words
    for expected in (
        "SIMULATED DATA",
        "The data support corner-sharing mu-S.",
        "ln evidence",
        "What each measurement says",
        "Structure: corner-sharing mu-S",
        "2.352 ± 0.012",
        f"Warnings ({len(result.verdict.warnings)})",
        "Ta L3: data",
        "PDF: data",
    ):
        assert expected in words
    assert "Nuisance parameters" not in words


def test_without_plotly_the_pictures_are_seen(browser, page, tmp_path):
    bare = tmp_path / "bare.html"
    source = page.read_text(encoding="utf-8")
    bare.write_text(source.replace(plotly_script(), ""), encoding="utf-8")
    browser.complaints.clear()
    browser.open(bare, width=1400)
    assert browser.run(
        "[...document.querySelectorAll('[data-name] img')].every((i) => i.complete && i.clientWidth > 300)"
    )
    assert browser.complaints == []
