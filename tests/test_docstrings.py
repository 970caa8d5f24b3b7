"""The examples in the docstrings run, and everything public has one."""

import doctest
import importlib
import inspect
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from reporting_support import evaluation
from tfrecords_fixtures import (
    write_coco,
    write_corel5k,
    write_nuswide,
    write_nuswide_features,
    write_photographs,
)

from warptag.methods import PAPER_LOSSES

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("warptag", "tfrecords_tools")
    for path in sorted((ROOT / package).rglob("*.py"))
}
WITH_EXAMPLES = [name for name, path in MODULES.items() if ">>>" in path.read_text("utf-8")]
#: Modules that need an extra, and the package that it brings.
EXTRAS = {"tfrecords_tools.beam": "apache_beam"}
#: What the API reference shows: packages, whose `__all__` is the interface, and single names.
REFERENCE = [
    name
    for page in sorted((ROOT / "docs" / "reference").glob("*.md"))
    for name in re.findall(r"^::: (\S+)", page.read_text("utf-8"), re.MULTILINE)
]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="session")
def folder_of_examples(tmp_path_factory):
    """What the examples find: photographs with tags, records of them, small known data sets."""
    from tfrecords_tools.convert import convert
    from tfrecords_tools.sources.folder import Folder

    folder = tmp_path_factory.mktemp("examples")
    photographs = [f"{name}.jpg" for name in ("cat", "dog", "sea", "boat", "hill", "tree")]
    write_photographs(folder, *photographs)
    write_photographs(folder / "photos", *photographs)
    lines = [f"{file},{'sea;boat' if file[0] in 'sb' else 'tree'}" for file in photographs]
    table = [f"{line},{'test' if line[0] in 'ct' else 'train'}" for line in lines]
    (folder / "photos" / "labels.csv").write_text("\n".join(["filename,tags,split", *table]))
    source = Folder(folder / "photos", size=64)
    convert(source, folder / "records", name="photos", settings=source.settings, workers=1)
    write_corel5k(folder)
    write_coco(folder)
    write_nuswide(folder)
    write_nuswide_features(folder / "NUS-WIDE")
    (folder / "NUS-WIDE-urls.txt").write_text(
        "actor/0002_174174086.jpg 174174086 null http://farm.example/174174086.jpg null null\n"
    )
    return folder


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.extra) if name in EXTRAS else name
        for name in WITH_EXAMPLES
    ],
)
def test_the_examples_of_a_module_run(name, folder_of_examples, tmp_path, monkeypatch):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    module = importlib.import_module(name)
    monkeypatch.chdir(shutil.copytree(folder_of_examples, tmp_path / "examples"))
    names = {"np": np, "evaluation": evaluation(methods=tuple(PAPER_LOSSES), ks=(3, 5))}
    lines = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for example in doctest.DocTestFinder().find(module, globs=names | vars(module)):
        runner.run(example, out=lines.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(lines)


@pytest.mark.parametrize("name", REFERENCE)
def test_everything_in_the_reference_has_an_example(name):
    parent, _, last = name.rpartition(".")
    module = importlib.import_module(name if name in MODULES else parent)
    shown = (
        [getattr(module, public) for public in module.__all__]
        if name in MODULES
        else [getattr(module, last)]
    )
    without = [
        value
        for value in shown
        if inspect.isroutine(value) or inspect.isclass(value)
        if ">>>" not in (inspect.getdoc(value) or "")
    ]
    assert not without
