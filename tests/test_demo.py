"""`warptag demo`: the page answers with the tags of every loss; without Gradio it says so."""

import json
import signal
import socket
import subprocess
import sys

import pytest
from annotation_support import TAG_NAMES, make_run, write_photograph

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


CLIENT = """
import json, sys
from gradio_client import Client, handle_file
client = Client(sys.argv[1], verbose=False)
for path in sys.argv[2:]:
    try:
        print(json.dumps(client.predict(handle_file(path), api_name="/tag")))
    except Exception as error:
        print(json.dumps(str(error)))
"""


def test_the_page_tags_a_photograph_and_refuses_what_is_none(models, tmp_path):
    pytest.importorskip("gradio", reason="the extra demo is not installed")
    photograph = write_photograph(tmp_path / "photo <b>.jpg")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photograph.read_bytes()[:-300])
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port = some.getsockname()[1]
    command = [sys.executable, "-m", "warptag.cli", "demo", str(models), "--topk", "3"]
    command += ["--port", str(port)]
    # Processes of their own, since Gradio's parts leave sockets open.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        try:
            said = page.stdout.readline()
            address = f"http://127.0.0.1:{port}/"
            assert address in said
            client = [sys.executable, "-c", CLIENT, address, str(photograph), str(broken)]
            answer = subprocess.run(client, capture_output=True, text=True, check=True)
            taken = subprocess.run(command, capture_output=True, text=True)
        finally:
            page.send_signal(signal.SIGINT)
    tables, refusal = map(json.loads, answer.stdout.splitlines())
    for table, tagger in zip(tables, find_taggers(models).values(), strict=True):
        assert table["headers"] == ["tag", "probability", "score"]
        assert table["data"] == rows(tagger, photograph, 3)
    assert "The file cannot be read as an image" in refusal
    assert taken.returncode == 1
    assert f"port {port} cannot be used" in taken.stderr


def test_without_gradio_the_extra_is_named(models):
    code = (
        "import sys; sys.modules['gradio'] = None\n"
        f"sys.argv = ['warptag', 'demo', {str(models)!r}]\n"
        "from warptag.cli import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.strip().endswith("pip install 'warptag[demo]'")
    assert len(result.stderr.splitlines()) == 1
