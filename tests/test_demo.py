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
from warptag.annotation import Tagger
from warptag.annotation.demo import find_taggers, rows


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "models"
    for loss in ("softmax", "warp"):
        make_run(folder / loss)
    return folder


def test_the_runs_of_a_folder_are_found_by_their_loss(models, tmp_path):
    assert list(find_taggers(models)) == ["Softmax", "WARP"]
    with pytest.raises(InputError, match="holds no trained run; expected folders softmax"):
        find_taggers(tmp_path)


def test_rows_are_texts_best_first(models, tmp_path):
    tagger = Tagger(models / "warp")
    photograph = write_photograph(tmp_path / "photograph.jpg")
    table = rows(tagger, photograph, 2)
    assert len(table) == 2
    [annotation] = tagger.annotate([photograph])
    assert table[0][0] == TAG_NAMES[annotation.scores.argmax()]
    assert table[0][1] == f"{100 * annotation.probabilities.max():.1f} %"


# `warptag demo` with a client that asks in the same process, where the page would wait for Ctrl-C.
DEMO = """
import json, sys
import gradio
from gradio_client import Client, handle_file
from tfrecords_tools.errors import InputError
from warptag.annotation.demo import start
from warptag.cli import main

port, models, *photographs = sys.argv[1:]

def ask(page):
    client = Client(page.local_url, verbose=False)
    for path in photographs:
        try:
            print(json.dumps(client.predict(handle_file(path), api_name="/tag")))
        except Exception as error:
            print(json.dumps(str(error)))
    with gradio.Blocks() as another:
        pass
    try:
        start(another, int(port))
    except InputError as error:
        print(json.dumps(str(error)))

gradio.Blocks.block_thread = ask
sys.argv[1:] = ["demo", models, "--topk", "3", "--port", port]
main()
"""


def test_the_page_tags_a_photograph_and_refuses_what_is_none(models, tmp_path):
    pytest.importorskip("gradio", reason="the extra demo is not installed")
    photograph = write_photograph(tmp_path / "photo <b>.jpg")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photograph.read_bytes()[:-300])
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port = some.getsockname()[1]
    # A process of its own, since Gradio's parts leave sockets open.
    done = subprocess.run(
        [sys.executable, "-c", DEMO, str(port), str(models), str(photograph), str(broken)],
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said, *answers = done.stdout.splitlines()
    assert f"http://127.0.0.1:{port}/" in said
    tables, refusal, taken = map(json.loads, answers)
    for table, tagger in zip(tables, find_taggers(models).values(), strict=True):
        assert table["headers"] == ["tag", "probability", "score"]
        assert table["data"] == rows(tagger, photograph, 3)
    assert "The file cannot be read as an image" in refusal
    assert taken.startswith(f"port {port} cannot be used")


def test_without_gradio_the_extra_is_named(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    result = warptag_here("demo", models)
    assert result.returncode == 1
    assert result.stderr.strip().endswith("pip install 'warptag[demo]'")
    assert len(result.stderr.splitlines()) == 1
