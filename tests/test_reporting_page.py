"""The files of a comparison and its report page: what it shows; that it is safe and small."""

import base64
import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from reporting_support import evaluation, write_everything

from tfrecords_tools.errors import InputError
from warptag.reporting import display, write_page, write_results
from warptag.reporting.evaluation import METRICS
from warptag.reporting.markdown import tables_markdown
from warptag.reporting.reliability import calibration_error, reliability_table
from warptag.reporting.result_folder import read_results

TABLES = {f"{name}.csv" for name in ("table_k3", "table_k5", "per_class", "claims")}
TABLES |= {"tables.md", "summary.json"}
EVIL = '</script><img src=x onerror="alert(1)">&amp;"\''


class Page(HTMLParser):
    """The elements of the page of a folder and the text a reader sees."""

    def __init__(self, folder):
        super().__init__()
        self.elements, self.open, self.pieces = [], [], []
        self.feed(write_page(folder).read_text(encoding="utf-8"))
        self.close()
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.pieces.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def write_table(folder, **rows):
    """A table with the same value in all columns: method -> mean, deviation, seeds."""
    content = [
        {"method": method, "seeds": seeds}
        | {metric: mean for metric in METRICS}
        | {f"{metric}_std": deviation for metric in METRICS}
        for method, (mean, deviation, seeds) in rows.items()
    ]
    pd.DataFrame(content).to_csv(folder / "table_k3.csv", index=False)


def fill(folder):
    """Writes results with everything there is, and HTML wherever a name can be."""
    names = [EVIL, "nan", *(f"tag {number}" for number in range(2, 8))]
    paths = write_everything(
        folder, settings=f"set {EVIL}", tag_names=names, title=f"scenes {EVIL}"
    )
    (folder / "command.txt").write_text(f"bash reproduce.sh {EVIL}\n")
    runs = pd.DataFrame({"method": ["CNN + WARP"], "seed": [0], "device": [EVIL]})
    runs.to_csv(folder / "runs.csv", index=False)
    return {path.name for path in paths}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    fill(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Page(folder)


def test_all_sections_are_there_and_linked(page):
    identifiers = [found["id"] for _, found in page.elements if "id" in found]
    sections = {"k3", "k5", "published", "claims", "frequency", "training", "probabilities"}
    sections |= {"pretrained-claims", "look-first", "gallery", "paper", "settings"}
    links = {found["href"].removeprefix("#") for found in page.all("a")}
    assert sections <= links <= set(identifiers) and len(identifiers) == len(set(identifiers))
    assert "nan" in [piece.strip() for piece in page.pieces]  # a tag of this name
    assert "Not measured" not in page.text


def test_names_with_html_are_text_everywhere(page):
    assert page.open == [] and len(page.all("script")) == 1
    for before in ("scenes ", "set ", "bash reproduce.sh "):
        assert before + EVIL in page.text
    assert EVIL + " (" in page.text  # among the options


def test_nothing_is_fetched_and_only_the_pages_own_script_may_run(page):
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for _, found in page.elements:
        for attribute in ("src", "href"):
            assert found.get(attribute, "#").startswith(("#", "data:image/"))
        assert "style" not in found and not [name for name in found if name.startswith("on")]


def test_charts_are_drawings_with_a_description(page, folder):
    prefix = "data:image/svg+xml;base64,"
    charts = [found for found in page.all("img") if found["src"].startswith(prefix)]
    # Recall and precision of networks and of features, training, probabilities.
    assert len(charts) == 4 + 1 + 1
    for chart in charts:
        drawing = base64.b64decode(chart["src"].removeprefix(prefix))
        assert ElementTree.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg"
        assert b"<script" not in drawing and b"<dc:date>" not in drawing
    per_class = pd.read_csv(folder / "per_class.csv")
    frequent = per_class["CNN + WARP recall"].iloc[:4].mean()
    assert f"CNN + WARP: {frequent:.1f}% and" in charts[0]["alt"]


def test_the_gallery_tells_right_from_wrong_in_words_and_marks(page, folder):
    entries = json.loads((folder / "gallery.json").read_text())["images"]
    given = [tag for entry in entries for tags in entry["given"].values() for tag in tags]
    num_right = sum(right for _, right in given)
    text = page.text.split("Gallery")[-1]
    # Each mark is once more in the sentence that explains it.
    assert text.count("right:") == text.count("✓") - 1 == num_right > 0
    assert text.count("wrong:") == text.count("✗") - 1 == len(given) - num_right > 0


def test_the_difference_from_the_paper_has_a_sign_a_mark_and_an_interval(tmp_path):
    # The paper's per-class recall: 35.60, 26.83, 31.22 and 19.33.
    rows = {
        "CNN + WARP": (36.60, 0.1, 3),
        "CNN + Ranking": (26.83, 0.2, 3),
        "CNN + Softmax": (30.22, 0.1, 3),
        "Visual Feature + kNN": (20.33, np.nan, 1),
        "Most frequent tags": (3.8, np.nan, 1),
    }
    write_table(tmp_path, **rows)
    page = Page(tmp_path)
    assert "▲" not in page.text  # The data set is not known.
    assert [found["id"] for found in page.all("h2")] == ["k3", "paper", "settings"]
    summary = {"title": "", "dataset": "nuswide", "synthetic": False, "k": 3}
    summary |= {"notes": [], "settings": []}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    text = Page(tmp_path).text
    half = 4.302653 * 0.1 / 3**0.5
    interval = f"interval +{1 - half:.2f} to +{1 + half:.2f}"
    assert f"36.60 ± 0.10 paper 35.60 ▲ +1.00 above the paper's {interval}" in text
    assert "paper 26.83 ◆ 0.00 not distinguishable from the paper's" in text
    assert "paper 31.22 ▼ −1.00 below the paper's" in text
    assert "20.33 paper 19.33 △ +1.00 without an interval" in text
    assert "Most frequent tags 1 seed per-class recall 3.80 per-class precision 3.80" in text


def test_one_tag_one_method_one_seed_and_a_loss_that_exploded(tmp_path):
    result = evaluation(1, ("warp",), seeds=1, ks=(1,), tag_names=["sky"])
    loss = pd.DataFrame({"epoch": [1, 2, 3], "loss": [2.5, 1e308, np.inf]})
    write_results(result, tmp_path, {"warp": [loss]})
    page = Page(tmp_path)
    assert "1 tag per image" in page.text and "The numbers of 1 tag" in page.text
    assert [found for found in page.all("img") if "Training" in found["alt"]]


def test_large_results_stay_below_three_megabytes(tmp_path):
    counts = np.arange(20_000, 0, -1)
    tags = [f"tag {count}" * 9 for count in counts]
    per_class = pd.DataFrame({"tag": tags, "train_count": counts, "test_count": counts})
    per_class.assign(**{"CNN + WARP recall": 50.0, "CNN + WARP precision": 50.0}).to_csv(
        tmp_path / "per_class.csv"
    )
    write_table(tmp_path, **{"CNN + WARP": (36.60, np.nan, 1)})
    entry = {"jpeg": "A" * 8000, "true": tags[:9000], "given": {"CNN + WARP": [[tags[0], True]]}}
    images = [{"row": row, **entry} for row in range(100)]
    (tmp_path / "gallery.json").write_text(json.dumps({"k": 1, "images": images}))
    entry = {"row": 1, "name": tags[0], "jpeg": "A" * 8000, "tag": tags[0], "value": 0.5}
    entry |= {"true": tags[:9000], "given": [[tags[0], True]] * 5}
    content = {"method": "CNN + WARP", "calibrated": True, "missing": [entry] * 12}
    (tmp_path / "label_errors.json").write_text(json.dumps(content | {"wrong": [entry] * 12}))
    text = Page(tmp_path).text
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
    assert "the 400 most frequent of 20,000 tags" in text
    assert "and 8970 more" in text and "60 test images" in text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table_k3.csv", "method,seeds\n"),
        ("table_k3.csv", ""),
        ("claims.csv", "k,number\n3,1\n"),
        ("per_class.csv", "tag,train_count,test_count\nsky,many,1\n"),
        ("history.csv", "method,seed,epoch,loss,val_n_plus\nA,0,1,1,x\n"),
        ("summary.json", '{"title": 3}'),
        ("gallery.json", '{"k": 3, "images": [{"row": "'),
        ("label_errors.json", '{"method": "CNN + WARP", "calibrated": true, "missing": []}'),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content):
    with pytest.raises(InputError):
        write_page(tmp_path)
    write_table(tmp_path, **{"CNN + WARP": (36.60, 0.1, 3)})
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name):
        write_page(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_the_same_data_gives_the_same_files(page, folder, tmp_path):
    assert fill(tmp_path) == TABLES | {
        *("recall_by_frequency.png", "precision_by_frequency.png"),
        *("features_recall_by_frequency.png", "features_precision_by_frequency.png"),
        *("training_curves.png", "reliability.png", "annotations.png"),
        *("history.csv", "reliability.csv", "published_k5.csv", "gallery.json"),
        *("claims_pretrained.csv", "label_errors.json"),
    }
    write_page(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in folder.iterdir()}
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
    # So does what is read back.
    assert tables_markdown(read_results(folder)) == (folder / "tables.md").read_text()


def test_without_networks_there_are_tables_only(tmp_path):
    bounds = evaluation(methods=("upper_bound_random", "upper_bound"))
    paths = write_results(bounds, tmp_path, None, {0: np.zeros((20, 30, 3), np.uint8)})
    assert {path.name for path in paths} == TABLES
    assert len(pd.read_csv(tmp_path / "claims.csv")) == 0
    assert "claims" not in (tmp_path / "tables.md").read_text()


# Neither a title nor a label decides, only the name of the data set.
@pytest.mark.parametrize(("dataset", "beside"), [("nuswide", True), ("corel5k", False)])
def test_the_papers_numbers_are_beside_those_of_its_data_set_only(tmp_path, dataset, beside):
    texts = {"dataset": dataset, "title": "Photographs" if beside else "NUS-WIDE"}
    result = evaluation(methods=("warp",), ks=(3,), synthetic=False, **texts)
    write_results(result, tmp_path)
    text = (tmp_path / "tables.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| CNN + WARP |")]
    assert ["35.60" in row for row in rows] == ([True] if beside else [False, True])
    assert (display.OTHER_DATA in text) != beside and display.SYNTHETIC not in text
    assert json.loads((tmp_path / "summary.json").read_text())["dataset"] == dataset


@pytest.mark.usefixtures("without_pictures")
def test_pretrained_rows_are_explained_and_never_beside_the_papers_numbers(tmp_path):
    methods = ("softmax", "warp", "pretrained_softmax", "pretrained_warp")
    write_results(evaluation(methods=methods, ks=(3,), dataset="nuswide"), tmp_path)
    page, tables = Page(tmp_path), (tmp_path / "tables.md").read_text()
    [row] = [line for line in tables.splitlines() if line.startswith("| Pretrained + WARP |")]
    assert "*" not in row and "|  |" in row
    # Five metrics of two networks.
    assert page.text.count(" paper ") - page.text.count("The paper ") == 2 * 5
    for text in (page.text, tables):
        assert display.PRETRAINED in text and display.PRETRAINED_CLAIMS in text
    # The same without them: nothing is left of the comparison before.
    write_results(evaluation(methods=methods[:2], ks=(3,), dataset="nuswide"), tmp_path)
    assert "retrained" not in Page(tmp_path).text + (tmp_path / "tables.md").read_text()


def test_reliability_by_hand():
    labels = np.array([[1, 0, 0, 0, -1, 1]])
    values = np.array([[0.25, 0.25, 0.25, 0.25, 0.25, 1.0]])
    table = reliability_table({"warp": values}, labels)
    assert table[["probability", "share", "pairs"]].to_numpy().tolist() == [
        [0.25, 0.25, 4],
        [1, 1, 1],
    ]
    assert calibration_error(table) == 0
    assert calibration_error(table.assign(share=0.5)) == (4 * 0.25 + 1 * 0.5) / 5
