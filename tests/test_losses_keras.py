"""The losses as Keras objects: configuration, saving, registered names, dtypes, reductions."""

import keras
import numpy as np
import pytest
from losses_cases import LOSSES
from losses_support import BACKEND, only_on, random_batch, reduced, tensor, value

from warptag import losses as package
from warptag.losses import (
    LSEP,
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    MultilabelSoftmax,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)

# Every option with a value that is not the default.
COMMON = {"reduction": "sum", "name": "mine", "labels": "ids", "dtype": "float64"}
WEIGHTS = [0.5, 1.0, 2.0, 0.0, 1.0, 1.0, 3.0, 1.0, 1.0]
WARPS = {"margin": 0.5, "rank": "loop", "negatives": "sampled", "normalization": "none", "seed": 7}
EVERY_OPTION = {
    MultilabelSoftmax: {},
    PairwiseRanking: {"margin": np.float32(0.5), "normalization": "pairs"},
    WARP: WARPS,
    KOrderStatisticWARP: {**WARPS, "places": (1.0, 0.0, 2.0)},
    LSEP: {},
    WeightedBinaryCrossentropy: {"positive_weights": WEIGHTS[::-1]},
    AsymmetricLoss: {"gamma_positive": 1.0, "gamma_negative": 2.0, "clip": 0.1},
}


def test_every_loss_of_the_package_is_here():
    assert {kind.__name__ for kind in EVERY_OPTION} == set(package.__all__)


@pytest.mark.parametrize("kind", EVERY_OPTION)
def test_a_saved_model_keeps_its_loss(kind, tmp_path):
    """No `custom_objects`: importing the package registers its losses."""
    options = {**COMMON, **EVERY_OPTION[kind], "tag_weights": np.array(WEIGHTS)}
    loss = kind(**options)
    model = keras.Sequential([keras.layers.Input((9,)), keras.layers.Dense(9)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").loss
    assert type(again) is kind
    assert again.get_config() == loss.get_config()
    for option, given in options.items():
        kept = getattr(again, option)
        assert list(kept) == list(given) if np.ndim(given) else kept == given, option
        # Plain types, which every file format can represent.
        assert type(loss.get_config()[option]) in (str, float, int, list, type(None))


def test_the_names_are_the_classes_in_snake_case():
    assert KOrderStatisticWARP().name == "k_order_statistic_warp"
    assert WeightedBinaryCrossentropy().name == "weighted_binary_crossentropy"
    assert LSEP().name == "lsep"


# On JAX and PyTorch, Keras makes float32 of float64.
DTYPES = [*(["float64"] if BACKEND == "tensorflow" else []), "float32", "float16", "bfloat16"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["ranking", "sampled"])
def test_the_reduced_loss_has_the_dtype_asked_for(name, dtype):
    # One image and one pair: a hinge that no draw can change.
    loss = LOSSES[name](dtype=dtype)(tensor([[1, 0]]), tensor([[0.5, 2.0]]))
    assert keras.backend.standardize_dtype(loss.dtype) == dtype
    assert float(loss) == 1 - 0.5 + 2


def test_a_half_precision_loss_adds_up_in_float32():
    """300 terms of 1 + 1/256 each, of which bfloat16 would lose the fraction."""
    labels = np.zeros((1, 301), "float32")
    labels[0, 0] = 1
    scores = np.full((1, 301), 0.00390625, "float32")
    scores[0, 0] = 0
    for half in ("float16", "bfloat16"):
        loss = PairwiseRanking(normalization="none", dtype=half)
        per_image = loss.call(labels, tensor(scores, half))
        assert keras.backend.standardize_dtype(per_image.dtype) == "float32"
        assert float(per_image[0]) == pytest.approx(300 * (1 + 1 / 256), rel=1e-6)


@pytest.mark.parametrize("name", ["softmax", "sampled", "bce"])
def test_integer_scores_and_integer_or_boolean_labels_are_accepted(name):
    labels, scores = random_batch(seed=4, dtype="float32")
    labels, scores = np.abs(labels), np.round(scores)
    expected = value(LOSSES[name](), labels, scores, "eager")
    assert expected.any()
    for kind in ("uint8", "bool"):
        values = value(LOSSES[name](), labels.astype(kind), scores.astype("int32"), "eager")
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("name", ["softmax", "sampled"])
def test_sample_weights_and_reductions(name):
    labels, scores = random_batch(dtype="float32")
    per_image = value(LOSSES[name](), labels, scores)
    assert per_image.shape == (16,) and LOSSES[name]().reduction == "sum_over_batch_size"
    assert reduced(LOSSES[name](), labels, scores) == pytest.approx(per_image.mean(), rel=1e-5)
    weight = np.linspace(0, 2, 16).astype("float32")
    expected = {
        "none": per_image * weight,
        "sum": (per_image * weight).sum(),
        "sum_over_batch_size": (per_image * weight).sum() / 16,
        "mean_with_sample_weight": (per_image * weight).sum() / weight.sum(),
    }
    for reduction, number in expected.items():
        loss = LOSSES[name](reduction=reduction)
        actual = reduced(loss, labels, scores, sample_weight=weight)
        np.testing.assert_allclose(actual, number, rtol=1e-5)


@only_on("jax", "a compiled call keeps no state there")
@pytest.mark.parametrize("name", ["loop", "one-negative"])
def test_in_jit_draws_follow_from_the_seed_and_the_scores(name):
    import jax

    labels, scores = random_batch(num_images=64, dtype="float32")
    # A mask of -inf must not make all sums of scores equal.
    labels[:, 0], scores[:, 0] = 0, -np.inf
    tiny = scores + np.float32(1e-6)

    def losses(scores, seed):
        return np.asarray(jax.jit(LOSSES[name](seed=seed).call)(labels, scores))

    first = losses(scores, 3)
    np.testing.assert_array_equal(losses(scores, 3), first)
    # Two of the 64 images differing is more than rounding does.
    assert (abs(losses(tiny, 3) - first) > 1e-3).sum() > 2
    assert (abs(losses(scores, 4) - first) > 1e-3).sum() > 2
