"""The report page in a real browser: quiet, alone, usable by keyboard, on a phone, accessible."""

import os
import shutil

import pytest
from reporting_support import write_everything

from warptag.reporting import write_page

pytestmark = pytest.mark.extra
EVIL = '<img src="x:y" onerror="document.title=1">'
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    names = [EVIL, "a tag with a name of many words" * 3, *(f"tag {i}" for i in range(2, 30))]
    write_everything(folder, settings="W" * 500, num_tags=30, tag_names=names)
    (folder / "command.txt").write_text("warptag report DIR\n")
    return write_page(folder).as_uri()


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium; install it, or name one in CHROMIUM")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Opens the page; what it requests and what goes wrong is kept beside it."""

    def open_it(width=1280, **options):
        page = browser.new_page(viewport={"width": width, "height": 800}, **options)
        page.requests, page.problems = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("console", lambda message: page.problems.append(message.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(address)
        return page

    return open_it


def test_no_error_and_no_request_leaves_the_page(open_page, address):
    page = open_page()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.locator(".card img").last.evaluate("image => image.decode()")
    # Charts are drawn, and in colours: the page's policy does not reach into an image.
    for chart in page.locator(".chart img").all():
        assert chart.evaluate("image => image.naturalWidth") > 500
    assert page.problems == []
    assert {url for url in page.requests if not url.startswith("data:image/")} == {address}
    assert page.title() == "Title of the data: results"


def test_the_filter_works_by_keyboard_and_says_how_many_there_are(open_page):
    page = open_page()
    status, cards = page.get_by_role("status"), page.locator(".card:visible")
    assert status.inner_text() == "6 of 6 images shown"
    options = page.locator("#tag option").all_inner_texts()[1:]
    numbers = {text: int(text.split("(")[-1].rstrip(")")) for text in options}
    wanted = min((text for text in options if text.startswith("tag")), key=numbers.get)
    page.get_by_label("Show images with the tag").focus()
    page.keyboard.type(wanted)
    chosen = page.locator("#tag").evaluate("box => box.selectedOptions[0].text")
    number = numbers[wanted]
    assert chosen == wanted and 0 < number < 6
    assert cards.count() == number
    assert status.inner_text() == f"{number} of 6 images shown"
    for index in range(number):
        # A method behind a click is opened where it is the one that gives the tag.
        given = cards.nth(index).locator(".chosen:visible").first
        assert chosen.split(" (")[0] in given.inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_nothing_scrolls_sideways_and_axe_finds_no_violation(open_page, width, scheme):
    page = open_page(width, color_scheme=scheme)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for pixels in (320, width):
        page.set_viewport_size({"width": pixels, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == pixels
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
