"""The pages' way from a folder of photographs to a trained network, pasted as it stands."""

import re
from pathlib import Path

import pytest
from tfrecords_fixtures import jpeg

from tfrecords_tools.__main__ import cli

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_folder_of_photographs_is_converted_verified_and_trained_on(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    photos.mkdir()
    lines = ["filename,tags"]
    for index in range(24):
        (photos / f"{index}.jpg").write_bytes(jpeg(index, 60, 80))
        lines.append(f"{index}.jpg,{'sea;boat' if index % 2 else 'tree;hill'}")
    (photos / "labels.csv").write_text("\n".join(lines))

    page = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python -m tfrecords_tools (.*)$", page, re.MULTILINE)[:3]
    assert [command.split()[0] for command in commands] == ["convert", "verify", "info"]
    commands[0] += " --size 64"  # a smaller network than the page's is enough here
    for command in commands:
        cli.main(command.split(), standalone_mode=False)
    assert "records: nothing wrong" in capsys.readouterr().out

    page = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    code, head = (block for block in blocks if "RECORDS" in block)
    for old, new in {"RECORDS": "records", "220": "48", "32": "8", "epochs=10": "epochs=1"}.items():
        code = code.replace(old, new)
    exec(code, {})
    assert "'per_class_recall': " in capsys.readouterr().out

    smaller = {"RECORDS": "records", '"imagenet"': "None", "224": "32", "64": "8", "=30": "=1"}
    for old, new in smaller.items():
        assert old in head
        head = head.replace(old, new)
    names: dict = {}
    exec(head, names)
    assert names["model"].output_shape == (None, 4)


@pytest.mark.slow
def test_the_blocks_of_the_page_about_the_pipeline_run(striped):
    page = (ROOT / "docs/pipeline.md").read_text(encoding="utf-8")
    code = "".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    smaller = {
        '"records"': repr(str(striped)),
        "shape=(112, 112, 3)": "shape=(48, 48, 3), width=0.1, dense_units=16",
        "112": "48",
        "epochs=10": "epochs=1",
        "first_epoch=10": "first_epoch=1",
        "initial_epoch=10": "initial_epoch=1",
        "epochs=20": "epochs=2",
    }
    for old, new in smaller.items():
        assert old in code
        code = code.replace(old, new)
    names: dict = {}
    exec(code, names)
    assert names["tag_ids"].shape[0] == 32
    assert len(names["scores"]) == len(names["validation"])
