"""Networks of keras.applications: preprocessing, weights from files, training."""

import io
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from data_support import Coded
from PIL import Image
from training_support import assert_same_weights

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from warptag.cli import cli
from warptag.experiments import EXPERIMENTS
from warptag.models import Backbone, backbone_names, default_size
from warptag.models.backbone import MIN_SIZES, preprocessing_of
from warptag.pipeline.evaluate import evaluate
from warptag.pipeline.networks import settings_of
from warptag.pipeline.train import train_network, with_backbone, with_crop_size

SHAPE = (32, 32, 3)
PIXELS = np.random.default_rng(0).integers(0, 256, (2, *SHAPE), np.uint8)
#: The modules of keras.applications, each with its preprocessing, and one network of each.
FAMILIES = {
    getattr(keras.applications, name).__module__.rpartition(".")[2]: name
    for name in backbone_names()
}


@pytest.fixture(scope="module")
def mobilenet():
    return Backbone("MobileNet", 3, SHAPE, seed=1)


@pytest.fixture(scope="module")
def features(mobilenet):
    return keras.Model(mobilenet.input, mobilenet.get_layer("dropout").input)


@pytest.fixture(scope="module")
def bare(features):
    """The network of keras.applications with the same weights."""
    arguments = {"include_top": False, "weights": None, "input_shape": SHAPE, "pooling": "avg"}
    model = keras.applications.MobileNet(**arguments)
    model.set_weights(features.get_weights())
    return model


def test_every_network_can_be_named():
    assert set(backbone_names()) == {name for name in dir(keras.applications) if name[0].isupper()}


@pytest.mark.parametrize(("family", "name"), FAMILIES.items())
def test_the_preprocessing_is_the_familys_own_and_is_saved(family, name, tmp_path):
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, preprocessing_of(name)(inputs))
    module = getattr(keras.applications, family)
    expected = module.preprocess_input(PIXELS.astype(np.float32))
    np.testing.assert_allclose(model(PIXELS), expected, rtol=1e-5, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(PIXELS), model(PIXELS))


def test_pixels_give_the_features_of_keras_applications(features, bare):
    pixels = keras.applications.mobilenet.preprocess_input(PIXELS.astype(np.float32))
    np.testing.assert_allclose(features(PIXELS), bare(pixels), rtol=1e-4, atol=1e-5)


# MobileNetV3 takes any size; its weights were trained at 224 pixels.
@pytest.mark.parametrize("name", [name for name in backbone_names() if "NetV3" not in name])
def test_the_default_size_is_that_of_the_weights(name, monkeypatch):
    class Stop(Exception):
        pass

    sizes = []

    def stop(*_, default_size, **__):
        sizes.append(default_size)
        raise Stop

    application = getattr(keras.applications, name)
    utils = sys.modules[application.__module__].imagenet_utils
    monkeypatch.setattr(utils, "obtain_input_shape", stop)
    with pytest.raises(Stop):
        application(weights=None)
    assert sizes == [default_size(name)]


def test_the_head_is_small_and_linear_as_alexnets(mobilenet):
    head = mobilenet.get_layer("scores")
    assert head.activation is keras.activations.linear
    assert 0.005 < np.std(head.get_weights()[0]) < 0.02
    assert mobilenet.output_shape == (None, 3)


def test_the_seed_decides_all_weights_and_the_global_one_nothing(mobilenet):
    keras.utils.set_random_seed(5)
    same, other = Backbone("MobileNet", 3, SHAPE, seed=1), Backbone("MobileNet", 3, SHAPE, seed=2)
    assert_same_weights(same, mobilenet)
    assert not np.array_equal(same.get_weights()[0], other.get_weights()[0])


def test_in_bfloat16_weights_and_scores_stay_float32(mobilenet):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = Backbone("MobileNet", 3, SHAPE, seed=1)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {variable.dtype for variable in model.weights} == {"float32"}
    scores = np.asarray(model(PIXELS))
    assert scores.dtype == np.float32
    expected = np.asarray(mobilenet(PIXELS))
    np.testing.assert_allclose(scores, expected, atol=0.1 * np.abs(expected).max())
    assert not np.array_equal(scores, expected)


@pytest.mark.parametrize("file", ["some.weights.h5", "some_notop.h5"])
def test_weights_come_from_a_local_file(features, bare, file, tmp_path):
    save = bare.save_weights if file == "some.weights.h5" else bare.save
    save(tmp_path / file)
    model = Backbone("MobileNet", 3, SHAPE, weights=tmp_path / file, seed=2)
    loaded = keras.Model(model.input, model.get_layer("dropout").input)
    assert_same_weights(loaded, features)


@pytest.fixture(scope="module")
def first_block_only():
    """EfficientNetB0 with the first of its 16 blocks, in a tenth of the time."""
    module = sys.modules[keras.applications.EfficientNetB0.__module__]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "DEFAULT_BLOCKS_ARGS", [module.DEFAULT_BLOCKS_ARGS[0]])
        yield


def test_deviations_in_the_place_of_variances_are_corrected(first_block_only, tmp_path):
    # As in Keras's own weight files of EfficientNet; other variances are not changed.
    bare = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=SHAPE)
    mean, deviations = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    for variance, scale in ((deviations, deviations), ([1.0, 1.0, 4.0], [1.0, 1.0, 2.0])):
        normalization_of(bare).set_weights([np.array(mean), np.array(variance), np.array(0)])
        bare.save_weights(tmp_path / "file.weights.h5")
        model = Backbone("EfficientNetB0", 3, SHAPE, weights=tmp_path / "file.weights.h5")
        normalized = keras.Model(model.input, normalization_of(model).output)(PIXELS)
        np.testing.assert_allclose(normalized, (PIXELS / 255 - mean) / scale, atol=1e-4)


def normalization_of(model):
    [layer] = [layer for layer in model.layers if isinstance(layer, keras.layers.Normalization)]
    return layer


def test_a_file_with_other_weights_or_none_is_named(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save_weights(
        tmp_path / "other.weights.h5"
    )
    (tmp_path / "broken.weights.h5").write_bytes(b"no weights")
    (tmp_path / "weights.txt").write_bytes(b"no weights")
    for path in tmp_path.iterdir():
        with pytest.raises(InputError, match="MobileNet") as error:
            Backbone("MobileNet", 3, SHAPE, weights=path)
        assert str(path) in str(error.value)


def test_a_failed_download_is_an_input_error(monkeypatch):
    def no_network(*, weights, **_):
        raise Exception("URL fetch failure on https://somewhere: None -- unknown host")

    no_network.__module__ = keras.applications.MobileNet.__module__
    monkeypatch.setattr(keras.applications, "MobileNet", no_network)
    with pytest.raises(InputError, match="MobileNet"):
        Backbone("MobileNet", 3, SHAPE, weights="imagenet")


def test_invalid_arguments_are_named():
    with pytest.raises(InputError, match="MobileNetV2"):
        Backbone("mobilnetv2", 3)
    for arguments in ({"num_tags": 0}, {"num_tags": 3, "dropout": 1.0}):
        with pytest.raises(ValueError, match=next(reversed(arguments))):
            Backbone("MobileNet", **arguments)


@pytest.mark.parametrize("name", ["MobileNet", *MIN_SIZES])
def test_an_input_too_small_for_the_network_is_refused_as_keras_would(name):
    """The sizes in `MIN_SIZES` are Keras's own."""
    size = MIN_SIZES.get(name, 32)
    with pytest.raises(ValueError, match=f"{name} .* {size} x {size} "):
        Backbone(name, 3, (size, size - 1, 3))
    with pytest.raises(ValueError, match=f"{size}x{size}"):
        getattr(keras.applications, name)(
            include_top=False, weights=None, input_shape=(size, size - 1, 3)
        )


def photograph(index: int) -> bytes:
    pixels = np.random.default_rng(index).integers(0, 100, SHAPE, np.uint8)
    pixels[..., index % 2] += 100
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    source = Coded(train=48, image=photograph, size=lambda item: SHAPE[:2], unsure=False)
    convert(source, folder, name="coded", settings={}, workers=1)
    return folder


def train(records, output):
    choices = with_backbone(EXPERIMENTS["scenes"].networks, "EfficientNetB0")
    choices = replace(choices, crop_size=32, selection_k=1)
    settings = replace(settings_of(choices, "warp"), batch_size=8, epochs=1)
    experiment = with_crop_size(EXPERIMENTS["scenes"], choices)
    return train_network(experiment, settings, output, records=records, on_existing="refuse")


@pytest.mark.slow
def test_a_run_from_random_weights_is_evaluated(records, first_block_only, tmp_path):
    table = evaluate(train(records, tmp_path), records, "test", [1])
    assert table["overall_recall"].between(0, 100).all()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--weights", "imagenet"], "--backbone"),
        (["--backbone", "ResNet5"], "ResNet50"),
        (["--backbone", "VGG16", "--weights", "none.h5"], "none.h5"),
        (["--weights", "imagenet", "--from-scratch"], "--from-scratch"),
        (["--finetune"], "--backbone"),
        (["--backbone", "VGG16", "--from-scratch", "--set", "network.width=1"], "network.width"),
        (["--backbone", "Xception", "--from-scratch"], "71 x 71"),
    ],
)
def test_the_command_line_names_what_it_refuses(records, tmp_path, arguments, named):
    command = ["train", "scenes", "--records", str(records), "--output", str(tmp_path / "run")]
    command += ["--set", "crop_size=32", "--set", "selection_k=1", "--set", "batch_size=8"]
    result = CliRunner().invoke(cli, [*command, *arguments])
    assert isinstance(result.exception, SystemExit | InputError)
    assert named in f"{result.output}{result.exception}"
