"""`warptag demo`: the page answers with the tags of every loss; without Gradio it says so."""

import json
import os
import socket
import subprocess
import sys

import pytest
from annotation_support import TAG_NAMES, make_run, write_photograph
from command_line import warptag_here

from tfrecords_tools.errors import InputError
from warptag.annotation.demo import find_taggers


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "models"
    for loss, network in (("softmax", {}), ("warp", {"weights": "imagenet"})):
        make_run(folder / loss, loss=loss, network=network)
    return folder


@pytest.fixture(scope="module")
def taggers(models):
    return find_taggers(models)


def test_the_runs_of_a_folder_are_found_by_their_loss(taggers, tmp_path):
    assert list(taggers) == ["CNN + Softmax", "Pretrained + WARP"]
    with pytest.raises(InputError, match="softmax, ranking, warp"):
        find_taggers(tmp_path)


# `warptag demo`, with a client in the same process where the page would wait for Ctrl+C.
DEMO = """
import json, sys
import gradio
from gradio_client import Client, handle_file
from warptag.cli import main

port, models, *photographs = sys.argv[1:]

def ask(page):
    client = Client(page.local_url, verbose=False)
    for path in photographs:
        try:
            print(json.dumps(client.predict(handle_file(path), api_name="/tag")))
        except Exception as error:
            print(json.dumps(str(error)), flush=True)
    gradio.Blocks.block_thread = lambda page: print("started twice")
    main()

gradio.Blocks.block_thread = ask
sys.argv[1:] = ["demo", models, "--topk", "3", "--port", port]
main()
"""


@pytest.mark.extra
def test_the_page_tags_a_photograph_and_refuses_what_is_none(models, taggers, tmp_path):
    pytest.importorskip("gradio", reason="the extra demo is not installed")
    photograph = write_photograph(tmp_path / "photo <b>.jpg")
    broken = tmp_path / "broken.jpg"
    # Its header is whole: Gradio itself refuses a damaged one, with a message of its own.
    broken.write_bytes(photograph.read_bytes()[:-100])
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port = some.getsockname()[1]
    # A separate process, since parts of Gradio leave sockets open.
    done = subprocess.run(
        [sys.executable, "-c", DEMO, str(port), str(models), str(photograph), str(broken)],
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
        capture_output=True,
        text=True,
    )
    # The second start on the same port is refused.
    assert done.returncode == 1 and f"port {port}" in done.stderr and "--port" in done.stderr
    address, tables, refusal = done.stdout.splitlines()
    assert f"http://127.0.0.1:{port}/" in address
    for table, tagger in zip(json.loads(tables), taggers.values(), strict=True):
        assert table["headers"] == ["tag", "probability", "score"]
        [annotation] = tagger.annotate([photograph])
        assert len(table["data"]) == 3
        assert table["data"][0][0] == TAG_NAMES[annotation.scores.argmax()]
        assert table["data"][0][1] == f"{100 * annotation.probabilities.max():.1f} %"
    assert "The file" in refusal and str(tmp_path) not in refusal


def test_without_gradio_the_extra_is_named(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    result = warptag_here("demo", models)
    assert result.returncode == 1
    assert "warptag[demo]" in result.stderr
    assert len(result.stderr.splitlines()) == 1
