"""The tutorial: its commands are ones that there are, and its notebook ends in tags."""

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
from warptag.experiments.pretrained import BACKBONE
from warptag.pipeline.networks import settings_of
from warptag.pipeline.train import with_pretrained

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


@pytest.mark.parametrize(("program", "words"), COMMANDS)
def test_a_command_has_the_options_that_the_page_gives_it(program, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("MINE", "RECORDS"):
        Path(folder).mkdir()
    name, *arguments = words
    given = PROGRAMS[program].commands[name].make_context(name, arguments).params
    if name == "train":
        choices = EXPERIMENTS[given["name"]].networks
        if not given["from_scratch"]:
            choices = with_pretrained(choices, given["backbone"] or BACKBONE, "imagenet")
        settings = settings_of(choices, given["loss"])
        assign(choices, settings, given["assignments"], fine_tuning=given["finetune"])


def results_of(notebook, code):
    """What the cell with this code shows, by kind."""
    [cell] = [cell for cell in notebook.cells if code in cell.source]
    return {kind: data for output in cell.outputs for kind, data in output.get("data", {}).items()}


@pytest.mark.extra
@pytest.mark.slow
def test_the_notebook_runs_to_its_end(tmp_path, monkeypatch):
    for package in ("ipykernel", "nbclient", "nbformat", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package, reason="needs the extras notebook and export")
    import nbclient
    import nbformat

    source = json.dumps(NOTEBOOK)
    # Fewer pictures and epochs, which are still enough to learn from.
    smaller = {
        "train=400": "train=160",
        "MINE --from-scratch": "MINE --from-scratch --set epochs=20",
    }
    for old, new in smaller.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    notebook = nbformat.reads(source, as_version=4)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    [work] = tmp_path.glob("warptag-tutorial-*")

    def shown(code):
        """What the cell with this code shows, by kind."""
        [cell] = [cell for cell in notebook.cells if code in cell.source]
        return {kind: data for one in cell.outputs for kind, data in one.get("data", {}).items()}

    # The network has learnt more than which tags are frequent, and the report shows it.
    metrics = pd.read_csv(work / "MINE" / "table_k3.csv", index_col="method")
    assert metrics["n_plus"]["CNN + WARP"] > metrics["n_plus"]["Most frequent tags"]
    assert "CNN + WARP" in shown("table_k3.csv")["text/html"]
    assert "Most frequent tags" in shown("srcdoc")["text/html"]
    # New pictures get tags here and in ONNX.
    tags = pd.read_csv(work / "tags.csv")
    assert len(tags) == 5 * 3 and set(tags["tag"]) <= set(Scenes(train=1, test=1).tag_names)
    probabilities = tags["probability"].to_numpy().reshape(5, 3)
    assert (np.diff(probabilities) <= 0).all() and np.ptp(probabilities) > 0
    # The JPEG step that only the command has may exchange the last of them.
    in_onnx = shown("InferenceSession")["text/plain"]
    assert sum(repr(tag) in in_onnx for tag in tags["tag"][:3]) >= 2
