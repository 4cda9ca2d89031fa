"""Is one network better than the other, or was it these pictures? A bootstrap over pictures says how sure that is.

Efron 1979; Efron and Tibshirani 1993, §13.3 (percentiles). The pictures are drawn anew, with replacement, as many as
there are, and both networks are scored on the same drawn ones. The difference is paired: what is hard for both does not
count. Seeds of training are another doubt, which it knows nothing of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from segtutor.analysis.pictures import as_matrices, mean_iou_of, sums_of

_AT_ONCE = 256


@dataclass(frozen=True)
class Difference:
    """How much better the first network is.

    Attributes:
        first: Mean IoU of the first.
        second: Mean IoU of the second.
        low: Lower end of the interval of the difference.
        high: Upper end.
        ahead: Share of the drawn data sets on which the first is better; a tie counts half.
        confidence: Of the interval.
        pictures: How many there are.
    """

    first: float
    second: float
    low: float
    high: float
    ahead: float
    confidence: float
    pictures: int

    @property
    def value(self) -> float:
        """First less second."""
        return self.first - self.second

    @property
    def decided(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        verdict = "decided" if self.decided else "undecided"
        return (
            f"mean IoU {100 * self.first:.1f} % and {100 * self.second:.1f} %: difference {100 * self.value:+.1f}, "
            f"{self.confidence:.0%} interval {100 * self.low:+.1f} to {100 * self.high:+.1f} over {self.pictures} "
            f"pictures ({verdict})"
        )


def compare(first: Any, second: Any, samples: int = 2000, confidence: float = 0.95, seed: int = 0) -> Difference:
    """Mean IoU of two networks on the same pictures, and the interval of its difference.

    Args:
        first: N x K x K, a confusion matrix for each picture, see ``image_matrices``.
        second: N x K x K of the other network, for the same pictures in the same order.
        samples: Drawn data sets.
        confidence: Of the interval, between 0 and 1.
        seed: Of the drawing.

    Raises:
        ValueError: If the matrices are not of the same pictures, there are fewer than two, or a number makes no sense.
    """
    one, other = as_matrices(first, "first"), as_matrices(second, "second")
    if one.shape != other.shape or not np.array_equal(one.sum(axis=2), other.sum(axis=2)):
        raise ValueError(
            f"both networks must be scored on the same pictures in the same order, but the matrices {one.shape} and "
            f"{other.shape} count other pixels of the true classes"
        )
    if len(one) < 2:
        raise ValueError("one picture came, but drawing pictures anew needs at least 2; some dozens say something")
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 1:
        raise ValueError(f"samples is {samples!r}, but must be a whole number of at least 1")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}, but must lie between 0 and 1, as 0.95")
    random = np.random.default_rng(seed)
    parts = [[part.astype(np.float64) for part in sums_of(matrices)] for matrices in (one, other)]
    differences = []
    for start in range(0, samples, _AT_ONCE):
        rows = min(_AT_ONCE, samples - start)
        drawn = random.multinomial(len(one), np.full(len(one), 1 / len(one)), size=rows).astype(np.float64)
        scores = [mean_iou_of(*(drawn @ part for part in of_network)) for of_network in parts]
        differences.append(scores[0] - scores[1])
    values = np.concatenate(differences)
    values = values[np.isfinite(values)]  # a draw of nothing but void has no score
    if not values.size:
        raise ValueError("every pixel of these pictures is void: there is nothing to compare")
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    means = [float(mean_iou_of(*(part.sum(axis=0) for part in of_network))) for of_network in parts]
    ahead = float((values > 0).mean() + (values == 0).mean() / 2)
    return Difference(means[0], means[1], float(low), float(high), ahead, confidence, len(one))
