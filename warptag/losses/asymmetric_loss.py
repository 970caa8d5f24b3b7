"""Asymmetric loss for multi-label classification (Ridnik et al., ICCV 2021)."""

from __future__ import annotations

import math

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, finite


@keras.saving.register_keras_serializable("warptag")
class AsymmetricLoss(TagLoss):
    """Binary cross-entropy in which easy negatives weigh little and the easiest nothing.

    `J_i = -sum over positive t of (1 - p_t)^gamma_positive * log p_t
           -sum over negative t of m_t^gamma_negative * log(1 - m_t)`

    with p = sigmoid(f) and m_t = max(p_t - clip, 0). The focusing factors are part of the
    gradient, as in the paper's analysis.

    Source: Ridnik et al., Asymmetric Loss For Multi-Label Classification, arXiv 2009.14119,
    eq. 4-7.

    Args:
        gamma_positive: focusing of positives, at least 0.
        gamma_negative: focusing of negatives, at least 0.
        clip: the probability below which a negative counts as 0, from 0 to below 1.
        reduction, name, dtype, labels, tag_weights: as `TagLoss`; both terms of a tag are
            multiplied by its weight.

    Raises:
        ValueError: a number is out of range or an option is unknown.

    Example:
        >>> loss = AsymmetricLoss(gamma_positive=1.0, gamma_negative=2.0, clip=0.0)
        >>> round(float(loss([[1, 0]], [[0.0, 0.0]])), 3)  # (1/2 + 1/4) log 2
        0.52
    """

    def __init__(
        self,
        gamma_positive: float = 0.0,
        gamma_negative: float = 4.0,
        clip: float = 0.05,
        reduction="sum_over_batch_size",
        name="asymmetric_loss",
        dtype=None,
        labels="multi_hot",
        tag_weights=None,
    ):
        super().__init__(reduction, name, dtype, labels, tag_weights)
        for option, value in (("positive", gamma_positive), ("negative", gamma_negative)):
            if not 0 <= value < math.inf:
                raise ValueError(f"gamma_{option} must be a number of at least 0, got {value!r}")
        if not 0 <= clip < 1:
            raise ValueError(f"clip must be from 0 to below 1, got {clip!r}")
        self.gamma_positive = float(gamma_positive)
        self.gamma_negative = float(gamma_negative)
        self.clip = float(clip)

    def image_losses(self, labels, scores):
        scores = finite(scores)
        # log p and log(1 - p), without the cancellation of 1 - p.
        log_yes, log_no = -ops.softplus(0.0 - scores), -ops.softplus(scores)
        positive_terms = ops.exp(self.gamma_positive * log_no) * -log_yes
        if self.clip:
            shifted = ops.sigmoid(scores) - self.clip
            counts = shifted > 0
            shifted = ops.where(counts, shifted, 0.5)
            log_focus, log_no = ops.log(shifted), ops.log1p(-shifted)
        else:
            counts, log_focus = True, log_yes
        negative_terms = ops.exp(self.gamma_negative * log_focus) * -log_no
        negative = ops.logical_and(labels.negative, counts)
        terms = ops.where(labels.positive, positive_terms, ops.where(negative, negative_terms, 0.0))
        return ops.sum(terms * self.weights_of(ops.arange(scores.shape[-1]), scores.dtype), axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "gamma_positive": self.gamma_positive,
            "gamma_negative": self.gamma_negative,
            "clip": self.clip,
        }
