"""Features of a split: kept through an interrupt and damage, in a repeatable order."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tfrecords_tools.errors import InputError
from warptag.data import FeatureRecords, Records


@pytest.fixture(scope="module")
def network():
    """From images to four features, with random weights."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(4, 3)]
    return keras.Sequential([keras.Input((16, 16, 3)), *layers, keras.layers.GlobalMaxPooling2D()])


def test_features_are_kept_through_an_interrupt_and_damage(striped, network, tmp_path, monkeypatch):
    whole = FeatureRecords(Records(striped, "train"), network, tmp_path / "whole").features
    assert whole.shape == (len(Records(striped, "train")), 2, network.output_shape[-1])
    computed = []

    class Interrupting(FeatureRecords):
        def _compute(self, images):
            if computed:
                raise KeyboardInterrupt
            computed.append(len(images))
            return super()._compute(images)

    with pytest.raises(KeyboardInterrupt):
        _ = Interrupting(Records(striped, "train"), network, tmp_path / "cache").features
    [kept] = (tmp_path / "cache").rglob("*.npy")
    assert len(np.load(kept)) == computed[0]
    resumed = counted(striped, network, tmp_path / "cache", monkeypatch)
    assert resumed == len(whole) - computed[0]
    # A file that was cut off is computed again, and no other.
    kept.write_bytes(kept.read_bytes()[:-1])
    assert counted(striped, network, tmp_path / "cache", monkeypatch) == computed[0]
    again = FeatureRecords(Records(striped, "train"), network, tmp_path / "cache").features
    np.testing.assert_array_equal(again, whole)


def counted(striped, network, cache, monkeypatch):
    """The number of images whose features are computed."""
    counts = []
    compute = FeatureRecords._compute

    def count(self, images):
        counts.append(len(images))
        return compute(self, images)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureRecords, "_compute", count)
        assert np.isfinite(FeatureRecords(Records(striped, "train"), network, cache).features).all()
    return sum(counts)


def test_the_order_depends_on_seed_and_epoch_alone(striped, network, tmp_path):
    features = FeatureRecords(Records(striped, "train"), network, tmp_path)
    steps = len(features) // 8

    def batches(num_epochs=1, **arguments):
        data = features.training(**{"batch_size": 8, "seed": 0, "flip": True} | arguments)
        return [batch[0] for batch in data.take(steps * num_epochs).as_numpy_iterator()]

    first, second = np.array_split(np.array(batches(2)), 2)
    np.testing.assert_array_equal(batches(first_epoch=1), second)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, batches(seed=1))
    # Half of them are of mirror images.
    plain = {row.tobytes() for row in features.features[:, 0]}
    shares = [
        np.mean([row.tobytes() in plain for row in np.concatenate(one)])
        for one in (batches(), batches(flip=False))
    ]
    assert 0.2 < shares[0] < 0.8 and shares[1] == 1


def test_features_that_are_not_finite_are_refused(striped, network, tmp_path):
    broken = keras.models.clone_model(network)
    weights = network.get_weights()
    broken.set_weights([*weights[:-1], weights[-1] * np.nan])
    with pytest.raises(InputError, match="not finite"):
        _ = FeatureRecords(Records(striped, "train"), broken, tmp_path).features
    assert not list(tmp_path.rglob("*.npy"))


def test_fewer_images_than_a_batch_are_refused(striped, network, tmp_path):
    features = FeatureRecords(Records(striped, "train"), network, tmp_path)
    with pytest.raises(InputError, match="1000"):
        features.training(batch_size=1000, seed=0)


def test_a_full_disk_is_named(striped, network, tmp_path):
    Path(tmp_path / "file").write_text("in the place of the folder")
    with pytest.raises(OSError, match="file"):
        _ = FeatureRecords(Records(striped, "train"), network, tmp_path / "file").features
