"""No sentence steers the program: reworded titles, labels and messages change nothing else."""

import re

import pytest
from reporting_support import write_everything

from tfrecords_tools.errors import DamagedDataset, InputError, OtherDataset
from tfrecords_tools.schema import INFO_FILE
from warptag.experiments import Photographs
from warptag.methods import METHOD
from warptag.pipeline import data as pipeline_data
from warptag.reporting import display, write_page
from warptag.reporting.evaluation import METRICS


@pytest.mark.usefixtures("without_pictures")
def test_titles_labels_and_notices_reworded_to_mislead(tmp_path, monkeypatch):
    before, after = tmp_path / "before", tmp_path / "after"
    words = {
        "Title of the data": "NUS-WIDE",
        METHOD["warp"].label: "Visual Feature + a ranking",
        METHOD["knn"].label: "CNN + neighbors",
        display.SYNTHETIC: "Photographs.",
        display.OUTCOMES["holds"]: "reversed",
        display.VERDICTS["undecided"]: "confirmed",
        METRICS["n_plus"]: "recall",
    }
    write_everything(before)
    write_page(before)
    for method in ("warp", "knn"):
        monkeypatch.setitem(vars(METHOD[method]), "label", words[METHOD[method].label])
    monkeypatch.setattr(display, "SYNTHETIC", "Photographs.")
    monkeypatch.setitem(display.OUTCOMES, "holds", "reversed")
    monkeypatch.setitem(display.VERDICTS, "undecided", "confirmed")
    monkeypatch.setitem(METRICS, "n_plus", "recall")
    write_everything(after, title="NUS-WIDE")
    write_page(after)
    assert {path.name for path in before.iterdir()} == {path.name for path in after.iterdir()}
    for path in before.iterdir():
        if path.suffix != ".png":
            texts = (path.read_text(), (after / path.name).read_text())
            # A chart has the words in its drawing.
            old, new = (re.sub('src="data:image/svg[^"]*"', "", text) for text in texts)
            for word, other in words.items():
                old, new = old.replace(word, other), new.replace(word, other)
            assert new == old, path.name


@pytest.mark.parametrize(
    ("error", "made_again"),
    [
        (DamagedDataset("fine", "shard"), True),
        (OtherDataset("fine", "records", "settings"), True),
        (InputError("the records are damaged; convert again with --overwrite"), False),
    ],
)
def test_records_are_made_again_by_the_type_of_the_error(tmp_path, monkeypatch, error, made_again):
    def convert(*_, overwrite=False, **__):
        if not overwrite:
            raise error
        return "made again"

    info = type("Info", (), {"name": "scenes"})
    monkeypatch.setattr(pipeline_data, "convert", convert)
    monkeypatch.setattr(pipeline_data.DatasetInfo, "load", lambda folder: info)
    (tmp_path / INFO_FILE).write_text("")
    scenes = Photographs("scenes", {}, needs_input=False)
    if made_again:
        assert pipeline_data.convert_photographs(scenes, {}, None, tmp_path) == "made again"
    else:
        with pytest.raises(InputError):
            pipeline_data.convert_photographs(scenes, {}, None, tmp_path)
