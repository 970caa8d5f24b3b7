"""What is installed: the wheel, the names, the commands and their help."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
from command_line import warptag_here

import warptag
from tfrecords_tools.__main__ import cli as tfrecords_cli
from warptag.cli import cli

ROOT = Path(__file__).parents[1]


def run(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_the_version_is_one_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {warptag.__version__}\n" in citation
    assert f"## {warptag.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    shown = run("from warptag.cli import main; main()", "--version")
    assert shown.strip() == f"warptag, version {warptag.__version__}"


def test_the_wheel_holds_all_that_runs_and_nothing_else(tmp_path):
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("warptag", "tfrecords_tools"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    build = "from setuptools import build_meta as b; b.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(path.relative_to(ROOT))
        for package in ("warptag", "tfrecords_tools")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {"warptag/py.typed", "tfrecords_tools/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.parametrize("program", [cli, tfrecords_cli], ids=["warptag", "tfrecords_tools"])
def test_every_command_has_help_with_an_example_whose_options_it_has(program):
    for name, command in program.commands.items():
        text = command.get_help(click.Context(command, info_name=name))
        assert re.search(r"Examples?:", text), name
        known = {option for parameter in command.params for option in parameter.opts}
        for line in text.split("Example", 1)[1].split("Options:")[0].splitlines():
            if f" {name} " in line:
                given = re.findall(r"(?<= )--[a-z-]+", line.split("#")[0].split(" -- ")[0])
                assert set(given) <= known, line


def test_subpackages_are_imported_on_first_use_and_bounds_need_numpy_alone():
    code = """if True:
        import sys, warptag
        heavy = {"keras", "tensorflow", "sklearn", "scipy", "pandas"}
        assert not (heavy | {"numpy"}) & set(sys.modules)
        warptag.baselines.most_frequent_scores([[1, 0]], 1)
        print(heavy & set(sys.modules), "losses" in dir(warptag))"""
    assert run(code) == "set() True\n"
    with pytest.raises(AttributeError, match="looses"):
        _ = warptag.looses


def test_the_shell_completes_the_values_of_commands(monkeypatch):
    assert "_WARPTAG_COMPLETE=bash_complete" in warptag_here("completion", "bash").stdout
    monkeypatch.setenv("_WARPTAG_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "warptag train cor")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert run("from warptag.cli import main; main()") == "plain,corel5k\n"
