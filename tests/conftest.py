"""Data sets that several tests train on."""

import pytest
from tfrecords_fixtures import convert_striped


@pytest.fixture(scope="session")
def striped(tmp_path_factory):
    """A folder of records whose three tags a small network can learn in seconds."""
    return convert_striped(tmp_path_factory.mktemp("striped"))
