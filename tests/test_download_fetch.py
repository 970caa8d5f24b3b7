"""What the servers of photographs do on bad days, and what becomes of the images then."""

import io
import time

import pytest
from download_server import (
    UNAVAILABLE,
    PhotoServer,
    cut_off,
    picture,
    slow,
    stall,
    status,
    trickle_body,
    trickle_headers,
)
from PIL import Image
from tfrecords_fixtures import jpeg

from tfrecords_tools.download import connections, downloader, fetch
from tfrecords_tools.download.downloader import download
from tfrecords_tools.errors import InputError

PHOTO = "actor/0001_17"
FILE = f"{PHOTO}.jpg"


def encoded(format, **options):
    buffer = io.BytesIO()
    Image.effect_noise((40, 30), 60).save(buffer, format, **options)
    return buffer.getvalue()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetch, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(connections, "STALL_SECONDS", 0.3)
    with PhotoServer() as server:
        yield server


@pytest.fixture
def images(tmp_path):
    return tmp_path / "images"


@pytest.fixture
def run(server, images):
    """Downloads photos and returns the report's entries."""

    def run(*photos, sizes=("middle",), **options):
        urls = server.write_list(images.parent / "urls.txt", photos or [PHOTO], sizes)
        report = download(urls, images, **{"requests_per_second": 1000, **options})
        assert not list(images.rglob(".partial-*"))
        return report.entries

    return run


@pytest.mark.parametrize("content", [jpeg(1), encoded("PNG"), encoded("GIF")])
def test_image_is_stored_byte_for_byte_under_its_category(server, run, images, content):
    server.on(PHOTO, picture(content))
    entry = run()[FILE]
    assert (entry.status, entry.url, entry.detail) == ("found", server.url(PHOTO), "")
    assert (images / FILE).read_bytes() == content
    (agent,) = server.user_agents
    assert "NUS-WIDE" in agent


@pytest.mark.parametrize(
    "trouble",
    [stall, cut_off(jpeg(1)), status(408), status(429), status(500), status(503)],
    ids=["stall", "cut off", "408", "429", "500", "503"],
)
def test_temporary_trouble_is_waited_out(server, run, images, trouble):
    server.on(PHOTO, trouble, trouble, picture(jpeg(1)))
    assert run()[FILE].status == "found"
    assert (images / FILE).read_bytes() == jpeg(1)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("trouble", "result", "reason", "attempts"),
    [
        (cut_off(jpeg(1)), "broken", "IncompleteRead", fetch.ATTEMPTS),
        (status(503), "broken", "HTTP 503", fetch.ATTEMPTS),
        # A refusal is not retried, but does not prove that the image is gone.
        (status(403), "broken", "HTTP 403", 1),
        (status(404), "gone", "HTTP 404", 1),
        (status(410), "gone", "HTTP 410", 1),
    ],
    ids=["cut off", "503", "403", "404", "410"],
)
def test_lasting_trouble_makes_an_image_broken_or_gone(
    server, run, trouble, result, reason, attempts
):
    server.on(PHOTO, trouble)
    entry = run()[FILE]
    assert entry.status == result
    assert reason in entry.detail
    assert len(server.requests) == attempts


def test_retry_after_makes_all_threads_pause(server, run):
    server.on(PHOTO, status(429, Retry_After="1"), picture(jpeg(1)))
    photos = [PHOTO, *(f"sky/{i:04d}_{i}" for i in range(19))]
    entries = run(*photos, concurrent=4, requests_per_second=25)
    assert {entry.status for entry in entries.values()} == {"found"}
    # Without the pause all 20 begin in this time.
    assert sum(moment - server.times[0] < 0.9 for moment in server.times) < 12


@pytest.mark.parametrize("value", ["86400", "soon"])
def test_retry_after_is_limited(server, run, monkeypatch, value):
    monkeypatch.setattr(fetch, "MAX_PAUSE_SECONDS", 0.05)
    server.on(PHOTO, status(503, Retry_After=value), picture(jpeg(1)))
    assert run()[FILE].status == "found"


@pytest.mark.parametrize("trickle", [trickle_headers, trickle_body], ids=["headers", "body"])
def test_a_byte_now_and_then_does_not_block_a_thread(server, run, monkeypatch, trickle):
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.4)
    server.on(PHOTO, trickle)
    begin = time.monotonic()
    assert run()[FILE].status == "broken"
    assert time.monotonic() - begin < 10  # the trickle takes 15 s
    assert len(server.requests) == 1


DAMAGED = {
    "web page": b"<html>Please sign in</html>",
    "nothing": b"",
    "truncated JPEG": jpeg(1)[:-100],
    "damaged JPEG": jpeg(1, 64, 64)[:-900] + bytes(300) + jpeg(1, 64, 64)[-600:],
    "truncated PNG": encoded("PNG")[:-100],
    "damaged PNG": encoded("PNG")[:-14] + bytes(2) + encoded("PNG")[-12:],  # its last checksum
    "too large": bytes(30_000),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_what_is_not_a_whole_image_is_broken_and_not_stored(
    server, run, images, monkeypatch, content
):
    monkeypatch.setattr(connections, "MAX_BODY", 20_000)
    server.on(PHOTO, picture(content))
    assert run()[FILE].status == "broken"
    assert not (images / FILE).exists()


@pytest.mark.parametrize(
    "trouble", [status(404), picture(jpeg(1)[:-100]), status(403)], ids=["gone", "damaged", "403"]
)
def test_other_sizes_are_tried_larger_ones_first(server, run, images, trouble):
    for size in ("middle", "large"):
        server.on(PHOTO, trouble, size=size)
    server.on(PHOTO, picture(jpeg(3)), size="small")
    entry = run(sizes=("small", "middle", "large"))[FILE]
    assert (entry.status, entry.url) == ("found", server.url(PHOTO, "small"))
    assert (images / FILE).read_bytes() == jpeg(3)
    assert server.requests == [f"/{PHOTO}_{size}.jpg" for size in ("middle", "large", "small")]


def test_image_is_gone_only_if_all_sizes_are(server, run):
    server.on(PHOTO, status(404), size="middle")
    server.on(PHOTO, status(500), size="small")
    assert run(sizes=("small", "middle"))[FILE].status == "broken"
    # Without any URL it is gone too.
    assert run("sky/0001_1", sizes=())["sky/0001_1.jpg"].status == "gone"


def test_redirects_are_followed_but_not_to_the_placeholder(server, run, images):
    server.on(PHOTO, status(301, Location="/sky/0002_2_middle.jpg"))
    server.on("sky/0002_2", picture(jpeg(5)))
    server.on("sky/0003_3", status(302, Location="/sky/0003_3_middle.jpg"))
    server.on("sky/0004_4", status(302, Location=UNAVAILABLE))
    entries = run(PHOTO, "sky/0003_3", "sky/0004_4")
    assert (images / FILE).read_bytes() == jpeg(5)
    assert (entries["sky/0003_3.jpg"].status, entries["sky/0004_4.jpg"].status) == (
        "broken",
        "gone",
    )
    assert server.requests.count("/sky/0003_3_middle.jpg") == 1 + fetch.MAX_REDIRECTS
    assert UNAVAILABLE not in server.requests


def test_same_bytes_for_three_photographs_are_a_placeholder_and_are_removed(server, run, images):
    photos = [f"sky/{i:04d}_{i}" for i in range(5)]
    for photo in photos:
        server.on(photo, picture(jpeg(1)))
        server.on(photo, status(404), size="large")
    server.on("sky/0001_1", picture(jpeg(2)), size="large")
    entries = run(*photos, sizes=("middle", "large"))
    found = [photo for photo in photos if entries[f"{photo}.jpg"].status == "found"]
    assert found == ["sky/0001_1"]  # its large picture is another one
    assert {entry.status for entry in entries.values()} == {"found", "gone"}
    assert [path.name for path in (images / "sky").iterdir()] == ["0001_1.jpg"]

    # The next download knows the placeholder.
    server.on("sea/0009_9", picture(jpeg(1)))
    assert run("sea/0009_9")["sea/0009_9.jpg"].status == "gone"


def test_same_photograph_in_several_categories_is_not_a_placeholder(server, run):
    photos = ["sky/0001_7", "sea/0002_7", "sun/0003_7", "sun/0004_8"]
    for photo in photos:
        server.on(photo, picture(jpeg(1)))
    assert {entry.status for entry in run(*photos).values()} == {"found"}


def test_requests_at_the_same_time_and_per_second_are_limited(server, run):
    photos = [f"sky/{i:04d}_{i}" for i in range(24)]
    for i, photo in enumerate(photos):
        server.on(photo, slow(jpeg(i), seconds=0.05))
    run(*photos, concurrent=3)
    assert server.most_waiting == 3
    server.times.clear()
    run(*(f"sea/{i:04d}_{i}" for i in range(11)), concurrent=8, requests_per_second=20)
    assert server.times[-1] - server.times[0] > 0.45  # ten pauses of 0.05 s


def test_server_that_does_not_answer_at_all_stops_the_download(server, run, monkeypatch, images):
    monkeypatch.setattr(downloader, "MAX_UNANSWERED", 6)
    photos = [f"sky/{i:04d}_{i}" for i in range(40)]
    for photo in photos[5:]:
        server.on(photo, status(403))
    with pytest.raises(InputError, match=r"6 images in a row.*HTTP 403"):
        run(*photos, concurrent=1)
    assert len(server.requests) < 20
    assert "sky/0000_0.jpg,found" in (images / "download_report.csv").read_text()
