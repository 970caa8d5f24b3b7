"""The pages' way from a folder of photographs to a trained network, pasted as it stands."""

import re
from pathlib import Path

import pytest
from tfrecords_fixtures import jpeg

from tfrecords_tools.__main__ import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
    (code,) = (block for block in blocks if "RECORDS" in block)
    exec(
        code.replace("RECORDS", "records").replace("220", "48").replace("epochs=10", "epochs=1"), {}
    )
    assert "'per_class_recall': " in capsys.readouterr().out


@pytest.mark.parametrize(
    "page", ["docs/data.md", "docs/pipeline.md", "docs/losses.md", "docs/baselines.md"]
)
def test_the_readme_links_to_the_page(page):
    assert f"({page})" in README
    assert (ROOT / page).exists()
