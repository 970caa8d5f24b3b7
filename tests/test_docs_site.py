"""The documentation site builds without a warning, and its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from warptag.reporting.readme import PAGES, update_tables

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    pytest.importorskip("mkdocs", reason="the site is built with the extra docs")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0 and "WARNING" not in built.stderr, built.stderr
    return folder


def test_a_page_fetches_nothing_from_other_machines(site):
    pages = sorted(site.rglob("*.html"))
    assert pages
    for page in pages:
        html = page.read_text("utf-8")
        fetched = re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"?(\S+)", html)
        assert not [address for address in fetched if re.match(r"(https?:)?//", address)], page


def test_formulas_need_no_script(site):
    for page in ("losses", "metrics"):
        html = (site / page / "index.html").read_text("utf-8")
        assert html.count("<math") > 5 and "arithmatex" not in html
        assert "merror" not in html


def test_examples_are_shown_as_code_and_pictures_of_the_results_are_there(site):
    html = (site / "reference" / "losses" / "index.html").read_text("utf-8")
    assert "WARP" in html and "&gt;&gt;&gt; " in re.sub("<span[^>]*>|</span>", "", html)
    assert "<blockquote>" not in html
    assert (site / "results" / "scenes" / "annotations.png").stat().st_size > 10_000


def anchors(text):
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"\[(.*?)\]\(.*?\)|[`*]", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_links_of_a_page_lead_to_files_and_headings_that_are_there(page):
    for link in LINK.findall(page.read_text("utf-8")):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_a_page_are_those_of_the_files(page):
    text = (ROOT / page).read_text("utf-8")
    assert update_tables(text, ROOT) == text
    assert "<!-- table: " in text


def test_the_code_on_the_page_of_metrics_prints_what_it_says(capsys):
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out.strip() == "50.0"
