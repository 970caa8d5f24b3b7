"""Heads over pretrained networks: training, search, fine-tuning, and what is refused."""

import json
import shutil
import sys
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from command_line import warptag_here
from PIL import Image

import warptag.pipeline.train as pipeline
from tfrecords_tools.convert import convert
from tfrecords_tools.sources.folder import Folder
from warptag.data import FeatureRecords, Records
from warptag.experiments import EXPERIMENTS
from warptag.models import FeatureNetwork, PretrainedNetwork
from warptag.pipeline.networks import settings_of
from warptag.pipeline.pretrained import PretrainedNetworks
from warptag.pipeline.reproduce import reproduce
from warptag.pipeline.train import with_pretrained
from warptag.training import load_run, predict

NAME, SIZE = "EfficientNetB0", 32
#: Wide bright stripes, which even random features tell apart.
TAGS = {"red": 0, "green": 1, "blue": 2}
CROP = ["--set", f"crop_size={SIZE}"]
QUICK = [*CROP]
for setting in ("network.hidden_units=16", "batch_size=16", "epochs=8"):
    QUICK += ["--set", setting]


@pytest.fixture(scope="module", autouse=True)
def first_block_only():
    """EfficientNetB0 with the first of its 16 blocks, in a tenth of the time."""
    module = sys.modules[keras.applications.EfficientNetB0.__module__]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "DEFAULT_BLOCKS_ARGS", [module.DEFAULT_BLOCKS_ARGS[0]])
        yield


@pytest.fixture(scope="module")
def weights(first_block_only, tmp_path_factory):
    """A file of random weights."""
    path = tmp_path_factory.mktemp("weights") / "some.weights.h5"
    keras.utils.set_random_seed(0)
    bare = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    bare.save_weights(path)
    return path


def save_photograph(path, index, mode="RGB"):
    """Smaller than the network's input, and not square."""
    pixels = np.random.default_rng(index).integers(0, 90, (20, 30, 3), np.uint8)
    pixels[..., index % 3] += 160
    Image.fromarray(pixels).convert(mode).save(path)


def save_photographs(folder, num_photographs=90):
    folder.mkdir(exist_ok=True)
    rows = []
    for index in range(num_photographs):
        save_photograph(folder / f"{index}.jpg", index, "CMYK" if index == 4 else "RGB")
        split = "test" if index % 9 == 0 else "train"
        rows.append((f"{index}.jpg", split, f"{list(TAGS)[index % 3]};photograph"))
    pd.DataFrame(rows, columns=["filename", "split", "tags"]).to_csv(
        folder / "labels.csv", index=False
    )
    return folder


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return save_photographs(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def records(photographs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    source = Folder(photographs, size=SIZE)
    convert(source, folder, name="folder", settings=source.settings, workers=1)
    return folder


def command(photographs, output, weights, *options):
    arguments = ["train", "folder", "--input", photographs, "--output", output]
    return [*arguments, "--backbone", NAME, "--weights", weights, *QUICK, *options]


def succeed(*arguments):
    result = warptag_here(*arguments)
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def trained(photographs, weights, tmp_path_factory):
    """The output folder of `warptag train folder`, and what the command printed."""
    output = tmp_path_factory.mktemp("mine")
    return output, succeed(*command(photographs, output, weights, "--no-search"))


@pytest.fixture(scope="module")
def network(weights):
    return FeatureNetwork(NAME, (SIZE, SIZE, 3), weights)


def test_new_photographs_get_the_right_tags(trained, tmp_path):
    output, printed = trained
    run = output / "models" / "warp"
    assert f"--model {run}" in printed.stdout
    for index in (300, 301, 302):
        save_photograph(tmp_path / f"{index}.jpg", index)
    tags = tmp_path / "tags.csv"
    succeed("annotate", tmp_path, "--model", run, "--topk", 2, "--format", "csv", "--output", tags)
    table = pd.read_csv(tags)
    found = table[table["tag"] != "photograph"].groupby("filename")["tag"].first()
    assert found.tolist() == list(TAGS)


def test_the_run_is_one_model_from_photographs_to_scores(trained, weights):
    output, _ = trained
    run = output / "models" / "warp"
    model, settings = load_run(run)
    assert model.input_shape == (None, SIZE, SIZE, 3)
    network = settings["network"]
    assert (network["backbone"], network["hidden_units"]) == (NAME, 16)
    assert network["weights"].startswith("sha256") and str(weights) not in json.dumps(settings)
    assert (run / "calibration.json").exists()
    table = output / "figures.csv"
    data = ["--records", output / "data", "--topk", 2]
    succeed("evaluate", run, *data, "--output", table)
    assert pd.read_csv(table)["overall_recall"].item() == 100
    # Keras reads it without any of our code.
    keras.saving.load_model(run / "model.keras")


def test_scores_are_the_mean_of_an_image_and_its_mirror_image(trained, network, tmp_path):
    output, _ = trained
    model, _ = load_run(output / "models" / "warp")
    test = Records(output / "data", "test")
    features = FeatureRecords(test, network, tmp_path)
    scores = predict(model, test)
    np.testing.assert_allclose(scores, features.scores(model.get_layer("head")), atol=1e-4)
    images = np.stack(list(test.images()))
    heads = PretrainedNetwork(model.get_layer("features"), model.get_layer("head"), mirrored=False)
    of_both = [heads.predict(some, verbose=0) for some in (images, images[:, :, ::-1].copy())]
    np.testing.assert_allclose(scores, np.mean(of_both, axis=0), atol=1e-4)
    assert np.abs(of_both[0] - of_both[1]).max() > 1e-3


def test_a_new_photograph_costs_the_features_of_one(photographs, trained, weights, tmp_path):
    output = shutil.copytree(trained[0], tmp_path / "mine")
    more = shutil.copytree(photographs, tmp_path / "more")
    save_photograph(more / "new.jpg", 200)
    with (more / "labels.csv").open("a") as file:
        file.write("new.jpg,train,blue;photograph\n")
    printed = succeed(*command(more, output, weights, "--no-search", "--restart"))
    counts = [line.split()[0] for line in printed.stdout.splitlines() if " computed, " in line]
    # Of the training and of the validation photographs, in either order.
    assert sorted(counts) == ["0", "1"]


def test_the_search_is_of_one_loss(records, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "MIN_SEARCH_IMAGES", 1)
    choices = with_pretrained(EXPERIMENTS["folder"].networks, NAME, str(weights))
    architecture = {**choices.architecture, "hidden_units": 0}
    training = {**choices.training, "epochs": 1, "batch_size": 16}
    grid = {"lsep": tuple({"learning_rate": rate, "weight_decay": 0.0} for rate in (1e-6, 0.1))}
    choices = replace(
        choices,
        crop_size=SIZE,
        architecture=architecture,
        training=training,
        grid=grid,
        search_epochs=2,
        selection_k=1,
    )
    run = pipeline.train_network(
        replace(EXPERIMENTS["folder"], networks=choices),
        settings_of(choices, "lsep"),
        tmp_path,
        records=records,
        searched=True,
    )
    found = json.loads((run / "settings.json").read_text())
    rows = pd.read_csv(tmp_path / "models" / "search" / "lsep.csv")
    assert rows["epochs"].tolist() == [2, 2] and found["epochs"] == 1
    assert found["learning_rate"] == rows.loc[rows["score"].idxmax(), "learning_rate"]


@pytest.mark.slow
def test_fine_tuning_starts_from_the_head_and_trains_everything(
    photographs, trained, weights, tmp_path
):
    output = shutil.copytree(trained[0], tmp_path / "mine")
    # Unlike WARP's loss, that of softmax is never 0.
    base = [*command(photographs, output, weights), "--loss", "softmax"]
    succeed(*base)
    base = [part for part in base if part not in QUICK]
    options = ["--finetune", "--set", "epochs=1", "--set", "learning_rate=0.0001"]
    printed = succeed(*base, *CROP, *options)
    run = output / "models" / "softmax-finetuned"
    assert f"--model {run}" in printed.stdout
    before, after = load_run(output / "models" / "softmax")[0], load_run(run)[0]
    # A small step from where the head was.
    test = Records(output / "data", "test")
    scores = predict(before, test), predict(after, test)
    assert 0 < np.abs(scores[0] - scores[1]).max() < 0.2 * np.abs(scores[0]).max()
    parts = [model.get_layer("features").variables for model in (before, after)]
    moved = {one.name: not np.array_equal(one, other) for one, other in zip(*parts, strict=True)}
    assert moved["kernel"] and not moved["moving_mean"]
    # The same command again trains nothing, and the head is not trained again.
    times = [path.stat().st_mtime_ns for path in sorted(output.rglob("model.keras"))]
    succeed(*base, *CROP, *options)
    assert [path.stat().st_mtime_ns for path in sorted(output.rglob("model.keras"))] == times


def refused(*arguments, status=1):
    result = warptag_here(*arguments)
    assert result.returncode == status and "Traceback" not in result.stderr, result.stderr
    assert len(result.stderr.strip().splitlines()) < 8
    return result.stderr


def test_weights_that_cannot_be_used_are_named(photographs, weights, tmp_path):
    cut_off, other = tmp_path / "cut off.weights.h5", tmp_path / "other.weights.h5"
    cut_off.write_bytes(weights.read_bytes()[:5000])
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save_weights(other)
    for path in (cut_off, other, tmp_path / "none.weights.h5"):
        error = refused(*command(photographs, tmp_path / "mine", path))
        assert str(path) in error and NAME in error


def test_without_a_network_the_message_says_what_to_do(photographs, tmp_path, monkeypatch):
    def no_network(*, weights=None, **_):
        if weights is not None:
            raise Exception("URL fetch failure on https://somewhere/file.h5: None -- unknown host")
        return original(weights=None, **_)

    original = keras.applications.EfficientNetB0
    no_network.__module__ = original.__module__
    monkeypatch.setattr(keras.applications, "EfficientNetB0", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    arguments = command(photographs, tmp_path / "mine", "imagenet")
    error = refused(*arguments)
    for part in ("somewhere/file.h5", "--weights FILE", "--from-scratch", "keras/models"):
        assert part in error
    assert not list((tmp_path / "mine").rglob("model.keras"))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--from-scratch"], "--weights"),
        (["--set", "window_area=0.5,1"], "window_area"),
        (["--set", "network.width=1"], "network.width"),
        (["--finetune"], "network.hidden_units"),
        (["--finetune", "--set", "precision=bfloat16"], "without --finetune"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    photographs, weights, tmp_path, options, named
):
    result = warptag_here(*command(photographs, tmp_path, weights, *options))
    assert result.returncode in (1, 2) and named in result.stderr


def test_a_cluster_takes_no_pretrained_network(photographs, weights, tmp_path, monkeypatch):
    task = {"cluster": {"chief": ["a:1"], "ps": ["a:2"], "worker": ["a:3"]}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task | {"task": {"type": "chief", "index": 0}}))
    error = refused(*command(photographs, tmp_path, weights), status=2)
    assert "--from-scratch" in error


def test_ten_photographs_are_enough_to_try_it(weights, tmp_path):
    folder = save_photographs(tmp_path / "ten", 10)
    printed = succeed(*command(folder, tmp_path / "mine", weights, "--set", "epochs=2"))
    assert "too few" in printed.stdout
    assert (tmp_path / "mine" / "models" / "warp" / "model.keras").exists()


def test_one_tag_is_nothing_to_learn(weights, tmp_path):
    folder = save_photographs(tmp_path / "one")
    table = pd.read_csv(folder / "labels.csv")
    table.assign(tags="photograph").to_csv(folder / "labels.csv", index=False)
    error = refused(*command(folder, tmp_path / "mine", weights))
    assert str(tmp_path / "mine" / "data") in error and "nothing to learn" in error


def test_networks_share_the_features(records, weights, tmp_path, monkeypatch):
    """Every loss and seed uses the same features."""
    choices = with_pretrained(EXPERIMENTS["folder"].networks, NAME, str(weights))
    choices = replace(choices, crop_size=SIZE, training={**choices.training, "epochs": 1})
    first, second = (
        PretrainedNetworks("folder", choices, records, tmp_path / "features") for _ in range(2)
    )
    assert np.array_equal(*(one.training_data(tmp_path)[0].features for one in (first, second)))
    assert len(list((tmp_path / "features").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("without_pictures")
def test_reproduce_has_their_rows_below_the_papers(photographs, weights, tmp_path):
    choices = with_pretrained(EXPERIMENTS["folder"].networks, NAME, str(weights))
    choices = replace(
        choices,
        crop_size=SIZE,
        architecture={"hidden_units": 0},
        training={**choices.training, "batch_size": 16},
    )
    experiment = EXPERIMENTS["folder"]
    experiment = replace(experiment, features=None, networks=None, pretrained=choices, ks=(1, 2))
    reproduce(experiment.quick(), tmp_path, input_dir=photographs)
    table = pd.read_csv(tmp_path / "table_k1.csv")
    rows = [f"Pretrained + {loss}" for loss in ("Softmax", "Ranking", "WARP")]
    assert table["method"].tolist()[:4] == ["Upper bound", *rows]
    assert pd.read_csv(tmp_path / "runs.csv")["method"].tolist() == rows
    text = (tmp_path / "tables.md").read_text()
    assert NAME in text and "sha256" in text and str(weights) not in text
    assert len(list((tmp_path / "models" / "pretrained").glob("*/model.keras"))) == 3


def test_fine_tuning_needs_a_pretrained_run_of_the_same_tags(
    photographs, trained, weights, tmp_path
):
    output = shutil.copytree(trained[0], tmp_path / "mine")
    base = [*command(photographs, output, weights)[: -len(QUICK)], *CROP]
    settings = output / "models" / "warp" / "settings.json"
    whole = json.loads(settings.read_text())
    tags = ["violet" if tag == "red" else tag for tag in whole["tag_names"]]
    network = whole["network"] | {"weights": "imagenet"}
    for change, named in (
        ({"tag_names": tags}, "violet"),
        ({"network": {"width": 1}}, "random"),
        ({"network": network}, "imagenet"),
        ({"data_checksum": "another"}, "photographs"),
    ):
        settings.write_text(json.dumps(whole | change))
        assert named in refused(*base, "--finetune")
