"""The fleet's page in headless Chromium: it sorts, filters and prints, and needs nothing else."""

import re
import subprocess
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from exemplar.fleet.page import build_page
from exemplar.fleet.row import Edit, Row

from .conftest import CHROMIUM

ROWS = [
    Row("b-two", "b", owner="risk", score=2.0, weakest="Model", behind=10, is_simulated=False),
    Row("a-one", "a", owner="care", score=0.75, weakest="Data", behind=2, is_overdue=True),
    Row("broken", "c", fault='expected "<YAML>" & found none'),
    Row("d-four", "d", owner="care", score=3.5, behind=0, drift=[Edit("x.py", 1, 0, "+<script>")]),
]
PAGE = build_page(ROWS, ["a-one: verdict hold -> ship"], date(2026, 11, 29))


def render(folder: Path, actions: str, *options: str) -> str:
    """What the page holds once a person has done something."""
    page = folder / "fleet.html"
    page.write_text(PAGE.replace("</body>", f"<script>{actions}</script></body>"))
    completed = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *(f"--user-data-dir={folder}/profile", *options, "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return completed.stdout


def read_rows(dom: str) -> list[str]:
    """The names of the rows that are shown, in order."""
    body = dom.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r'<tr><th scope="row">([\w-]+)', body)


@pytest.fixture(scope="module")
def doms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The page after each of three actions, from one start of the browser each."""
    press = "document.querySelectorAll('thead button')[{}].click();"
    words = "const i = document.querySelector('input'); i.value = 'CARE a-';"
    actions = {
        "up": press.format(10),
        "down": press.format(4) * 2,
        "filter": words + "i.dispatchEvent(new Event('input'));",
    }
    folder = tmp_path_factory.mktemp("page")
    return {name: render(folder, action) for name, action in actions.items()}


def test_a_heading_sorts_by_number_and_what_is_not_known_comes_last(doms: dict[str, str]) -> None:
    assert read_rows(doms["up"]) == ["a-one", "b-two", "d-four", "broken"]
    assert re.findall(r'aria-sort="(\w+)"', doms["up"]) == ["ascending"]
    assert read_rows(doms["down"]) == ["b-two", "a-one", "d-four", "broken"]
    assert re.findall(r'aria-sort="(\w+)"', doms["down"]) == ["descending"]


def test_words_filter_the_rows_and_the_count_is_said(doms: dict[str, str]) -> None:
    assert read_rows(doms["filter"]) == ["a-one"], "the others are hidden"
    assert doms["filter"].count('<tr hidden="">') == 3
    assert "1 of 4 shown" in doms["filter"]


def test_it_prints(tmp_path: Path) -> None:
    file = tmp_path / "fleet.pdf"
    render(tmp_path, "", "--no-pdf-header-footer")
    subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *(f"--user-data-dir={tmp_path}/profile", f"--print-to-pdf={file}"),
            (tmp_path / "fleet.html").as_uri(),
        ],
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert file.read_bytes().startswith(b"%PDF-")


class Reader(HTMLParser):
    """What assistive technology asks of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.labels: set[str] = set()
        self.unscoped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.ids.add(values.get("id") or "")
        self.labels |= {values.get("for") or ""} if tag == "label" else set()
        self.unscoped += tag == "th" and "scope" not in values


def test_it_needs_nothing_else_and_says_what_is_what() -> None:
    assert not re.search(r"https?:|src=|@import|url\(|<link", PAGE)
    reader = Reader()
    reader.feed(PAGE)
    assert '<html lang="en">' in PAGE
    assert {"title", "main", "h1", "caption", "label", "output"} <= set(reader.tags)
    assert reader.unscoped == 0
    assert reader.labels <= reader.ids
    assert len(PAGE) < 12_000


def test_what_a_repository_says_is_text_and_no_markup() -> None:
    assert "expected &quot;&lt;YAML&gt;&quot; &amp; found none" in PAGE
    assert PAGE.count("<script>") == 1
    assert "<li>a-one: verdict hold -&gt; ship</li>" in PAGE
