"""MkDocs hooks: files of the results on the site, and formulas as MathML, without a script."""

import re
from html import unescape
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
#: `results/` is beside `docs/`; on the site, its files are below the pages.
RESULTS = "../results/"
FORMULA = re.compile(
    r'<(?:span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</(?:span|div)>', re.DOTALL
)


def on_files(files, config):
    """Adds the files in `results/` that a page shows or links to."""
    pages = "".join(page.content_string for page in files.documentation_pages())
    for name in sorted(set(re.findall(rf"\]\({RESULTS}([^)#\s]+)\)", pages))):
        path = ROOT / "results" / name
        files.append(File.generated(config, f"results/{name}", content=path.read_bytes()))
    return files


def on_page_markdown(markdown, **_):
    """Rewrites links to the place where `on_files` puts the results."""
    return markdown.replace(f"]({RESULTS}", "](results/")


def on_page_content(html, **_):
    """Turns LaTeX into MathML, which browsers render themselves."""

    def mathml(match):
        display = "block" if match[0].startswith("<div") else "inline"
        return convert(unescape(match[1]), display=display)

    return FORMULA.sub(mathml, html)
