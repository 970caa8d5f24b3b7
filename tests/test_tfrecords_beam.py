"""The Apache Beam pipeline writes what the local conversion writes."""

import subprocess
import sys

import pytest
from tfrecords_fixtures import write_corel5k

from tfrecords_tools.schema import INFO_FILE


def convert(folder, output, *options):
    command = [sys.executable, "-m", "tfrecords_tools", "convert", "corel5k"]
    command += ["--input", str(folder), "--output", str(output), "--size", "16", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_direct_runner_writes_the_same_files(tmp_path):
    pytest.importorskip("apache_beam", reason="needs the extra beam")
    folder = write_corel5k(tmp_path)
    image = folder / "db" / "train" / "1003.jpeg"
    image.write_bytes(image.read_bytes()[:-200])
    here, beam = tmp_path / "here", tmp_path / "beam"
    assert convert(folder, here).returncode == 0

    (beam).mkdir()
    result = convert(folder, beam, "--runner", "DirectRunner", "--", "--direct_num_workers=2")
    assert result.returncode == 0, result.stderr
    assert "train: 2 images" in result.stdout
    assert "validation: 1 images" in result.stdout
    assert contents(beam) == contents(here)
    assert "rejected.csv" in contents(beam)

    unknown = convert(folder, tmp_path / "other", "--runner", "NoSuchRunner")
    assert unknown.returncode == 1
    assert "the runner 'NoSuchRunner' cannot be used" in unknown.stderr
    assert "Traceback" not in unknown.stderr
    assert not (tmp_path / "other" / INFO_FILE).exists()


def test_without_beam_the_message_names_the_extra(tmp_path, monkeypatch):
    from tfrecords_tools.beam import convert_with_beam
    from tfrecords_tools.errors import InputError
    from tfrecords_tools.sources.corel5k import Corel5K

    monkeypatch.setitem(sys.modules, "apache_beam", None)
    source = Corel5K(write_corel5k(tmp_path))
    with pytest.raises(InputError, match=r"pip install 'warptag\[beam\]'"):
        convert_with_beam(source, tmp_path / "out", name="corel5k", settings=source.settings)
