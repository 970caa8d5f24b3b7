"""Files that commands read back: odd content is one error that names the file, or is not used."""

import json
import math
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tfrecords_tools import journal
from tfrecords_tools.errors import DamagedDataset, InputError
from tfrecords_tools.schema import DatasetInfo
from tfrecords_tools.sources.nuswide import load_features
from tfrecords_tools.typed_json import Count, WrongEntry, as_type
from warptag.annotation import output, writers
from warptag.csv_tables import read_numbers
from warptag.pipeline.networks import _load_scores
from warptag.reporting.result_folder import TABLE_COLUMNS, read_results
from warptag.training.calibration import load_calibration
from warptag.training.checkpoint import load_checkpoint
from warptag.training.run_folder import OtherRun, claim, load_measured, load_settings

SHARD = {"file": "train-0.tfrecord", "num_records": 2, "num_bytes": 5, "sha256": "ab"}
SPLIT = {"num_images": 2, "tag_counts": [1, 2], "shards": [SHARD], "num_rejected": 0}
FEATURES = {"num_images": 0, "files": {}}
IMAGE = {"row": 0, "jpeg": "", "true": ["sky"], "given": {"CNN + WARP": [["sky", True]]}}
#: File -> its content.
WHOLE = {
    "settings.json": {
        **{"tag_names": ["sky", "map"], "patches": "five", "network": {}, "window_area": None},
        **{"image": {"size": None, "shorter_side": False}, "learning_rate": 1, "epochs": 2},
    },
    "run.json": {
        **{"seconds": 1.5, "images_per_second": 2, "device": "CPU", "backend": "tensorflow"},
        **{"versions": {"keras": "3"}, "commit": "", "code": "ab"},
    },
    "calibration.json": {"score": 1, "log_sum_exp": -1.0, "intercept": 0.5},
    "dataset_info.json": {
        **{"name": "a", "source": "b", "settings": {}, "tag_names": ["sky", "map"]},
        **{"splits": {"train": SPLIT}, "input_checksum": "", "checksum": "ab"},
    },
    "summary.json": {
        **{"title": "", "dataset": "", "synthetic": False},
        **{"k": 3, "notes": ["n"], "settings": ["s"]},
    },
    "gallery.json": {"k": 3, "images": [IMAGE]},
    "features_info.json": {
        "features": [{"name": "BoW", "start": 0, "stop": 500}],
        "tag_names": ["sky"],
        "sources": {"a": 1},
        "splits": {"train": FEATURES, "test": FEATURES},
    },
}
READ = {
    "settings.json": lambda folder: load_settings(folder, needs=("patches",)),
    "run.json": load_measured,
    "calibration.json": load_calibration,
    "dataset_info.json": DatasetInfo.load,
    "summary.json": read_results,
    "gallery.json": read_results,
    "features_info.json": load_features,
}
ODD = {
    "list": b"[1]",
    "number": b"3",
    "text": b'"x"',
    "null": b"null",
    "no entries": b"{}",
    "NaN": b"NaN",
    "truncated": b'{"tag_names": ["sk',
    "empty": b"",
    "binary": bytes(range(128, 256)),
    "deep": b"[" * 100_000,
    "long number": b"1" * 10_000,
}


def changes(content):
    """The content with one entry missing or of another type, at any depth, and where."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for name, value in items:
        copy = content.copy()
        copy[name] = [None, {}]
        yield str(name), copy
        if isinstance(value, float) or (type(value) is int and value > 0):
            copy = content.copy()
            copy[name] = math.nan
            yield str(name), copy
        if isinstance(value, (dict, list)):
            for inner, changed in changes(value):
                copy = content.copy()
                copy[name] = changed
                yield inner, copy


@pytest.fixture
def folder(tmp_path):
    row = {name: 1 for name in TABLE_COLUMNS} | {"method": "CNN + WARP"}
    pd.DataFrame([row]).to_csv(tmp_path / "table_k3.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("file", WHOLE)
def test_odd_content_is_one_error_that_names_the_file(folder, file, odd):
    (folder / file).write_bytes(ODD[odd])
    with pytest.raises(InputError) as error:
        READ[file](folder)
    assert str(folder / file) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("file", WHOLE)
def test_each_entry_of_another_type_is_named(folder, file):
    (folder / file).write_text(json.dumps(WHOLE[file]))
    if file != "features_info.json":  # its arrays are missing
        READ[file](folder)
    names = set()
    for name, content in changes(WHOLE[file]):
        if name == "checksum":  # for people
            continue
        (folder / file).write_text(json.dumps(content))
        with pytest.raises(InputError) as error:
            READ[file](folder)
        assert str(folder / file) in str(error.value) and name in str(error.value)
        names.add(name)
    assert names >= WHOLE[file].keys() - {"checksum"}


def test_a_damaged_description_is_a_damaged_data_set_and_says_where(folder):
    content = WHOLE["dataset_info.json"] | {"splits": {"train": SPLIT | {"shards": [{}]}}}
    (folder / "dataset_info.json").write_text(json.dumps(content))
    with pytest.raises(DamagedDataset, match=r"splits\.train\.shards\[0\]\.file"):
        DatasetInfo.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"splits": {}},
        {"splits": {"train": SPLIT | {"num_images": 3}}},
        {"splits": {"train": SPLIT | {"tag_counts": [1]}}},
        {"splits": {"train": SPLIT | {"shards": [SHARD | {"file": "../other.tfrecord"}]}}},
        {"tag_names": ["sky", "half a \ud800 pair"]},
    ],
)
def test_a_description_that_contradicts_itself_is_damaged(folder, change):
    (folder / "dataset_info.json").write_text(json.dumps(WHOLE["dataset_info.json"] | change))
    with pytest.raises(DamagedDataset, match=r"dataset_info\.json"):
        DatasetInfo.load(folder)


def test_settings_that_a_command_needs_are_required_and_others_are_not(folder):
    settings = folder / "settings.json"
    settings.write_text('{"tag_names": ["sky"], "another": [1]}')
    assert load_settings(folder)["another"] == [1]
    with pytest.raises(InputError, match="patches"):
        load_settings(folder, needs=("patches",))


@pytest.mark.parametrize("odd", ODD)
def test_a_run_with_odd_settings_is_another_run(folder, odd):
    (folder / "settings.json").write_bytes(ODD[odd])
    (folder / "model.keras").touch()
    with pytest.raises(OtherRun):
        claim(folder, {"epochs": 1}, "refuse")
    claim(folder, {"epochs": 1}, "replace")
    assert json.loads((folder / "settings.json").read_text()) == {"epochs": 1}


@pytest.mark.parametrize("odd", ODD)
def test_what_can_be_made_again_is_not_used(tmp_path, odd):
    shard = "train-00000-of-00001.tfrecord"
    (tmp_path / shard).touch()
    (tmp_path / f"{shard}.json").write_bytes(ODD[odd])
    assert journal.read_note(tmp_path, shard) is None

    checkpoint = tmp_path / "checkpoint-00001.npz"
    np.savez(checkpoint, progress=np.array(ODD[odd].decode(errors="replace")), array_0=np.ones(2))
    assert load_checkpoint(checkpoint) is None

    (tmp_path / "scores.npy").write_bytes(ODD[odd])
    assert _load_scores(tmp_path / "scores.npy", (2, 3)) is None

    lines = [b"{}", b'["a.jpg", "a.jpg,sky\\n"]', ODD[odd], b'["b.jpg", "b.jpg,sky\\n"]']
    (tmp_path / ".tags.csv.partial").write_bytes(b"\n".join(lines) + b"\n")
    writer = writers.OneFile(output.FORMATS["csv"], tmp_path / "tags.csv", {})
    writer.close()
    assert writer.done == {"a.jpg"}


@pytest.mark.parametrize(
    "note",
    [
        {"shard": SHARD, "tag_counts": [["a", 1]], "rejected": []},
        {"shard": SHARD | {"num_records": "2"}, "tag_counts": [], "rejected": []},
        {"shard": SHARD, "tag_counts": [[0, 1]], "rejected": ["abc"]},
    ],
)
def test_a_note_of_a_shard_with_other_types_is_not_used(tmp_path, note):
    (tmp_path / SHARD["file"]).touch()
    (tmp_path / f"{SHARD['file']}.json").write_text(json.dumps(note))
    assert journal.read_note(tmp_path, SHARD["file"]) is None


@pytest.mark.parametrize("scores", [np.ones((2, 2)), np.full((2, 3), np.nan), np.full((2, 3), "a")])
def test_scores_of_another_shape_or_type_are_not_used(tmp_path, scores):
    np.save(tmp_path / "scores.npy", scores)
    assert _load_scores(tmp_path / "scores.npy", (2, 3)) is None


@pytest.mark.parametrize(
    "text", ["", "a\n1\n", "epoch\n", "epoch\nx\n", "epoch\n1\n2,3\n", "epoch,b\n,1\n", '"', "\0"]
)
def test_a_table_of_another_kind_is_named(tmp_path, text):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"history\.csv"):
        read_numbers(path, ("epoch",), "train again")
    path.write_bytes(b"\xff\xfe\x80")
    with pytest.raises(InputError, match=r"history\.csv"):
        read_numbers(path, ("epoch",), "train again")


class Pair(NamedTuple):
    name: str
    number: float | None


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, float, 3.0),
        (None, int | None, None),
        (["a", 2], Pair, Pair("a", 2.0)),
        ([1, 2], tuple[int, ...], (1, 2)),
        ({"a": [0]}, dict[str, list[Count]], {"a": [0]}),
        ("a", Literal["a", "b"], "a"),
    ],
)
def test_values_of_a_type(value, kind, expected):
    assert as_type(value, kind) == expected and type(as_type(value, kind)) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, int),
        (1, bool),
        (1.0, int),
        (10**400, float),
        (math.inf, float),
        (-1, Count),
        ("c", Literal["a", "b"]),
        ([], Literal["a", "b"]),
        (["a"], Pair),
        (["a", 1, 2], tuple[str, int]),
        ("ab", list[str]),
    ],
)
def test_values_of_another_type_are_refused_with_their_place(value, kind):
    with pytest.raises(WrongEntry) as error:
        as_type({"at": [value]}, dict[str, list[kind]])
    assert error.value.entry.startswith("at[0]")
