"""The metrics of the validation images at the end of each epoch."""

from __future__ import annotations

import keras

from warptag.metrics.top_k import TopKMetric


class PaperMetrics(TopKMetric):
    """The paper's five metrics from the same counts, of validation images only.

    In training they could take as long as the step of a small network.
    """

    NAMES = (
        "per_class_recall",
        "per_class_precision",
        "overall_recall",
        "overall_precision",
        "n_plus",
    )

    def __init__(self, k: int, num_tags: int):
        super().__init__(k, name="paper_metrics")
        self.counting = True
        self.num_tags, self._states = num_tags, self.make_states(num_tags)

    def metric_names(self):
        return [f"{name}_at_{self.k}" for name in self.NAMES]

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.counting:
            super().update_state(y_true, y_pred, sample_weight)

    def result(self):
        values = self.values().values() if self.counting else ()
        return dict(zip(self.NAMES, values, strict=False))


class CountInValidation(keras.callbacks.Callback):
    """Switches a metric off while the steps of training are traced and run."""

    def __init__(self, metric: PaperMetrics):
        super().__init__()
        self.metric = metric

    def on_train_begin(self, logs=None):
        self.metric.counting = False

    def on_test_begin(self, logs=None):
        self.metric.counting = True

    def on_test_end(self, logs=None):
        self.metric.counting = False
