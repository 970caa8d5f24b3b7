"""Downloads that are stopped and resume, and the report that they keep."""

import csv
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from download_server import PhotoServer, picture, slow, status
from tfrecords_fixtures import jpeg, write_nuswide

from tfrecords_tools.download import fetch
from tfrecords_tools.download.downloader import download
from tfrecords_tools.errors import InputError
from tfrecords_tools.images import check_jpeg
from tfrecords_tools.nuswide_commands import nuswide_download
from tfrecords_tools.sources.nuswide import NUSWide

PHOTOS = [f"sky/{i:04d}_{i}" for i in range(6)]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetch, "BACKOFF_SECONDS", 0.01)
    with PhotoServer() as server:
        yield server


@pytest.fixture
def urls(server, tmp_path):
    return server.write_list(tmp_path / "urls.txt", PHOTOS, ["middle"])


@pytest.fixture
def images(tmp_path):
    return tmp_path / "Flickr"


def run(urls, images, **options):
    return download(urls, images, requests_per_second=1000, **options)


def rows(images):
    with open(images / "download_report.csv", newline="") as file:
        return {row["filename"]: row for row in csv.DictReader(file)}


def counts(report):
    return [report.count(state) for state in ("found", "gone", "broken")]


def test_report_and_what_the_next_downloads_request(server, urls, images, tmp_path):
    server.on(PHOTOS[0], status(404))
    server.on(PHOTOS[1], picture(b"<html>"), picture(jpeg(1)))
    assert str(run(urls, images)).startswith("6 images: 4 found, 1 gone, 1 broken; see ")
    states = ["gone", "broken", *["found"] * 4]
    assert [rows(images)[f"{photo}.jpg"]["status"] for photo in PHOTOS] == states
    assert rows(images)[f"{PHOTOS[2]}.jpg"]["url"] == server.url(PHOTOS[2])
    assert {path.name for path in images.iterdir()} == {"sky", "download_report.csv"}

    # Only what was broken.
    server.requests[:] = [f"/{PHOTOS[1]}_middle.jpg"]
    assert counts(run(urls, images)) == [5, 1, 0]
    assert server.requests == 2 * [f"/{PHOTOS[1]}_middle.jpg"]

    # What was deleted, and not what was put there by hand.
    server.requests.clear()
    (images / f"{PHOTOS[2]}.jpg").unlink()
    (images / f"{PHOTOS[0]}.jpg").write_bytes(jpeg(1))
    assert counts(run(urls, images)) == [6, 0, 0]
    assert server.requests == [f"/{PHOTOS[2]}_middle.jpg"]

    # Images of another list stay in the report.
    run(server.write_list(tmp_path / "more.txt", ["sea/0001_99"], ["middle"]), images)
    assert list(rows(images)) == ["sea/0001_99.jpg", *(f"{photo}.jpg" for photo in PHOTOS)]


def test_gone_images_are_requested_again_with_the_option(server, urls, images):
    server.on(PHOTOS[0], status(404), picture(jpeg(1)))
    run(urls, images)
    assert run(urls, images, retry_gone=True).count("found") == 6
    assert len(server.requests) == 7


def test_foreign_file_with_the_reports_name_is_not_overwritten(server, urls, images):
    images.mkdir()
    (images / "download_report.csv").write_text("mine\n")
    with pytest.raises(InputError, match=r"download_report\.csv is not a report"):
        run(urls, images)
    assert (images / "download_report.csv").read_text() == "mine\n"
    assert server.requests == []


#: An interrupt stops it in any shell, even in one that makes its processes ignore interrupts.
CODE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from tfrecords_tools.download.downloader import download; "
    "download(*sys.argv[1:], concurrent=2, requests_per_second=1000)"
)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_stopped_download_leaves_whole_images_and_resumes(server, images, tmp_path, sent):
    photos = [f"sky/{i:04d}_{i}" for i in range(60)]
    for i, photo in enumerate(photos):
        server.on(photo, slow(jpeg(i, 120, 120), seconds=0.02))
    server.on(photos[0], status(404))
    urls = server.write_list(tmp_path / "urls.txt", photos, ["middle"])
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", CODE, urls, images]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=root)
    deadline = time.monotonic() + 30
    while len(server.requests) < 25:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(sent)
    process.communicate(timeout=30)
    assert process.returncode != 0

    stored = {path.stem: path.read_bytes() for path in images.glob("sky/[!.]*.jpg")}
    assert 15 <= len(stored) < 59
    for content in stored.values():
        check_jpeg(content)
    if sent == signal.SIGINT:
        found = {name for name, row in rows(images).items() if row["status"] == "found"}
        # The interrupt may come between the last image and its entry.
        assert found <= {f"sky/{stem}.jpg" for stem in stored} and len(found) >= len(stored) - 1

    server.requests.clear()
    assert run(urls, images).count("found") == 59
    asked = {Path(path).name.removesuffix("_middle.jpg") for path in server.requests}
    assert asked == {Path(photo).name for photo in photos[1:]} - set(stored)
    for i, photo in enumerate(photos[1:], 1):
        assert (images / f"{photo}.jpg").read_bytes() == jpeg(i, 120, 120)


def test_report_whose_last_line_was_cut_off_is_read_up_to_it(server, urls, images):
    images.mkdir()
    (images / "download_report.csv").write_text(
        f"filename,status,url,detail,sha256\n{PHOTOS[0]}.jpg,broken,,middle: HTTP 500,\n"
        f"{PHOTOS[0]}.jpg,gone,,middle: HTTP 404,\n{PHOTOS[1]}.jpg,gone,,mid"
    )
    assert counts(run(urls, images)) == [5, 1, 0]
    assert len(rows(images)) == 6


def test_full_disk_stops_with_one_message_and_nothing_half_written(
    server, urls, images, monkeypatch
):
    real, written = Path.write_bytes, []

    def write_bytes(path, content):
        if len(written) == 3:
            real(path, content[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(InputError, match="Flickr cannot be written .No space left"):
        run(urls, images)
    assert len(list(images.glob("sky/*"))) == 3
    assert {row["status"] for row in rows(images).values()} == {"found"}
    monkeypatch.undo()
    assert run(urls, images).count("found") == 6


def test_the_command_fails_if_images_are_broken(server, urls, images):
    def invoke(*options):
        arguments = ("--urls", urls, "--output", images, "--requests-per-second", 1000, *options)
        return CliRunner().invoke(nuswide_download, list(map(str, arguments)))

    server.on(PHOTOS[0], status(404))
    server.on(PHOTOS[1], picture(b"<html>"))
    result = invoke("--concurrent", "2", "--size", "large")
    assert result.exit_code == 1
    assert result.stdout.startswith("6 images: 4 found, 1 gone, 1 broken")
    assert "same command again" in result.stderr
    server.on(PHOTOS[1], picture(jpeg(1)))
    result = invoke()
    assert result.exit_code == 0
    assert result.stdout.startswith("6 images: 5 found, 1 gone, 0 broken")


def test_downloaded_folder_is_what_the_source_reads(server, tmp_path):
    folder = write_nuswide(tmp_path, num_images=40)
    names = sorted((folder / "Flickr").glob("*/*.jpg"))
    photos = [str(name.relative_to(folder / "Flickr").with_suffix("")) for name in names]
    for name in names:
        name.unlink()
    server.on(photos[0], status(404))
    run(server.write_list(tmp_path / "urls.txt", photos, ["middle"]), folder / "Flickr")
    source = NUSWide(folder, size=8)
    assert sum(source.missing.values()) == 1
    assert source.load(source.splits["train"][0]).height == 8
