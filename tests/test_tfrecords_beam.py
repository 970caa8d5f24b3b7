"""The Apache Beam pipeline writes what the local conversion writes."""

import sys

import pytest
from command_line import tfrecords_tools_here
from tfrecords_fixtures import contents, write_corel5k

from tfrecords_tools.beam import convert_with_beam
from tfrecords_tools.extras import MissingExtraError
from tfrecords_tools.schema import INFO_FILE
from tfrecords_tools.sources.corel5k import Corel5K


def convert(folder, output, *options):
    arguments = ("corel5k", "--input", folder, "--output", output, "--size", 16, *options)
    return tfrecords_tools_here("convert", *arguments)


@pytest.mark.extra
def test_direct_runner_writes_the_same_files(tmp_path):
    pytest.importorskip("apache_beam", reason="needs the extra beam")
    folder = write_corel5k(tmp_path)
    image = folder / "db" / "train" / "1003.jpeg"
    image.write_bytes(image.read_bytes()[:-200])
    here, beam = tmp_path / "here", tmp_path / "beam"
    assert convert(folder, here).returncode == 0
    result = convert(folder, beam, "--runner", "DirectRunner", "--", "--direct_num_workers=2")
    assert result.returncode == 0, result.stderr
    assert contents(beam) == contents(here)
    assert "rejected.csv" in contents(beam)

    unknown = convert(folder, tmp_path / "other", "--runner", "NoSuchRunner")
    assert unknown.returncode == 1
    assert "NoSuchRunner" in unknown.stderr and "Traceback" not in unknown.stderr
    assert not (tmp_path / "other" / INFO_FILE).exists()


def test_without_beam_the_message_names_the_extra_and_nothing_is_changed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    source = Corel5K(write_corel5k(tmp_path))
    options = {"name": "corel5k", "settings": source.settings, "overwrite": True}
    with pytest.raises(MissingExtraError, match=r"warptag\[beam\]"):
        convert_with_beam(source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
