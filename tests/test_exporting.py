"""`warptag export`: each format run again, the card, and what is refused."""

import json
import re
import zipfile

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tfrecords_tools.errors import InputError
from warptag.commands.export import FORMATS as FORMAT_NAMES
from warptag.commands.export import export
from warptag.exporting import FORMATS, export_run
from warptag.exporting.photograph_model import photograph_model
from warptag.models import AlexNet
from warptag.training import Calibration

CROP = 16
CALIBRATION = Calibration(0.8, -0.5, 0.2)
SETTINGS = {
    "loss": "warp",
    "learning_rate": 0.01,
    "keep": "last",
    "precision": "float32",
    "experiment": "made-up",
    "patches": "center",
    "selection_k": 2,
    "data_checksum": "abc123",
    "data": {"name": "rectangles", "images": {"train": 40, "test": 10}, "synthetic": True},
    "tag_names": ["sky", "blue | sea", "<b>tree</b>"],
    "image": {"size": 20, "shorter_side": False},
    "network": {"width": 0.1},
    "versions": {"keras": keras.__version__},
}
HISTORY = """epoch,loss,val_per_class_recall,val_overall_recall
1,0.9,0.55,0.45
2,0.8,0.25,0.35
"""
NOT_INSTALLED = [name for name, form in FORMATS.items() if not form.is_installed()]
EACH_FORMAT = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(name in NOT_INSTALLED, reason="needs pip install warptag[export]"),
    )
    for name in FORMATS
]


def small_network(**options):
    options = {"width": 0.1, "dense_units": 16, "first_stride": 2, "seed": 3} | options
    network = AlexNet(3, (CROP, CROP, 3), **options)
    # The last layer begins near zero, and any two such networks agree to 1e-4.
    network.layers[-1].kernel.assign(network.layers[-1].kernel * 100)
    return network


def write_run(folder, network, calibration=CALIBRATION, **settings):
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps(SETTINGS | settings))
    (folder / "history.csv").write_text(HISTORY)
    network.save(folder / "model.keras")
    if calibration is not None:
        calibration.save(folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("export") / "run", small_network())


@pytest.fixture(scope="module")
def exported(run):
    """The run in every format that is installed, and what was said."""
    said = []
    names = [name for name in FORMATS if name not in NOT_INSTALLED]
    return export_run(run, names, run / "export", say=said.append), said


def photographs(*sizes, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(0, 256, (1, *size, 3), np.uint8) for size in sizes]


@pytest.mark.parametrize("name", EACH_FORMAT)
def test_each_format_gives_the_outputs_of_keras_for_any_size(run, exported, name):
    model, _ = photograph_model(run)
    load = FORMATS[name].load(exported[0] / FORMATS[name].file)
    for image in photographs((50, 30), (9, 200), (20, 20), (1, 1), seed=7):
        expected, found = model(image, training=False), load(image)
        assert set(found) == {"scores", "probabilities"}
        for output in found:
            assert found[output].shape == (1, 3)
            np.testing.assert_allclose(found[output], expected[output], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", EACH_FORMAT)
def test_each_format_takes_several_photographs_of_one_size(exported, name):
    load = FORMATS[name].load(exported[0] / FORMATS[name].file)
    one, other = photographs((33, 47), (33, 47))
    both = load(np.concatenate([one, other]))["scores"]
    np.testing.assert_allclose(
        both, np.concatenate([load(image)["scores"] for image in (one, other)]), atol=1e-5
    )
    assert np.abs(both[0] - both[1]).max() > 1e-3


def test_outputs_are_the_network_on_the_crop_and_the_calibration(run):
    model, _ = photograph_model(run)
    # Of the stored size, so that the crop is cut out and nothing is resized.
    image = photographs((20, 20))[0]
    network = keras.saving.load_model(run / "model.keras")
    scores = network(image[:, 2:18, 2:18].astype("float32"), training=False)
    outputs = model(image, training=False)
    np.testing.assert_allclose(outputs["scores"], scores, atol=1e-5)
    expected = CALIBRATION.probabilities(scores)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)


@pytest.mark.skipif("onnx" in NOT_INSTALLED, reason="needs pip install warptag[export]")
def test_tags_are_in_the_onnx_file(exported):
    import onnx

    properties = onnx.load(exported[0] / "model.onnx").metadata_props
    assert {one.key: json.loads(one.value) for one in properties} == {"tags": SETTINGS["tag_names"]}


def test_tags_are_beside_the_files_and_inside(exported):
    lines = (exported[0] / "tags.txt").read_bytes()
    assert lines.decode().splitlines() == SETTINGS["tag_names"]
    assert (exported[0] / "savedmodel/assets.extra/tags.txt").read_bytes() == lines
    for name in {"model.keras", "model.tflite"} & {path.name for path in exported[0].iterdir()}:
        assert zipfile.ZipFile(exported[0] / name).read("tags.txt") == lines


def test_the_code_in_the_card_runs(exported, tmp_path, monkeypatch, capsys):
    folder, _ = exported
    photograph = tmp_path / "photo.jpg"
    Image.fromarray(photographs((30, 40))[0][0]).save(photograph)
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    begin, *formats, end = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.chdir(folder)
    answers = set()
    for code in formats:
        exec(begin.replace("photo.jpg", str(photograph)) + code + end, {})
        answers.add(capsys.readouterr().out)
    assert len(formats) == len(FORMATS) - len(NOT_INSTALLED)
    # The same order of tags by each.
    assert len(answers) == 1 and "sky" in answers.pop()


def test_the_card_says_what_the_run_was(exported):
    card = (exported[0] / "MODEL_CARD.md").read_text(encoding="utf-8")
    for line in (
        "# Tags for photographs: made-up, warp",
        "| data.name | rectangles |",
        "| data.images.train | 40 |",
        "| data_checksum | abc123 |",
        "| learning_rate | 0.01 |",
        "| per class recall | 0.2500 |",
        "- Resized to 20 x 20 pixels; the aspect ratio is not kept. Antialiased bicubic.",
        f"- The centre crop of {CROP} x {CROP} pixels; of less than that, the largest square, "
        "enlarged.",
    ):
        assert line in card.splitlines()
    assert "**Trained on synthetic data**" in card
    for form in FORMATS.values():
        assert (f"| {form.file} |" in card) == form.is_installed()


def test_the_card_has_the_figures_of_the_epoch_that_was_kept(tmp_path):
    run = write_run(tmp_path / "run", small_network(), keep="best", loss="<i>|")
    card = (export_run(run, ["keras"], tmp_path / "to", say=str) / "MODEL_CARD.md").read_text()
    assert "| per class recall | 0.5500 |" in card
    assert "After epoch 1" in card
    # As text, whatever is in the settings.
    assert "| loss | &lt;i>\\| |" in card


def test_a_run_without_calibration_gives_scores_only(tmp_path):
    run = write_run(tmp_path / "run", small_network(), calibration=None)
    folder = export_run(run, ["keras"], tmp_path / "to", say=str)
    outputs = FORMATS["keras"].load(folder / "model.keras")(photographs((30, 20))[0])
    assert set(outputs) == {"scores"}
    assert "No probabilities" in (folder / "MODEL_CARD.md").read_text()


def test_a_network_of_less_precision_is_exported_in_float32(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = small_network()
    finally:
        keras.config.set_dtype_policy(before)
    run = write_run(tmp_path / "run", network, precision="bfloat16")
    image = photographs((20, 20))[0]
    scores = photograph_model(run)[0](image, training=False)["scores"]
    plain = small_network()
    plain.set_weights(network.get_weights())
    crop = image[:, 2:18, 2:18].astype("float32")
    np.testing.assert_allclose(scores, plain(crop, training=False), atol=1e-5)


def test_the_command_exports_and_says_how_near_it_is(run, tmp_path):
    arguments = [str(run), "--format", "keras", "--output", str(tmp_path / "to")]
    result = CliRunner().invoke(export, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "model.keras" in result.output and "differs from Keras by at most" in result.output
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == [
        "MODEL_CARD.md",
        "model.keras",
        "tags.txt",
    ]
    assert tuple(FORMATS) == FORMAT_NAMES


def test_a_missing_package_is_one_message(run, tmp_path, monkeypatch):
    monkeypatch.setattr(type(FORMATS["onnx"]), "distributions", ("no-such-package",))
    with pytest.raises(InputError, match=r"^onnx: .*pip install 'warptag\[export\]'$"):
        export_run(run, ["keras", "onnx"], tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_an_earlier_export_is_replaced_as_a_whole(run, tmp_path):
    (tmp_path / "to" / "savedmodel").mkdir(parents=True)
    (tmp_path / "to" / "MODEL_CARD.md").write_text("before")
    export_run(run, ["keras"], tmp_path / "to", say=str)
    assert not (tmp_path / "to" / "savedmodel").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_a_folder_with_something_else_is_refused(run):
    with pytest.raises(InputError, match="holds something else.*choose another --output"):
        export_run(run, ["keras"], run)
    assert (run / "model.keras").exists()


def test_a_model_of_ones_own_is_not_taken_for_an_export(run, tmp_path):
    (tmp_path / "model.keras").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        export_run(run, ["keras"], tmp_path)
    assert (tmp_path / "model.keras").read_text() == "mine"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_half_written_is_left(run, tmp_path, monkeypatch, error):
    def write(model, path, tag_names):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(FORMATS["keras"], "write", write)
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "tags.txt").write_text("before")
    (tmp_path / "to" / "MODEL_CARD.md").write_text("before")
    with pytest.raises((InputError, KeyboardInterrupt), match="No space left|^$"):
        export_run(run, ["keras"], tmp_path / "to")
    assert [path.name for path in tmp_path.iterdir()] == ["to"]
    assert (tmp_path / "to" / "tags.txt").read_text() == "before"


@pytest.mark.parametrize("offset", [2e-4, np.nan])
def test_outputs_that_differ_from_keras_are_an_error(run, tmp_path, monkeypatch, offset):
    load = FORMATS["keras"].load

    def load_another(path):
        return lambda image: {name: y + offset for name, y in load(path)(image).items()}

    monkeypatch.setattr(FORMATS["keras"], "load", load_another)
    with pytest.raises(InputError, match="^keras: outputs differ from those of Keras by up to"):
        export_run(run, ["keras"], tmp_path / "to")
    assert not list(tmp_path.iterdir())


def test_a_network_that_a_format_cannot_hold_is_one_message(run, tmp_path, monkeypatch):
    def write(model, path, tag_names):
        raise ValueError("an operation\nis unknown")

    monkeypatch.setattr(FORMATS["keras"], "write", write)
    with pytest.raises(InputError, match="^keras cannot be .*an operation is unknown") as error:
        export_run(run, ["keras"], tmp_path / "to")
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_a_model_crafted_to_run_code_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "the code was run"
    path = str(trace)
    inputs = keras.Input((CROP, CROP, 3))
    # A function of Python, as bytes in the file.
    code = keras.layers.Lambda(lambda x: (open(path, "w").close(), x)[1])
    network = keras.Model(inputs, small_network()(code(inputs)))
    run = write_run(tmp_path / "run", network)
    trace.unlink(missing_ok=True)
    with pytest.raises(InputError, match="model.keras cannot be read"):
        export_run(run, ["keras"], tmp_path / "to")
    assert not trace.exists()
    # It would have been run by unsafe loading.
    keras.saving.load_model(run / "model.keras", safe_mode=False)
    assert trace.exists()


def no_run(folder):
    for path in folder.iterdir():
        path.unlink()


def unfinished(folder):
    (folder / "model.keras").unlink()


def cut_off(folder):
    content = (folder / "model.keras").read_bytes()
    (folder / "model.keras").write_bytes(content[: len(content) // 2])


def of_other_tags(folder):
    (folder / "settings.json").write_text(json.dumps(SETTINGS | {"tag_names": ["sky"]}))


def of_an_earlier_version(folder):
    settings = {name: value for name, value in SETTINGS.items() if name != "image"}
    (folder / "settings.json").write_text(json.dumps(settings))


def of_damaged_settings(folder):
    (folder / "settings.json").write_text(json.dumps(SETTINGS | {"image": {}}))


def without_history(folder):
    (folder / "history.csv").write_text("")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (no_run, "is not the folder of a trained run"),
        (unfinished, "the run is not finished"),
        (cut_off, "model.keras cannot be read"),
        (of_other_tags, "is not a network .* to the 1 tags"),
        (of_an_earlier_version, "does not say how images were resized"),
        (of_damaged_settings, "does not say how images were resized"),
        (without_history, "history.csv cannot be read"),
    ],
)
def test_a_run_that_cannot_be_exported_is_one_message(run, tmp_path, spoil, message):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in run.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    spoil(folder)
    with pytest.raises(InputError, match=message) as error:
        export_run(folder, ["keras"], tmp_path / "to")
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
