"""What the servers of photographs do on bad days, and what becomes of the images then."""

import io
import time
from email.utils import formatdate

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
def run(server, tmp_path):
    """Downloads photos into `tmp_path / "images"` and returns the report's entries."""

    def run(*photos, sizes=("middle",), **options):
        urls = server.write_list(tmp_path / "urls.txt", photos or [PHOTO], sizes)
        options = {"requests_per_second": 1000, **options}
        report = download(urls, tmp_path / "images", **options)
        assert not list((tmp_path / "images").rglob(".partial-*"))
        return report.entries

    return run


@pytest.fixture
def stored(tmp_path):
    return lambda name=FILE: (tmp_path / "images" / name).read_bytes()


def test_image_is_stored_byte_for_byte_under_its_category(server, run, stored):
    server.on(PHOTO, picture(jpeg(1)))
    entry = run()[FILE]
    assert (entry.status, entry.url, entry.detail) == ("found", server.url(PHOTO), "")
    assert stored() == jpeg(1)
    assert len(server.user_agents) == 1
    assert "NUS-WIDE" in server.user_agents.pop()


@pytest.mark.parametrize(
    "trouble",
    [stall, cut_off(jpeg(1)), status(408), status(429), status(500), status(503)],
    ids=["stall", "cut off", "408", "429", "500", "503"],
)
def test_trouble_that_passes_is_waited_out(server, run, stored, trouble):
    server.on(PHOTO, trouble, trouble, picture(jpeg(1)))
    assert run()[FILE].status == "found"
    assert stored() == jpeg(1)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (cut_off(jpeg(1)), "IncompleteRead"),
        (status(503), "HTTP 503, 4 times"),
    ],
    ids=["cut off", "503"],
)
def test_trouble_that_stays_makes_an_image_broken_after_all_attempts(server, run, trouble, reason):
    server.on(PHOTO, trouble)
    entry = run()[FILE]
    assert entry.status == "broken"
    assert reason in entry.detail
    assert len(server.requests) == fetch.ATTEMPTS


def test_server_that_cannot_be_reached_makes_an_image_broken(server, tmp_path):
    urls = server.write_list(tmp_path / "urls.txt", [PHOTO], ["middle"])
    server.__exit__()
    entry = download(urls, tmp_path / "images").entries[FILE]
    assert entry.status == "broken"
    assert "Connection refused" in entry.detail


@pytest.mark.parametrize(("code", "result"), [(404, "gone"), (410, "gone"), (403, "broken")])
def test_missing_images_are_gone_and_refused_ones_broken_without_a_retry(server, run, code, result):
    server.on(PHOTO, status(code))
    entry = run()[FILE]
    assert (entry.status, entry.detail) == (result, f"middle: HTTP {code}")
    assert len(server.requests) == 1


def test_retry_after_makes_all_threads_pause(server, run):
    server.on(PHOTO, status(429, Retry_After="1"), picture(jpeg(1)))
    photos = [PHOTO, *(f"sky/{i:04d}_{i}" for i in range(19))]
    entries = run(*photos, concurrent=4, requests_per_second=25)
    assert {entry.status for entry in entries.values()} == {"found"}
    # Without the pause all 20 begin in this time.
    assert sum(moment - server.times[0] < 0.9 for moment in server.times) < 12


def test_retry_after_may_be_a_date(server, run):
    # Dates have whole seconds, so that of two seconds more than one is left.
    server.on(PHOTO, status(503, Retry_After=formatdate(time.time() + 2, usegmt=True)), status(404))
    run()
    assert server.times[1] - server.times[0] > 0.9


@pytest.mark.parametrize("value", ["86400", "soon"])
def test_retry_after_is_not_followed_blindly(server, run, monkeypatch, value):
    monkeypatch.setattr(fetch, "MAX_PAUSE_SECONDS", 0.05)
    server.on(PHOTO, status(503, Retry_After=value), picture(jpeg(1)))
    assert run()[FILE].status == "found"


@pytest.mark.parametrize("trickle", [trickle_headers, trickle_body], ids=["headers", "body"])
def test_byte_now_and_then_does_not_hold_a_thread(server, run, monkeypatch, trickle):
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.4)
    server.on(PHOTO, trickle)
    begin = time.monotonic()
    entry = run()[FILE]
    assert entry.status == "broken"
    assert "0.4 s" in entry.detail or "after the time" in entry.detail
    assert time.monotonic() - begin < 10  # the trickle takes 15 s
    assert len(server.requests) == 1


def test_endless_body_is_cut(server, run, monkeypatch):
    monkeypatch.setattr(connections, "MAX_BODY", 1000)
    server.on(PHOTO, picture(b"x" * 1001))
    assert run()[FILE].detail == "middle: larger than 1000 bytes"


DAMAGED = {
    "web page": b"<html>Please sign in</html>",
    "nothing": b"",
    "truncated JPEG": jpeg(1)[:-100],
    "damaged JPEG": jpeg(1, 64, 64)[:-900] + bytes(300) + jpeg(1, 64, 64)[-600:],
    "truncated PNG": encoded("PNG")[:-100],
    "damaged PNG": encoded("PNG")[:-14] + bytes(2) + encoded("PNG")[-12:],  # its last checksum
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_bytes_that_are_no_whole_image_are_broken_and_not_stored(server, run, tmp_path, content):
    server.on(PHOTO, picture(content))
    entry = run()[FILE]
    assert entry.status == "broken"
    assert "image" in entry.detail
    assert not (tmp_path / "images" / FILE).exists()


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_other_formats_are_kept_as_they_are(server, run, stored, format):
    content = encoded(format)
    server.on(PHOTO, picture(content))
    assert run()[FILE].status == "found"
    assert stored() == content


@pytest.mark.parametrize(
    "trouble", [status(404), picture(jpeg(1)[:-100]), status(403)], ids=["gone", "damaged", "403"]
)
def test_other_sizes_are_tried_larger_ones_first(server, run, stored, trouble):
    for size in ("middle", "large"):
        server.on(PHOTO, trouble, size=size)
    server.on(PHOTO, picture(jpeg(3)), size="small")
    entry = run(sizes=("small", "middle", "large"))[FILE]
    assert (entry.status, entry.url) == ("found", server.url(PHOTO, "small"))
    assert stored() == jpeg(3)
    assert server.requests == [f"/{PHOTO}_{size}.jpg" for size in ("middle", "large", "small")]


def test_image_is_gone_only_if_all_sizes_are(server, run):
    server.on(PHOTO, status(404), size="middle")
    server.on(PHOTO, status(500), size="small")
    assert run(sizes=("small", "middle"))[FILE].status == "broken"
    # Without any URL it is gone too.
    assert run("sky/0001_1", sizes=())["sky/0001_1.jpg"].status == "gone"


def test_redirects_are_followed_and_counted(server, run, stored):
    server.on(PHOTO, status(301, Location="/sky/0002_2_middle.jpg"))
    server.on("sky/0002_2", picture(jpeg(5)))
    server.on("sky/0003_3", status(302, Location="/sky/0003_3_middle.jpg"))
    entries = run(PHOTO, "sky/0003_3")
    assert stored() == jpeg(5)
    assert entries["sky/0003_3.jpg"].detail == "middle: more than 5 redirects"


def test_redirect_to_photo_unavailable_is_gone_and_not_asked_for(server, run):
    server.on(PHOTO, status(302, Location=UNAVAILABLE))
    entry = run()[FILE]
    assert (entry.status, entry.detail) == ("gone", "middle: photo unavailable")
    assert UNAVAILABLE not in server.requests


def test_same_bytes_for_three_photographs_are_a_placeholder_and_are_taken_back(
    server, run, tmp_path
):
    photos = [f"sky/{i:04d}_{i}" for i in range(5)]
    for photo in photos:
        server.on(photo, picture(jpeg(1)))
    server.on("sky/0001_1", picture(jpeg(2)), size="large")
    for photo in photos[2:]:
        server.on(photo, status(404), size="large")
    server.on("sky/0000_0", status(404), size="large")
    entries = run(*photos, sizes=("middle", "large"))
    assert [entries[f"{photo}.jpg"].status for photo in photos] == [
        "gone",
        "found",  # its large picture is another
        "gone",
        "gone",
        "gone",
    ]
    assert "photo unavailable" in entries["sky/0000_0.jpg"].detail
    assert [path.name for path in (tmp_path / "images" / "sky").iterdir()] == ["0001_1.jpg"]

    # What is known of the placeholder is known to the next download.
    server.on("sea/0009_9", picture(jpeg(1)))
    assert run("sea/0009_9")["sea/0009_9.jpg"].status == "gone"


def test_same_photograph_under_several_categories_is_no_placeholder(server, run):
    photos = ["sky/0001_7", "sea/0002_7", "sun/0003_7", "sun/0004_8"]
    for photo in photos:
        server.on(photo, picture(jpeg(1)))
    assert {entry.status for entry in run(*photos).values()} == {"found"}


def test_no_more_requests_at_a_time_than_allowed(server, run):
    photos = [f"sky/{i:04d}_{i}" for i in range(24)]
    for i, photo in enumerate(photos):
        server.on(photo, slow(jpeg(i), seconds=0.05))
    run(*photos, concurrent=3)
    assert server.most_waiting == 3


def test_no_more_requests_a_second_than_allowed(server, run):
    run(*(f"sky/{i:04d}_{i}" for i in range(11)), concurrent=8, requests_per_second=20)
    assert server.times[-1] - server.times[0] > 0.45  # ten pauses of 0.05 s


def test_server_that_does_not_answer_at_all_stops_the_download(server, run, monkeypatch, tmp_path):
    monkeypatch.setattr(downloader, "MAX_UNANSWERED", 6)
    photos = [f"sky/{i:04d}_{i}" for i in range(40)]
    for photo in photos[5:]:
        server.on(photo, status(403))
    with pytest.raises(InputError, match=r"no answer for 6 images in a row.*HTTP 403"):
        run(*photos, concurrent=1)
    assert len(server.requests) < 20
    assert "sky/0000_0.jpg,found" in (tmp_path / "images" / "download_report.csv").read_text()


@pytest.mark.parametrize(
    "wrong", [{"size": "huge"}, {"concurrent": 0}, {"requests_per_second": 0}], ids=str
)
def test_wrong_arguments_are_refused(run, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        run(**wrong)
