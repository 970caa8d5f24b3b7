"""`warptag export`: each format run again, the card, and what is refused."""

import json
import re
import shutil
import zipfile

import keras
import numpy as np
import pytest
from annotation_support import CALIBRATION, TAG_NAMES, make_run
from click.testing import CliRunner
from PIL import Image

from tfrecords_tools.errors import InputError
from tfrecords_tools.lock import InUse, exclusive
from warptag.commands.export import FORMATS as FORMAT_NAMES
from warptag.commands.export import export
from warptag.exporting import FORMATS, export_run
from warptag.exporting.export import FormatError, OutputError
from warptag.exporting.photograph_model import photograph_model
from warptag.models import AlexNet, Head, PretrainedNetwork

SETTINGS = {
    "loss": "warp",
    "learning_rate": 0.01,
    "keep": "last",
    "experiment": "made-up",
    "selection_k": 2,
    "data_checksum": "abc123",
    "data": {"name": "rectangles", "images": {"train": 40, "test": 10}, "synthetic": True},
}
HISTORY = """epoch,loss,val_per_class_recall,val_overall_recall
1,0.9,0.55,0.45
2,0.8,0.25,0.35
"""
INSTALLED = [name for name, form in FORMATS.items() if form.is_installed()]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("export") / "run", **SETTINGS)
    (run / "history.csv").write_text(HISTORY)
    return run


@pytest.fixture
def changed(run, tmp_path):
    """A copy of the run to change or to damage."""
    ignored = shutil.ignore_patterns("export")
    return shutil.copytree(run, tmp_path / "changed", ignore=ignored)


@pytest.fixture(scope="module")
def exported(run):
    """The run in every format that is installed."""
    export_run(run, INSTALLED, run / "export")
    return run / "export"


def photographs(*sizes, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(0, 256, (1, *size, 3), np.uint8) for size in sizes]


@pytest.mark.extra
@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_the_outputs_of_keras_for_photographs_of_any_size(run, exported, name):
    if name not in INSTALLED:
        pytest.skip("needs pip install warptag[export]")
    model, _ = photograph_model(run)
    load = FORMATS[name].load(exported / FORMATS[name].file)
    images = photographs((50, 30), (9, 200), (1, 1), seed=7)
    # Two photographs of one size at once.
    for image in (*images, np.concatenate(photographs((33, 47), (33, 47)))):
        expected, found = model(image, training=False), load(image)
        assert set(found) == {"scores", "probabilities"}
        for output in found:
            assert found[output].shape == (len(image), 3)
            np.testing.assert_allclose(found[output], expected[output], atol=1e-4, rtol=0)
    assert np.abs(found["scores"][0] - found["scores"][1]).max() > 1e-3


@pytest.mark.extra
def test_a_pretrained_network_is_exported_in_every_format(changed, tmp_path):
    # What the conversion might not like is around the network of the features.
    layers = keras.Input((32, 32, 3)), keras.layers.Conv2D(6, 3), keras.layers.GlobalMaxPool2D()
    features = keras.Sequential(layers, name="features")
    random = np.random.default_rng(0)
    moments = random.normal(size=6), random.random(6)
    model = PretrainedNetwork(features, Head(3, *moments, hidden_units=8))
    model.save(changed / "model.keras")
    # `export_run` compares each with Keras.
    differences = export_run(changed, INSTALLED, tmp_path / "export")
    assert set(differences) == set(INSTALLED) >= {"savedmodel", "keras"}


@pytest.mark.extra
def test_tags_are_beside_the_files_and_inside(exported):
    lines = (exported / "tags.txt").read_bytes()
    assert lines.decode().splitlines() == TAG_NAMES
    assert (exported / "savedmodel/assets.extra/tags.txt").read_bytes() == lines
    for name in {"model.keras", "model.tflite"} & {path.name for path in exported.iterdir()}:
        assert zipfile.ZipFile(exported / name).read("tags.txt") == lines
    if "onnx" in INSTALLED:
        import onnx

        [one] = onnx.load(exported / "model.onnx").metadata_props
        assert one.key == "tags" and json.loads(one.value) == TAG_NAMES


@pytest.mark.extra
def test_the_code_in_the_card_runs(exported, tmp_path, monkeypatch, capsys):
    photograph = tmp_path / "photo.jpg"
    Image.fromarray(photographs((30, 40))[0][0]).save(photograph)
    card = (exported / "MODEL_CARD.md").read_text(encoding="utf-8")
    begin, *formats, end = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.chdir(exported)
    answers = set()
    for code in formats:
        exec(begin.replace("photo.jpg", str(photograph)) + code + end, {})
        answers.add(capsys.readouterr().out)
    assert len(formats) == len(INSTALLED)
    # The same order of tags by each.
    assert len(answers) == 1 and TAG_NAMES[0] in answers.pop()


def test_the_command_names_the_files_and_replaces_an_earlier_export(run, tmp_path):
    assert tuple(FORMATS) == FORMAT_NAMES
    (tmp_path / "to/savedmodel").mkdir(parents=True)
    (tmp_path / "to/MODEL_CARD.md").write_text("before")
    arguments = [str(run), "--format", "keras", "--output", str(tmp_path / "to")]
    result = CliRunner().invoke(export, arguments, catch_exceptions=False)
    assert result.exit_code == 0 and "model.keras" in result.output
    names = sorted(path.name for path in (tmp_path / "to").iterdir())
    assert names == ["MODEL_CARD.md", "model.keras", "tags.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


@pytest.mark.extra
def test_a_folder_may_have_any_name(run, tmp_path):
    output = tmp_path / "a [1] b* c? d\\ %e {f}\n\udcff" / "export"
    # Each is compared with Keras, so it was read, too.
    assert export_run(run, INSTALLED, output).keys() == set(INSTALLED)
    assert {FORMATS[form].file for form in INSTALLED} < {path.name for path in output.iterdir()}


def test_a_folder_with_other_files_is_refused_and_the_command_names_the_option(run, tmp_path):
    with pytest.raises(OutputError, match="history.csv|model.keras|calibration.json"):
        export_run(run, ["keras"], run)
    # A model of one's own is not taken for an export.
    (tmp_path / "model.keras").write_text("mine")
    arguments = [str(run), "--format", "keras", "--output", str(tmp_path)]
    error = CliRunner().invoke(export, arguments).exception
    assert isinstance(error, InputError) and "--output" in str(error)
    assert (tmp_path / "model.keras").read_text() == "mine"


def test_one_process_at_a_time_exports_to_a_folder(run, tmp_path):
    with exclusive(tmp_path / "to", tmp_path / ".to.lock"), pytest.raises(InUse):
        export_run(run, ["keras"], tmp_path / "to")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr(type(FORMATS["onnx"]), "distributions", ("no-such-package",))
    with pytest.raises(FormatError, match=r"onnx.*warptag\[export\]"):
        export_run(run, ["keras", "onnx"], tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (OSError(28, "No space left on device"), OutputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (ValueError("an operation\nis unknown"), FormatError),
    ],
)
def test_nothing_half_written_is_left(run, tmp_path, monkeypatch, raised, expected):
    def write(model, path, tag_names):
        path.write_bytes(b"half")
        raise raised

    monkeypatch.setattr(FORMATS["keras"], "write", write)
    (tmp_path / "to").mkdir()
    (tmp_path / "to/MODEL_CARD.md").write_text("before")
    with pytest.raises(expected):
        export_run(run, ["keras"], tmp_path / "to")
    assert [path.name for path in tmp_path.iterdir()] == ["to"]
    assert (tmp_path / "to/MODEL_CARD.md").read_text() == "before"


def test_outputs_are_the_network_in_float32_on_the_crop_and_the_calibration(changed):
    network = keras.saving.load_model(changed / "model.keras")
    # As after training in mixed precision.
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        trained = AlexNet(3, (16, 16, 3), width=0.1, dense_units=16, first_stride=2)
    finally:
        keras.config.set_dtype_policy(before)
    trained.set_weights(network.get_weights())
    trained.save(changed / "model.keras")
    model, _ = photograph_model(changed)
    # Of the stored size, so that the crop is cut out and nothing is resized.
    image = photographs((24, 24))[0]
    outputs = model(image, training=False)
    scores = network(image[:, 4:20, 4:20].astype("float32"), training=False)
    np.testing.assert_allclose(outputs["scores"], scores, rtol=1e-5, atol=1e-4)
    expected = CALIBRATION.probabilities(scores)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-4)


def test_the_card_describes_the_run(exported):
    card = (exported / "MODEL_CARD.md").read_text(encoding="utf-8")
    for line in (
        "# Tags for photographs: made-up, warp",
        "| data.images.train | 40 |",
        "| learning_rate | 0.01 |",
        "| per class recall | 0.2500 |",
    ):
        assert line in card.splitlines()
    assert "24 x 24 pixels" in card and "16 x 16 pixels" in card
    assert "**Trained on synthetic data**" in card
    for name, form in FORMATS.items():
        assert (f"| {form.file} |" in card) == (name in INSTALLED)


def test_the_card_of_a_run_that_kept_its_best_epoch_and_has_no_calibration(changed, tmp_path):
    settings = json.loads((changed / "settings.json").read_text())
    settings |= {"keep": "best", "note": "<i>|"}
    (changed / "settings.json").write_text(json.dumps(settings))
    (changed / "calibration.json").unlink()
    export_run(changed, ["keras"], tmp_path / "to")
    card = (tmp_path / "to/MODEL_CARD.md").read_text()
    assert "| per class recall | 0.5500 |" in card and "After epoch 1," in card
    # As text, whatever is in the settings.
    assert "| note | &lt;i>\\| |" in card
    assert "`probabilities`" not in card
    outputs = FORMATS["keras"].load(tmp_path / "to/model.keras")(photographs((30, 20))[0])
    assert set(outputs) == {"scores"}


def test_outputs_that_differ_from_keras_are_an_error(run, tmp_path, monkeypatch):
    model, _ = photograph_model(run)
    for offset in (2e-4, np.nan):
        monkeypatch.setattr(
            FORMATS["keras"],
            "load",
            lambda _, offset=offset: lambda x: {name: y + offset for name, y in model(x).items()},
        )
        with pytest.raises(FormatError, match="keras"):
            export_run(run, ["keras"], tmp_path / "to")
        assert not list(tmp_path.iterdir())
