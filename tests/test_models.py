"""The network: the paper's numbers, the small setting, seeds, bad arguments."""

import keras
import numpy as np
import pytest
from training_support import assert_same_weights

from warptag.models import AlexNet


def test_the_full_network_is_the_papers():
    model = AlexNet(81)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.kernel_size[0] for layer in convolutions] == [11, 9, 5, 5, 5]
    assert [layer.filters for layer in convolutions] == [96, 256, 384, 384, 256]
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [4096, 4096, 81]
    dropout = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert dropout == [0.6, 0.6]
    assert dense[-1].activation is keras.activations.linear
    assert model.input_shape == (None, 220, 220, 3)


def small(**arguments):
    return AlexNet(
        7, (32, 32, 3), **{"width": 0.05, "dense_units": 8, "first_stride": 2, **arguments}
    )


def test_it_is_saved_and_scores_black_and_white_pixels(tmp_path):
    model, images = small(), np.stack([np.zeros((32, 32, 3)), np.full((32, 32, 3), 255.0)])
    scores = np.asarray(model(images))
    assert scores.shape == (2, 7) and np.isfinite(scores).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(images), scores, rtol=1e-5)


def test_the_seed_decides_the_weights():
    one, same, other = small(seed=1), small(seed=1), small(seed=2)
    assert_same_weights(one, same)
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 0), ("dropout", 1.0), ("dense_units", 0), ("first_stride", 0)],
)
def test_numbers_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        small(**{name: value})


def test_an_input_too_small_for_the_pools_is_refused():
    with pytest.raises(ValueError, match=r"\(8, 8, 3\)"):
        AlexNet(7, (8, 8, 3), first_stride=2)
