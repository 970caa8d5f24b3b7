"""The tutorial: its commands are ones that there are, and its notebook ends in tags."""

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfrecords_tools.__main__ import cli as tfrecords_cli
from tfrecords_tools.sources.scenes import Scenes
from warptag.cli import cli
from warptag.commands.assignments import assign
from warptag.experiments import EXPERIMENTS
from warptag.pipeline.networks import settings_of
from warptag.pipeline.train import with_backbone

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOK = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf-8"))
PROGRAMS = {"warptag": cli, "python -m tfrecords_tools": tfrecords_cli}
COMMAND = re.compile(rf"(?:^|[|!(]) *({'|'.join(PROGRAMS)}) ([^|)\n]*)", re.MULTILINE)


def texts():
    """The two pages and the notebook, by name."""
    for page in ("tutorial.md", "annotate.md"):
        yield page, (DOCS / page).read_text(encoding="utf-8")
    yield "tutorial.ipynb", "\n".join("".join(cell["source"]) for cell in NOTEBOOK["cells"])


COMMANDS = [
    pytest.param(program, shlex.split(arguments, comments=True), id=f"{page}: {arguments}")
    for page, text in texts()
    for program, arguments in COMMAND.findall(text.replace("\\\n", " "))
]


def test_commands_are_found_in_every_text():
    pages = [command.id.partition(":")[0] for command in COMMANDS]
    assert all(pages.count(page) >= 4 for page, _ in texts())


@pytest.mark.parametrize(("program", "words"), COMMANDS)
def test_a_command_has_the_options_that_the_page_gives_it(program, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("MINE", "RECORDS"):
        Path(folder).mkdir()
    name, *arguments = words
    given = PROGRAMS[program].commands[name].make_context(name, arguments).params
    if name == "train":
        choices = EXPERIMENTS[given["name"]].networks
        if given["backbone"] is not None:
            choices = with_backbone(choices, given["backbone"], given["weights"])
        assign(choices, settings_of(choices, given["loss"]), given["assignments"])


def test_the_notebook_is_kept_without_results():
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook after all its cells, and the folder that it made."""
    for package in ("ipykernel", "nbclient", "nbformat"):
        pytest.importorskip(package, reason="the notebook needs the extra notebook")
    for package in ("onnxruntime", "tf2onnx"):
        pytest.importorskip(package, reason="the notebook's last step needs the extra export")
    import nbclient
    import nbformat

    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.reads(json.dumps(NOTEBOOK), as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    [work] = folder.glob("warptag-tutorial-*")
    return notebook, work


def results_of(notebook, code):
    """What the cell with this code shows, by kind."""
    [cell] = [cell for cell in notebook.cells if code in cell.source]
    return {kind: data for output in cell.outputs for kind, data in output.get("data", {}).items()}


def test_the_notebooks_network_learns_more_than_which_tags_are_frequent(executed):
    notebook, work = executed
    figures = pd.read_csv(work / "MINE" / "table_k3.csv", index_col="method")
    assert figures["n_plus"]["CNN + WARP"] > figures["n_plus"]["Most frequent tags"]
    assert "CNN + WARP" in results_of(notebook, "table_k3.csv")["text/html"]


def test_the_notebook_shows_the_report(executed):
    notebook, work = executed
    assert "Most frequent tags" in (work / "MINE" / "report.html").read_text(encoding="utf-8")
    shown = results_of(notebook, "srcdoc")["text/html"]
    assert "srcdoc=" in shown and "Most frequent tags" in shown


def test_the_notebooks_new_pictures_get_tags_here_and_in_onnx(executed):
    notebook, work = executed
    with open(work / "tags.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * 3
    assert {row["tag"] for row in rows} <= set(Scenes(train=1, test=1).tag_names)
    probabilities = np.array([float(row["probability"]) for row in rows]).reshape(5, 3)
    assert (np.diff(probabilities) <= 0).all() and np.ptp(probabilities) > 0
    of_first = {row["tag"] for row in rows[:3]}
    in_onnx = results_of(notebook, "InferenceSession")["text/plain"]
    # The JPEG step that only the command has may exchange the last of them.
    assert sum(repr(tag) in in_onnx for tag in of_first) >= 2
