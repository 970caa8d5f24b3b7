"""Asymmetric loss for multi-label classification (Ridnik et al., ICCV 2021)."""

from __future__ import annotations

import math

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, finite


@keras.saving.register_keras_serializable("warptag")
class AsymmetricLoss(TagLoss):
    """Focal binary cross-entropy that discards the easiest negatives.

    `J_i = -sum over positives t of (1 - p_t)^gamma_positive * log p_t
           -sum over negatives t of m_t^gamma_negative * log(1 - m_t)`

    with p = sigmoid(f) and m_t = max(p_t - clip, 0). The gradient includes the focusing factors,
    as in the paper's analysis.

    Source: Ridnik et al., Asymmetric Loss For Multi-Label Classification, arXiv 2009.14119,
    eq. 4-7.

    Args:
        gamma_positive: focusing exponent of positives, at least 0.
        gamma_negative: focusing exponent of negatives, at least 0.
        clip: probability below which a negative has the loss 0, in [0, 1).
        **kwargs: the arguments of `TagLoss`. Tag weights multiply positive and negative terms.

    Raises:
        ValueError: if an argument is invalid.

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
        **kwargs,
    ):
        super().__init__(**kwargs)
        gammas = {"gamma_positive": gamma_positive, "gamma_negative": gamma_negative}
        for argument, value in gammas.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{argument} must be a finite number of at least 0, got {value!r}")
        if not 0 <= clip < 1:
            raise ValueError(f"clip must be at least 0 and below 1, got {clip!r}")
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
            counted = ops.logical_and(labels.negative, shifted > 0)
            shifted = ops.where(shifted > 0, shifted, 0.5)
            log_focus, log_no = ops.log(shifted), ops.log1p(-shifted)
        else:
            counted, log_focus = labels.negative, log_yes
        negative_terms = ops.exp(self.gamma_negative * log_focus) * -log_no
        terms = ops.where(labels.positive, positive_terms, ops.where(counted, negative_terms, 0.0))
        return ops.sum(terms * self.weights_of_tags(scores.dtype), axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "gamma_positive": self.gamma_positive,
            "gamma_negative": self.gamma_negative,
            "clip": self.clip,
        }
