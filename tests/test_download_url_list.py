"""The list of URLs: its real form, what is tolerated and what is refused."""

import pytest

from tfrecords_tools.download.url_list import SIZES, read_url_list
from tfrecords_tools.errors import InputError

HEADER = "%%%%%%Photo_file    Photo_id    url_Large   url_Middle   url_Small  url_Original%%%%%%"
ACTOR = (
    r"C:\ImageData\Flickr\actor\0001_2124494179.jpg   2124494179  "
    "http://farm3.example/2124494179_b.jpg  http://farm3.example/2124494179.jpg  "
    "http://farm3.example/2124494179_m.jpg  null"
)


def write(path, *lines, end="\n", encoding="utf-8"):
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    return path


def line(name, urls="null http://h/2.jpg null null", photo_id="7"):
    return f"{name} {photo_id} {urls}"


def test_release_line_is_read_in_the_release_order_of_sizes(tmp_path):
    photos = read_url_list(write(tmp_path / "urls.txt", HEADER, ACTOR))
    assert list(photos) == ["actor/0001_2124494179.jpg"]
    assert dict(photos["actor/0001_2124494179.jpg"].choices("large")) == {
        "large": "http://farm3.example/2124494179_b.jpg",
        "middle": "http://farm3.example/2124494179.jpg",
        "small": "http://farm3.example/2124494179_m.jpg",
    }


@pytest.mark.parametrize(
    ("preferred", "order"),
    [
        ("small", ["small", "middle", "large", "original"]),
        ("middle", ["middle", "large", "original", "small"]),
        ("large", ["large", "original", "middle", "small"]),
        ("original", ["original", "large", "middle", "small"]),
    ],
)
def test_larger_sizes_follow_the_preferred_one_and_smaller_ones_come_last(
    tmp_path, preferred, order
):
    urls = "http://h/large http://h/middle http://h/small http://h/original"
    photos = read_url_list(write(tmp_path / "urls.txt", line(r"C:\Flickr\a\1_7.jpg", urls)))
    choices = photos["a/1_7.jpg"].choices(preferred)
    assert choices == [(size, f"http://h/{size}") for size in order]
    assert set(SIZES) == set(order)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \t\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_line_ends_tabs_and_encodings_make_no_difference(tmp_path, end, encoding):
    path = tmp_path / "urls.txt"
    lines = [HEADER + (" é" if encoding == "latin-1" else ""), "  " + ACTOR.replace("  ", "\t")]
    expected = read_url_list(write(tmp_path / "plain.txt", HEADER, ACTOR))
    assert read_url_list(write(path, *lines, end=end, encoding=encoding)) == expected


def test_category_may_have_a_blank_or_a_hyphen_and_the_first_of_equal_names_counts(tmp_path):
    path = write(
        tmp_path / "urls.txt",
        line(r"C:\ImageData\Flickr\dark-skinned people\1_7.jpg"),
        line("cul-de-sac/2_8.jpg"),
        line("cul-de-sac/2_8.jpg", "null http://h/other.jpg null null"),
    )
    photos = read_url_list(path)
    assert list(photos) == ["dark-skinned people/1_7.jpg", "cul-de-sac/2_8.jpg"]
    assert photos["cul-de-sac/2_8.jpg"].choices("middle") == [("middle", "http://h/2.jpg")]


@pytest.mark.parametrize(
    "bad",
    [
        r"C:\ImageData\Flickr\actor\1_7.jpg 7 null null null",  # three URLs
        r"C:\ImageData\Flickr\actor\1_7.jpg null null null null",  # no id
        line(r"C:\ImageData\Flickr\actor\1_7.jpg", "null null null file:///etc/passwd"),
        "no such line",
    ],
)
def test_malformed_line_is_named_with_what_was_expected(tmp_path, bad):
    path = write(tmp_path / "urls.txt", HEADER, ACTOR, bad)
    with pytest.raises(InputError, match=r"urls\.txt, line 3: expected"):
        read_url_list(path)


@pytest.mark.parametrize(
    "name",
    [
        r"C:\ImageData\Flickr\..\1_7.jpg",
        r"C:\ImageData\Flickr\actor\..\..\1_7.jpg",
        r"C:\ImageData\Flickr\actor\...jpg",
        r"C:\ImageData\Flickr\actor\.hidden.jpg",
        r"C:\ImageData\Flickr\actor\-rf.jpg",
        r"C:\ImageData\Flickr\actor\1_7.jpg:stream.jpg",
        r"C:\ImageData\Flickr\actor\1_7.exe",
        r"C:\ImageData\Flickr\1_7.jpg",
        r"C:\elsewhere\actor\1_7.jpg",
        "/etc/1_7.jpg",
        "../1_7.jpg",
        "actor/nul\0l.jpg",
    ],
)
def test_names_that_could_leave_the_folder_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="line 1: .* is refused"):
        read_url_list(write(tmp_path / "urls.txt", line(name)))


def test_missing_and_empty_lists_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt cannot be read"):
        read_url_list(tmp_path / "none.txt")
    with pytest.raises(InputError, match=r"empty\.txt lists no images"):
        read_url_list(write(tmp_path / "empty.txt", HEADER))
