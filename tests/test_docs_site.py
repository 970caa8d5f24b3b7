"""The documentation site builds without a warning, and its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from warptag.reporting.readme import PAGES, update_tables

ROOT = Path(__file__).parents[1]


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


@pytest.mark.extra
def test_a_page_fetches_nothing_from_other_machines(site):
    pages = sorted(site.rglob("*.html"))
    assert pages
    for page in pages:
        html = page.read_text("utf-8")
        fetched = re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"?(\S+)", html)
        assert not [address for address in fetched if re.match(r"(https?:)?//", address)], page


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


@pytest.mark.extra
def test_formulas_need_no_script_and_examples_are_code(site):
    html = (site / "losses" / "index.html").read_text("utf-8")
    assert html.count("<math") > 5 and "arithmatex" not in html and "merror" not in html
    html = (site / "reference" / "losses" / "index.html").read_text("utf-8")
    assert "WARP" in html and "&gt;&gt;&gt; " in re.sub("<span[^>]*>|</span>", "", html)
    assert (site / "results" / "scenes" / "annotations.png").stat().st_size > 10_000


# MkDocs has checked those of the other pages.
def test_the_links_of_the_readme_lead_to_files_that_are_there():
    for link in re.findall(r"\]\(([^)\s#]+)", (ROOT / "README.md").read_text("utf-8")):
        assert re.match(r"\w+:", link) or (ROOT / link).exists(), link
