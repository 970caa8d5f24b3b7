"""The losses written out from the papers' equations: slow loops over images, positives, negatives.

Nothing here comes from the package. Labels are multi-hot: 1 positive, 0 negative, -1 unknown.
"""

import math

import numpy as np


def harmonic(rank):
    """L(r) = 1 + 1/2 + ... + 1/r."""
    return sum(1 / i for i in range(1, rank + 1))


def weight_probabilities(num_violators, num_negatives, num_known):
    """{weight: probability} of the paper's loop: draw with replacement, at most c - 1 times."""
    share = num_violators / num_negatives if num_negatives else 0.0
    result: dict[float, float] = {}
    for draws in range(1, num_known):
        weight = harmonic((num_known - 1) // draws)
        result[weight] = result.get(weight, 0.0) + share * (1 - share) ** (draws - 1)
    result[0.0] = 1 - sum(result.values())
    return result


def weight_one(num_violators, num_negatives, num_known):
    return 1.0


def weight_exact(num_violators, num_negatives, num_known):
    return harmonic(num_violators)


def weight_expected(num_violators, num_negatives, num_known):
    probabilities = weight_probabilities(num_violators, num_negatives, num_known)
    return sum(weight * probability for weight, probability in probabilities.items())


# The deterministic pairwise losses, by the weight L they give a positive.
WEIGHTS = {"ranking": weight_one, "exact": weight_exact, "expected": weight_expected}


def split(label):
    """Positives and negatives of one image."""
    positives = [j for j in range(len(label)) if label[j] == 1]
    negatives = [k for k in range(len(label)) if label[k] == 0]
    return positives, negatives


def of_each_image(image_loss):
    """The losses of a batch, from the loss of one image given its label, scores and tag weights."""

    def losses(labels, scores, *arguments, tag_weights=None, **options):
        a = np.ones(labels.shape[1]) if tag_weights is None else np.asarray(tag_weights, float)
        rows = zip(np.asarray(labels), np.asarray(scores, "float64"), strict=True)
        return np.array([image_loss(label, f, a, *arguments, **options) for label, f in rows])

    return losses


@of_each_image
def pairwise(label, f, a, weight, normalization, margin=1.0):
    """Sum over positives j, negatives k of a_j weight_j max(0, margin - f_j + f_k), divided."""
    positives, negatives = split(label)
    total = 0.0
    for j in positives:
        hinges = [max(0.0, margin - f[j] + f[k]) for k in negatives]
        violators = sum(hinge > 0 for hinge in hinges)
        term = weight(violators, len(negatives), len(positives) + len(negatives)) * sum(hinges)
        if normalization == "violators" and violators:
            term /= violators
        total += a[j] * term
    divisor = {
        "none": 1,
        "positives": len(positives),
        "pairs": len(positives) * len(negatives),
        "violators": len(positives),
    }[normalization]
    return total / divisor if divisor else 0.0


def taken(num_positives, places):
    """q of each positive, best first, from the distribution of the order statistics.

    The k-th best of K draws is among the i best positives when at least k of the draws are, and
    each is with probability i / P.
    """

    def within(i, k):
        share, num_draws = i / num_positives, len(places)
        return sum(
            math.comb(num_draws, m) * share**m * (1 - share) ** (num_draws - m)
            for m in range(k, num_draws + 1)
        )

    return np.array(
        [
            sum(
                probability / sum(places) * (within(i, k) - within(i - 1, k))
                for k, probability in enumerate(places, start=1)
            )
            for i in range(1, num_positives + 1)
        ]
    )


@of_each_image
def k_order(label, f, a, weight, normalization, places, margin=1.0):
    """Sum over positives j of a_j q_j weight_j times the sum of j's hinges (or their mean)."""
    positives, negatives = split(label)
    total = 0.0
    # sorted() keeps the order of the tags among equal scores.
    ordered = sorted(positives, key=lambda j: -f[j])
    for j, q in zip(ordered, taken(len(positives), places), strict=True):
        hinges = [max(0.0, margin - f[j] + f[k]) for k in negatives]
        violators = sum(hinge > 0 for hinge in hinges)
        divisor = max(violators, 1) if normalization == "violators" else 1
        known = len(positives) + len(negatives)
        total += a[j] * q * weight(violators, len(negatives), known) * sum(hinges) / divisor
    return total


@of_each_image
def softmax(label, f, a):
    """-(1 / c_plus) sum over positives j of a_j log(exp(f_j) / sum over known k of exp(f_k))."""
    positives, negatives = split(label)
    total = sum(math.exp(f[k]) for k in positives + negatives)
    terms = [-a[j] * math.log(math.exp(f[j]) / total) for j in positives]
    return sum(terms) / len(positives) if positives else 0.0


@of_each_image
def lsep(label, f, a):
    """log(1 + sum over positives j, negatives k of a_j exp(f_k - f_j))."""
    positives, negatives = split(label)
    return math.log(1 + sum(a[j] * math.exp(f[k] - f[j]) for j in positives for k in negatives))


def sigmoid(f):
    return 1 / (1 + math.exp(-f))


@of_each_image
def binary_crossentropy(label, f, a, positive_weights=None):
    """-(1 / c) sum over known t of a_t (p_t y_t log s(f_t) + (1 - y_t) log(1 - s(f_t)))."""
    positives, negatives = split(label)
    p = np.ones(len(f)) if positive_weights is None else positive_weights
    total = sum(-a[t] * p[t] * math.log(sigmoid(f[t])) for t in positives)
    total += sum(-a[t] * math.log(1 - sigmoid(f[t])) for t in negatives)
    return total / (len(positives) + len(negatives)) if positives or negatives else 0.0


@of_each_image
def asymmetric(label, f, a, gamma_positive=0.0, gamma_negative=4.0, clip=0.05):
    """-(1 - p)^gamma_positive log p of positives, -m^gamma_negative log(1 - m) of negatives."""
    positives, negatives = split(label)
    total = 0.0
    for t in positives:
        p = sigmoid(f[t])
        total -= a[t] * (1 - p) ** gamma_positive * math.log(p)
    for t in negatives:
        m = max(sigmoid(f[t]) - clip, 0.0)
        total -= a[t] * m**gamma_negative * math.log(1 - m)
    return total
