"""What annotators say of themselves to scikit-learn."""

from __future__ import annotations

from sklearn.base import BaseEstimator


class Annotator(BaseEstimator):
    """Base of the estimators that score tags: `fit(X, Y)`, then `decision_function(X)`.

    Not one of scikit-learn's classifiers: it predicts no labels, since how many tags an image
    gets is chosen with the metric. Its tags say that `fit` needs labels, one column a tag.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.two_d_labels = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags
