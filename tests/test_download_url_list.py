"""The list of URLs: its real form, what is tolerated and what is refused."""

import pytest

from tfrecords_tools.download.url_list import read_url_list
from tfrecords_tools.errors import InputError

HEADER = "%%%%%%Photo_file    Photo_id    url_Large   url_Middle   url_Small  url_Original%%%%%%"
ACTOR = (
    r"C:\ImageData\Flickr\actor\0001_2124494179.jpg   2124494179  "
    "http://farm3.example/2124494179_b.jpg  http://farm3.example/2124494179.jpg  "
    "http://farm3.example/2124494179_m.jpg  null"
)


@pytest.fixture
def read(tmp_path):
    def read(*lines, end="\n", encoding="utf-8"):
        (tmp_path / "urls.txt").write_bytes(end.join([*lines, ""]).encode(encoding))
        return read_url_list(tmp_path / "urls.txt")

    return read


def line(name, urls="null http://h/2.jpg null null", photo_id="7"):
    return f"{name} {photo_id} {urls}"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \t\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_the_release_is_read_whatever_its_line_ends_and_encoding(read, end, encoding):
    header = HEADER + (" é" if encoding == "latin-1" else "")
    photos = read(header, "  " + ACTOR.replace("  ", "\t"), end=end, encoding=encoding)
    assert list(photos) == ["actor/0001_2124494179.jpg"]
    assert photos["actor/0001_2124494179.jpg"].choices("large") == [
        ("large", "http://farm3.example/2124494179_b.jpg"),
        ("middle", "http://farm3.example/2124494179.jpg"),
        ("small", "http://farm3.example/2124494179_m.jpg"),
    ]


@pytest.mark.parametrize(
    "order",
    [
        ["small", "middle", "large", "original"],
        ["middle", "large", "original", "small"],
        ["large", "original", "middle", "small"],
        ["original", "large", "middle", "small"],
    ],
)
def test_larger_sizes_follow_the_preferred_one_and_smaller_ones_come_last(read, order):
    urls = "http://h/large http://h/middle http://h/small http://h/original"
    photo = read(line(r"C:\Flickr\a\1_7.jpg", urls))["a/1_7.jpg"]
    assert photo.choices(order[0]) == [(size, f"http://h/{size}") for size in order]


def test_category_may_have_a_blank_or_a_hyphen_and_the_first_of_equal_names_counts(read):
    photos = read(
        line(r"C:\ImageData\Flickr\dark-skinned people\1_7.jpg"),
        line("cul-de-sac/2_8.jpg"),
        line("cul-de-sac/2_8.jpg", "null http://h/other.jpg null null"),
    )
    assert list(photos) == ["dark-skinned people/1_7.jpg", "cul-de-sac/2_8.jpg"]
    assert photos["cul-de-sac/2_8.jpg"].choices("middle") == [("middle", "http://h/2.jpg")]


@pytest.mark.parametrize(
    "bad",
    [
        r"C:\ImageData\Flickr\actor\1_7.jpg 7 null null null",  # three URLs
        r"C:\ImageData\Flickr\actor\1_7.jpg null null null null",  # no id
        line(r"C:\ImageData\Flickr\actor\1_7.jpg", "null null null file:///etc/passwd"),
        "no such line",
        # Names that could leave the folder.
        line(r"C:\ImageData\Flickr\..\1_7.jpg"),
        line(r"C:\ImageData\Flickr\actor\..\..\1_7.jpg"),
        line(r"C:\ImageData\Flickr\actor\...jpg"),
        line(r"C:\ImageData\Flickr\actor\.hidden.jpg"),
        line(r"C:\ImageData\Flickr\actor\-rf.jpg"),
        line(r"C:\ImageData\Flickr\actor\1_7.jpg:stream.jpg"),
        line(r"C:\ImageData\Flickr\actor\1_7.exe"),
        line(r"C:\ImageData\Flickr\1_7.jpg"),
        line(r"C:\elsewhere\actor\1_7.jpg"),
        line("/etc/1_7.jpg"),
        line("../1_7.jpg"),
        line("actor/nul\0l.jpg"),
    ],
)
def test_malformed_or_unsafe_line_is_named(read, bad):
    with pytest.raises(InputError, match=r"urls\.txt, line 3: "):
        read(HEADER, ACTOR, bad)


def test_missing_and_empty_lists_are_refused(read, tmp_path):
    with pytest.raises(InputError, match=r"none\.txt cannot be read"):
        read_url_list(tmp_path / "none.txt")
    with pytest.raises(InputError, match=r"urls\.txt lists no images"):
        read(HEADER)
