"""AnnotationMetrics: every figure at once, equal to the single metrics and the NumPy functions."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_metrics_average_precision import labels_and_scores
from test_metrics_counts import random_batch

from warptag.losses import WARP
from warptag.metrics import (
    AnnotationMetrics,
    CoverageError,
    MeanAveragePrecision,
    NPlus,
    OverallF1,
    OverallPrecision,
    OverallRecall,
    PerClassF1,
    PerClassPrecision,
    PerClassRecall,
    annotation_metrics,
    annotation_report,
)

TOP_K = (
    PerClassRecall,
    PerClassPrecision,
    PerClassF1,
    OverallRecall,
    OverallPrecision,
    OverallF1,
    NPlus,
)


def values(result):
    return {name: float(value) for name, value in result.items()}


@pytest.mark.parametrize("sizes", [(40,), (1, 7, 32)])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_agrees_with_the_functions_and_the_single_metrics(sizes, weighted):
    labels, scores = random_batch(seed=4)
    weights = np.random.default_rng(0).integers(0, 4, 40) if weighted else None
    singles = [metric(k) for k in (3, 5) for metric in TOP_K]
    singles += [MeanAveragePrecision(100), CoverageError()]
    every = AnnotationMetrics(k=(3, 5), num_images=100)
    for start, end in zip(np.cumsum((0, *sizes)), np.cumsum(sizes), strict=False):
        weight = weights[start:end] if weighted else None
        for metric in (every, *singles):
            metric.update_state(labels[start:end], scores[start:end], sample_weight=weight)
    result = values(every.result())
    expected = annotation_metrics(labels, scores, k=(3, 5), sample_weight=weights)
    assert list(result) == list(expected)
    assert result == pytest.approx(expected, abs=1e-6, rel=1e-6)
    assert result == pytest.approx({m.name: float(m.result()) for m in singles}, rel=1e-6)


def test_the_functions_figures_are_those_of_the_report():
    labels, scores = random_batch(seed=5)
    figures = annotation_metrics(labels, scores, k=4)
    for name, value in annotation_report(labels, scores, 4).items():
        assert figures[f"{name}_at_4"] == pytest.approx(value / 100)


def test_mean_average_precision_can_be_left_out():
    labels, scores = random_batch()
    metric = AnnotationMetrics(k=3, num_images=None)
    assert "mean_average_precision" not in metric(labels, scores)
    assert len(metric.result()) == len(TOP_K) + 1
    # Nothing as long as the images is kept.
    assert max(np.prod(variable.shape) for variable in metric.variables) == labels.shape[1]


def test_before_the_first_batch_every_figure_is_zero():
    labels, scores = random_batch()
    metric = AnnotationMetrics()
    assert set(values(metric.result()).values()) == {0.0}
    names = list(metric.result())
    assert list(metric(labels, scores)) == names


def trained_model(batch_size, **arguments):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(200, 10)).astype("float32")
    labels = (images @ generator.normal(size=(10, 8)) > 2).astype("float32")
    labels[generator.random(labels.shape) < 0.1] = -1
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Dense(8)])
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss=WARP(),
        metrics=[AnnotationMetrics(k=(1, 2), num_images=200)],
        **arguments,
    )
    fitted = model.fit(
        *(images, labels, batch_size),
        validation_data=(images, labels),
        epochs=2,
        verbose=0,
    )
    return model, images, labels, fitted.history


# Of 200 images. XLA compiles for seconds, and again for a smaller last batch.
FITS = [(False, 64)] if keras.backend.backend() == "torch" else [(False, 64), (True, 100)]


@pytest.mark.parametrize(("jit_compile", "batch_size"), FITS)
def test_fit_shows_every_figure_and_evaluate_is_exact(jit_compile, batch_size, tmp_path):
    model, images, labels, history = trained_model(batch_size, jit_compile=jit_compile)
    expected = annotation_metrics(labels, model.predict(images, verbose=0), k=(1, 2))
    for name in expected:
        assert len(history[name]) == len(history[f"val_{name}"]) == 2
        assert history[f"val_{name}"][-1] == pytest.approx(expected[name], abs=1e-6, rel=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one in (model, loaded):
        evaluated = one.evaluate(images, labels, batch_size, verbose=0, return_dict=True)
        for name, value in expected.items():
            assert evaluated[name] == pytest.approx(value, abs=1e-6, rel=1e-6)


def test_the_configuration_goes_round():
    metric = AnnotationMetrics(k=[1, np.int64(7)], num_images=None, name="mine", labels="ids")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert (again.k, again.num_images, again.name, again.labels) == ([1, 7], None, "mine", "ids")
    assert again.get_config() == metric.get_config()


@pytest.mark.parametrize("k", [(), (3, 3), (0, 1), (1.5,), "3", None])
def test_bad_numbers_of_tags_are_named(k):
    with pytest.raises(ValueError, match="k must be .*positive integer"):
        AnnotationMetrics(k=k)
    with pytest.raises(ValueError, match="k must be .*positive integer"):
        annotation_metrics([[1, 0]], [[1.0, 0.0]], k=k)


def test_a_k_above_the_number_of_tags_is_named():
    with pytest.raises(ValueError, match=r"at most the number of tags \(4\), got 5"):
        AnnotationMetrics(k=(3, 5))(np.zeros((2, 4)), np.zeros((2, 4)))


# JAX compiles every operation again for every shape.
@settings(max_examples=4 if keras.backend.backend() == "jax" else 15, deadline=None)
@given(labels_and_scores(), st.floats(0.1, 10))
def test_a_monotone_change_of_the_scores_changes_nothing(batch, scale):
    labels, scores, order = batch
    k = scores.shape[1]
    expected = annotation_metrics(labels, scores, k=(1, k) if k > 1 else 1)
    metric = AnnotationMetrics(k=(1, k) if k > 1 else 1, num_images=len(labels))
    result = values(metric(labels[order], scale * scores[order] - 2))
    assert result == pytest.approx(expected, abs=1e-6, rel=1e-6)
