"""The report page: what it shows, that it is safe, small, and the same for the same files."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from test_reporting_files import evaluation, histories, image

from tfrecords_tools.errors import InputError
from warptag.metrics.counts import FIGURES
from warptag.reporting import write_page, write_results

EVIL = '</script><img src=x onerror="alert(1)">&amp;"\''
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """The elements of a page and the text a reader sees."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.open, self.pieces = [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.pieces.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.pieces).split())

    def all(self, tag, **attributes):
        return [
            found
            for name, found in self.elements
            if name == tag and attributes.items() <= found.items()
        ]


def page_of(folder, result=None, *arguments):
    if result is not None:
        write_results(result, folder, *arguments)
    return Page(write_page(folder))


def table(**rows):
    """A table with the same figure in all columns: method -> mean, deviation, seeds."""
    return pd.DataFrame(
        [
            {
                "method": method,
                **dict.fromkeys(FIGURES, mean),
                **dict.fromkeys((f"{figure}_std" for figure in FIGURES), deviation),
                "seeds": seeds,
            }
            for method, (mean, deviation, seeds) in rows.items()
        ]
    )


def write_table(folder, **rows):
    table(**rows).to_csv(folder / "table_k3.csv", index=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results with everything there is, and HTML wherever a name can stand."""
    folder = tmp_path_factory.mktemp("results")
    names = [EVIL, "nan", *(f"tag {number}" for number in range(2, 8))]
    result = evaluation(tag_names=names, seeds=3, title=f"scenes {EVIL}")
    write_results(result, folder, histories(3), {0: image(), 3: image(30, 20)}, [f"set {EVIL}"])
    (folder / "command.txt").write_text(f"bash reproduce.sh {EVIL}\n")
    runs = pd.DataFrame({"method": ["CNN + WARP"], "seed": [0], "device": [EVIL]})
    runs.to_csv(folder / "runs.csv", index=False)
    write_page(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Page(folder / "report.html")


def test_all_sections_are_there_and_linked(page):
    identifiers = {found["id"] for _, found in page.elements if "id" in found}
    sections = {"k3", "k5", "claims", "frequency", "training", "gallery", "settings"}
    assert sections <= identifiers
    links = {found["href"].removeprefix("#") for found in page.all("a")}
    assert sections <= links <= identifiers


def test_names_with_html_are_text_everywhere(page):
    assert page.open == []
    assert len(page.all("script")) == 1
    assert all("onerror" not in found for _, found in page.elements)
    assert all(found["src"].startswith("data:image/jpeg;base64,") for found in page.all("img"))
    for before in ("scenes ", "set ", "bash reproduce.sh "):
        assert before + EVIL in page.text
    options = [found["value"] for found in page.all("option")]
    assert EVIL + " (" in page.text and len(options) > 2


def test_nothing_is_fetched_and_only_the_pages_own_script_may_run(page):
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for _, found in page.elements:
        for attribute in ("src", "href"):
            assert found.get(attribute, "#").startswith(("#", "data:"))
        assert "style" not in found and not [name for name in found if name.startswith("on")]


def test_a_tag_named_nan_is_shown_by_its_name(page):
    assert "nan" in [piece.strip() for piece in page.pieces]


def test_every_chart_says_in_words_what_it_shows(page, folder):
    charts = page.all("svg", role="img")
    # Recall and precision of networks and of features, three losses, one validation figure.
    assert len(charts) == 4 + 3 + 1
    identifiers = {found["id"] for _, found in page.elements if "id" in found}
    for chart in charts:
        assert set(chart["aria-labelledby"].split()) <= identifiers
    per_class = pd.read_csv(folder / "per_class.csv")
    frequent = per_class["CNN + WARP recall"].iloc[:4].mean()
    assert f"CNN + WARP: {frequent:.1f}% on the more frequent half of the tags" in page.text


def test_the_gallery_tells_right_from_wrong_in_words_and_marks(page, folder):
    gallery = json.loads((folder / "gallery.json").read_text())
    given = [
        right
        for entry in gallery["images"]
        for some in entry["given"].values()
        for _, right in some
    ]
    text = page.text.split("Gallery")[-1]
    assert 0 < sum(given) < len(given)
    # Each mark stands once more in the sentence that explains it.
    assert (text.count("right:"), text.count("✓") - 1) == (sum(given),) * 2
    assert (text.count("wrong:"), text.count("✗") - 1) == (len(given) - sum(given),) * 2


def test_the_same_files_give_the_same_page(folder):
    before = (folder / "report.html").read_bytes()
    assert write_page(folder).read_bytes() == before


def test_the_difference_from_the_paper_has_a_sign_a_mark_and_an_interval(tmp_path):
    # The paper's per-class recall: 35.60, 26.83, 31.22 and 19.33.
    write_table(
        tmp_path,
        **{
            "CNN + WARP": (36.60, 0.1, 3),
            "CNN + Ranking": (26.83, 0.2, 3),
            "CNN + Softmax": (30.22, 0.1, 3),
            "Visual Feature + kNN": (20.33, np.nan, 1),
            "Most frequent tags": (3.8, np.nan, 1),
        },
    )
    text = page_of(tmp_path).text
    half = 4.302653 * 0.1 / 3**0.5
    assert f"36.60 ± 0.10 paper 35.60 ▲ +1.00 above the paper's interval +{1 - half:.2f}" in text
    assert f"to +{1 + half:.2f}" in text
    assert "paper 26.83 ◆ 0.00 not told apart from the paper's" in text
    assert "paper 31.22 ▼ −1.00 below the paper's" in text
    assert "20.33 paper 19.33 △ +1.00 without an interval" in text
    assert "Most frequent tags 1 seed per-class recall 3.80 per-class precision 3.80" in text


def test_a_folder_with_nothing_but_a_table_has_a_page(tmp_path):
    write_table(tmp_path, Mine=(12.0, np.nan, 1))
    page = page_of(tmp_path)
    assert "Mine 1 seed" in page.text and "12.00" in page.text
    assert "Gallery" not in page.text and "Training" not in page.text


@pytest.mark.parametrize(
    ("synthetic", "title", "words"),
    [
        (True, "scenes", "Synthetic data."),
        (False, "Corel5K", "Not NUS-WIDE."),
        (False, "NUS-WIDE", None),
    ],
)
def test_the_page_says_what_kind_of_data_it_is_of(tmp_path, synthetic, title, words):
    result = evaluation(methods=("Upper bound",), synthetic=synthetic, title=title)
    text = page_of(tmp_path, result).text
    for notice in ("Synthetic data.", "Not NUS-WIDE."):
        assert (notice in text) == (notice == words)


def test_one_tag_one_method_one_seed(tmp_path):
    result = evaluation(
        1,
        tag_names=["sky"],
        ks=(1,),
        test_labels=np.array([[1], [0]]),
        train_counts=np.array([0]),
        scores={"CNN + WARP": [np.array([[0.5], [0.2]])]},
    )
    text = page_of(tmp_path, result, None, {0: image()}).text
    assert "1 tag an image" in text and "The numbers of 1 tag" in text


def test_a_hundred_thousand_tags_stay_below_three_megabytes(tmp_path):
    num_tags = 100_000
    counts = np.arange(num_tags, 0, -1)
    per_class = pd.DataFrame({"tag": [f"tag {count}" * 9 for count in counts]})
    per_class[["train_count", "test_count"]] = np.stack([counts, counts], axis=1)
    for method in ("CNN + WARP", "CNN + Softmax", "Visual Feature + kNN"):
        per_class[[f"{method} recall", f"{method} precision"]] = 50.0
    per_class.to_csv(tmp_path / "per_class.csv", index=False)
    write_table(tmp_path, **{"CNN + WARP": (36.60, np.nan, 1)})
    tags = per_class["tag"].tolist()
    entry = {"jpeg": "A" * 8000, "true": tags[:9000], "given": {"CNN + WARP": [[tags[0], True]]}}
    images = [{"row": row, **entry} for row in range(100)]
    (tmp_path / "gallery.json").write_text(json.dumps({"k": 1, "images": images}))
    text = page_of(tmp_path).text
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
    assert "the 400 most frequent of 100,000 tags" in text
    assert "and 8970 more" in text and "60 test images" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("table_k3.csv", "method,seeds\n", "no column per_class_recall"),
        ("table_k3.csv", "", "No columns to parse"),
        ("claims.csv", "k,number\n3,1\n", "no column statement"),
        ("per_class.csv", "tag,train_count,test_count\nsky,many,1\n", "train_count must hold num"),
        (
            "per_class.csv",
            "tag,train_count,test_count,CNN + WARP recall\nsky,1,1,0.5\n",
            r"no column CNN \+ WARP precision",
        ),
        ("history.csv", "method,seed,epoch\nA,0,1\n", "no column loss"),
        ("history.csv", "method,seed,epoch,loss,val_n_plus\nA,0,1,1,x\n", "val_n_plus must hold"),
        ("summary.json", '{"title": 3}', "JSON with title"),
        ("gallery.json", '{"k": 3, "images": [{"row": "', "JSON as"),
        ("gallery.json", '{"k": 3, "images": [{"row": "a"}]}', "JSON as"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content, message):
    write_table(tmp_path, **{"CNN + WARP": (36.60, 0.1, 3)})
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message) as error:
        write_page(tmp_path)
    assert name in str(error.value)
    assert not (tmp_path / "report.html").exists()


def test_a_table_without_a_number_of_seeds_is_damaged(tmp_path):
    write_table(tmp_path, **{"CNN + WARP": (36.60, 0.1, np.nan)})
    with pytest.raises(InputError, match="seeds must hold numbers"):
        write_page(tmp_path)


def test_a_loss_that_exploded_still_has_its_curve(tmp_path):
    write_table(tmp_path, **{"CNN + WARP": (36.60, 0.1, 3)})
    lines = ["method,seed,epoch,loss", "CNN + WARP,0,1,2.5", "CNN + WARP,0,2,1e308"]
    (tmp_path / "history.csv").write_text("\n".join(lines) + "\n")
    assert write_page(tmp_path).stat().st_size > 1000


def test_no_tables_no_page(tmp_path):
    with pytest.raises(InputError, match="no table_k<k>.csv"):
        write_page(tmp_path)
