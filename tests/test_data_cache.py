"""Copies of shards in memory or a folder: the same batches, and never a damaged copy."""

import pytest
from data_support import (
    assert_same_batches,
    coded_jpeg,
    convert_coded,
    first_batches,
    picture_numbers,
)

from tfrecords_tools.errors import InputError
from warptag.data import Records


@pytest.fixture
def data(tmp_path):
    return convert_coded(tmp_path / "data", train=24)


def make_unreadable(data):
    """The same sizes, so that only reading would notice."""
    for shard in data.glob("train*.tfrecord"):
        shard.write_bytes(bytes(shard.stat().st_size))


@pytest.fixture(params=["memory", "folder"])
def cache(request, tmp_path):
    return "memory" if request.param == "memory" else tmp_path / "cache"


def test_cached_batches_are_the_same_and_the_data_set_is_read_once(data, cache):
    expected = first_batches(Records(data, "train", "fit"), 6)
    records = Records(data, "train", "fit", cache=cache)
    assert_same_batches(first_batches(records, 6), expected)
    make_unreadable(data)
    assert_same_batches(first_batches(records, 6), expected)
    again = Records(data, "train", "fit", cache=cache)
    assert_same_batches(first_batches(again, 6), expected)


def test_a_folder_holds_whole_copies_only_and_a_lost_one_is_made_again(data, tmp_path):
    cache = tmp_path / "cache"
    len(Records(data, "train", cache=cache))
    copies = sorted(cache.iterdir())
    shards = sorted(data.glob("train*.tfrecord"))
    assert sorted(copy.read_bytes() for copy in copies) == sorted(s.read_bytes() for s in shards)
    content = copies[0].read_bytes()
    copies[0].write_bytes(content[:-1])
    copies[1].unlink()
    assert len(list(Records(data, "train", cache=cache))) == 24
    assert sorted(cache.iterdir()) == copies
    assert copies[0].read_bytes() == content


def test_a_shard_that_is_not_as_described_is_not_copied(tmp_path, cache):
    # Pictures of which no other test has a copy in memory.
    data = convert_coded(tmp_path / "data", train=24, image=lambda item: coded_jpeg(item + 30))
    shard = data / "train-00001-of-00008.tfrecord"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + bytes([content[-1] ^ 255]))
    with pytest.raises(InputError, match=f"{shard}: the SHA-256 is not the one in"):
        len(Records(data, "train", cache=cache))
    if cache != "memory":
        assert len(list(cache.iterdir())) == 1  # the shard before it
    skipping = Records(data, "train", damaged="skip", cache=cache)
    assert picture_numbers(list(skipping.images())) == [i + 30 for i in range(24) if i != 5]
    assert skipping.skipped == [f"{shard}, record 2"]


def test_a_damaged_image_in_a_cached_shard_is_named_by_the_data_sets_file(tmp_path, cache):
    data = convert_coded(tmp_path / "bad", image=lambda item: b"no picture")
    with pytest.raises(InputError, match=f"{data}/train-00000-of-00008.tfrecord, record 0: "):
        list(Records(data, "train", cache=cache))


def test_a_cache_that_cannot_be_written_is_named(data, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be copied to .*file.*choose another cache"):
        len(Records(data, "train", cache=tmp_path / "file"))
