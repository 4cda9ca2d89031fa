"""Whether a network is as often right as it says: reliability, calibration errors, temperature, risk and coverage.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. A network is calibrated if of all pixels to which it
gives the probability 0.8 for its answer, 80 % are right. The confidence of a pixel is the largest of its probabilities;
the bins are those of §2, (0, 1/M], (1/M, 2/M], ... Void counts nowhere.

Shapes: K classes, N pixels, M bins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.metrics.arrays import integer_map, to_numpy

BINS = 15
"""M of Guo et al."""


class Calibration:
    """Counts, picture by picture, how often a network was right in each bin of its confidence.

    Args:
        num_classes: K.
        bins: M.
        ignore_index: Value in the target that marks void, or None if there is none.

    Attributes:
        counts: M, the pixels of each bin.
        confidences: M, the sum of their confidences.
        hits: M int64, how many of them are right.
        log_loss: Sum of -log of what was given to the true class.
        class_counts: K x M, the pixels of each bin of one class's probability; likewise the next two.
        class_probabilities: K x M, the sum of these probabilities.
        class_hits: K x M, how many of these pixels are of the class.

    >>> calibration = Calibration(num_classes=2)
    >>> calibration.update([[0, 1, 255]], [[[0.9, 0.8, 0.5]], [[0.1, 0.2, 0.5]]])
    >>> round(calibration.ece(), 6)  # two pixels: 0.9 and right, 0.8 and wrong
    0.45
    """

    def __init__(self, num_classes: int, bins: int = BINS, ignore_index: int | None = 255) -> None:
        for name, value, least in (("num_classes", num_classes, 2), ("bins", bins, 1)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"{name} is {value!r}, but must be a whole number of at least {least}")
        self.num_classes, self.bins, self.ignore_index = int(num_classes), int(bins), ignore_index
        self.counts, self.hits = np.zeros(self.bins, np.int64), np.zeros(self.bins, np.int64)
        self.confidences, self.log_loss = np.zeros(self.bins), 0.0
        shape = self.num_classes, self.bins
        self.class_counts, self.class_hits = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        self.class_probabilities = np.zeros(shape)

    def update(self, target: Any, probabilities: Any) -> None:
        """Counts one picture.

        Args:
            target: Labels of any shape, H x W as a rule.
            probabilities: K x that shape, from 0 to 1, with the sum 1 at each pixel.

        Raises:
            ValueError: If the shapes do not fit, a label is no class, or these are no probabilities.
        """
        labels, given = valid_pixels(target, probabilities, self.num_classes, self.ignore_index)
        if not labels.size:
            return
        if given.min() < 0 or abs(given.sum(axis=0) - 1).max() > 1e-3:
            raise ValueError(
                "probabilities must lie from 0 to 1 with the sum 1 at each pixel, but values from "
                f"{given.min():.3g} to {given.max():.3g} with sums up to {given.sum(axis=0).max():.4g} came; take the "
                "softmax of logits"
            )
        answer = given.argmax(axis=0)
        confidence = np.take_along_axis(given, answer[None], 0)[0]
        place = self._bin(confidence)
        self.counts += np.bincount(place, minlength=self.bins)
        self.confidences += np.bincount(place, confidence, minlength=self.bins)
        self.hits += np.bincount(place[answer == labels], minlength=self.bins)
        true = np.take_along_axis(given, labels[None], 0)[0]
        self.log_loss += float(-np.log(np.maximum(true, np.finfo(np.float64).tiny)).sum())
        shape, size = self.class_counts.shape, self.class_counts.size
        place = self._bin(given) + self.bins * np.arange(self.num_classes)[:, None]  # K x N, of all classes' bins
        self.class_counts += np.bincount(place.ravel(), minlength=size).reshape(shape)
        self.class_probabilities += np.bincount(place.ravel(), given.ravel(), minlength=size).reshape(shape)
        true_place = np.take_along_axis(place, labels[None], 0)[0]
        self.class_hits += np.bincount(true_place, minlength=size).reshape(shape)

    def _bin(self, values: np.ndarray) -> np.ndarray:
        """The bin of each value: m where it lies in (m / M, (m + 1) / M]; 0 belongs to the first."""
        edges = np.linspace(0, 1, self.bins + 1)
        return np.clip(np.searchsorted(edges, values, side="left") - 1, 0, self.bins - 1)

    @property
    def pixels(self) -> int:
        """How many pixels were counted."""
        return int(self.counts.sum())

    def reliability(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each bin the mean confidence and the share that is right, M float64 each; NaN where a bin is empty."""
        with np.errstate(invalid="ignore"):
            return self.confidences / self.counts, self.hits / self.counts

    def ece(self) -> float:
        """Expected calibration error: the gap between confidence and accuracy, mean over pixels; NaN without any."""
        return float(abs(self.confidences - self.hits).sum() / self.pixels) if self.pixels else float("nan")

    def overconfidence(self) -> float:
        """Mean confidence less accuracy, negative where the network is too modest; NaN without pixels."""
        return float((self.confidences - self.hits).sum() / self.pixels) if self.pixels else float("nan")

    def nll(self) -> float:
        """Mean negative logarithm of the true class's probability; NaN without pixels."""
        return self.log_loss / self.pixels if self.pixels else float("nan")

    def class_ece(self) -> np.ndarray:
        """The calibration error of each class's own probability, K float64 (Nixon et al. 2019, static).

        It asks of every pixel whether it is of the class as often as its probability says, of the pixels that were
        given to another class, too. A rare class has an error near 0, since nearly all its probabilities are.
        """
        gaps = abs(self.class_probabilities - self.class_hits).sum(axis=1)
        return gaps / self.pixels if self.pixels else np.full(self.num_classes, np.nan)


def valid_pixels(
    target: Any, scores: Any, num_classes: int | None = None, ignore_index: int | None = 255
) -> tuple[np.ndarray, np.ndarray]:
    """The labels that are not void, N, and the scores there, K x N float64.

    Raises:
        ValueError: If the shapes do not fit, a score is no number or a label is no class.
    """
    labels, given = integer_map(target, "target"), to_numpy(scores)
    if given.ndim < 1 or given.shape[1:] != labels.shape or given.shape[0] != (num_classes or given.shape[0]):
        wanted = (num_classes or "K", *labels.shape)
        raise ValueError(
            f"there must be one score for each class and pixel, {wanted}, but they have the shape {given.shape}; put "
            "the classes first"
        )
    flat = labels.reshape(-1).astype(np.int64)
    keep = np.ones(flat.shape, bool) if ignore_index is None else flat != ignore_index
    flat = flat[keep]
    if flat.size and not 0 <= flat.min() <= flat.max() < len(given):
        raise ValueError(
            f"target holds labels from {flat.min()} to {flat.max()}, but must hold classes 0...{len(given) - 1}, or "
            f"{ignore_index} for void"
        )
    kept = given.reshape(len(given), -1)[:, keep].astype(np.float64)
    if not np.isfinite(kept).all():
        raise ValueError("the scores hold NaN or infinite values: look at what the network gave")
    return flat, kept


def fit_temperature(target: Any, logits: Any, ignore_index: int | None = 255) -> float:
    """The T whose softmax(logits / T) gives the labels the smallest negative log likelihood (Guo et al. 2017, §4.2).

    In b = 1 / T that is convex with the derivative mean(E_p[z] - z_y), so its zero is found by halving. T never changes
    which class is the largest. Where no finite T is best, as when every pixel is right, the end of the range is given.

    Args:
        target: N labels, or any shape.
        logits: K x that shape; logarithms of probabilities do as well, since a softmax forgets a constant.
        ignore_index: Value in the target that marks void.

    Returns:
        T, from 0.01 to 100.

    Raises:
        ValueError: If shapes or labels do not fit, or everything is void.

    >>> answers = np.log([[0.9] * 10, [0.1] * 10])  # ten times 90 % for class 0, which is right six times
    >>> round(fit_temperature([0] * 6 + [1] * 4, answers), 3)  # log 9 / T = log(6 / 4)
    5.419
    """
    labels, given = valid_pixels(target, logits, None, ignore_index)
    if not labels.size:
        raise ValueError("every pixel is void: there is nothing to fit a temperature to")
    given = given - given.max(axis=0)
    true = np.take_along_axis(given, labels[None], 0)[0].mean()

    def slope(factor: float) -> float:
        weights = np.exp(factor * given)
        return float(((weights * given).sum(axis=0) / weights.sum(axis=0)).mean() - true)

    low, high = np.log(0.01), np.log(100.0)  # of b, which is halved in its logarithm
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
    return float(np.exp(-(low + high) / 2))


def with_temperature(probabilities: Any, temperature: float) -> np.ndarray:
    """Probabilities K x ... as they would be had the logits been divided by a temperature.

    >>> with_temperature([[0.9], [0.1]], 2.0).round(3).tolist()  # 3 : 1, the root of 9 : 1
    [[0.75], [0.25]]
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature!r}, but must be above 0")
    given = np.maximum(to_numpy(probabilities).astype(np.float64), np.finfo(np.float64).tiny)
    logits = np.log(given) / temperature
    powers = np.exp(logits - logits.max(axis=0))
    return powers / powers.sum(axis=0)


def risk_coverage(confidence: Any, correct: Any) -> tuple[np.ndarray, np.ndarray]:
    """What share of the kept pixels is wrong, if only the surest are kept (El-Yaniv and Wiener 2010).

    Args:
        confidence: N numbers, void left out; the higher, the surer.
        correct: N booleans.

    Returns:
        Coverage, the share that is kept, rising to 1, and risk, the share of these that is wrong; one point for each
        different confidence.

    Raises:
        ValueError: If there are none, or not as many of both.

    >>> coverage, risk = risk_coverage([0.9, 0.8, 0.6, 0.6], [True, True, False, True])
    >>> coverage.tolist(), risk.tolist()
    ([0.25, 0.5, 1.0], [0.0, 0.0, 0.25])
    """
    sure = to_numpy(confidence).reshape(-1).astype(np.float64)
    right = to_numpy(correct).reshape(-1).astype(bool)
    if not sure.size or sure.shape != right.shape:
        raise ValueError(f"there must be as many confidences as answers, at least 1, but {sure.size} and {right.size}")
    order = np.argsort(-sure, kind="stable")
    sure = sure[order]
    last = np.append(sure[1:] != sure[:-1], True)  # pixels that are equally sure are kept together
    kept, wrong = np.arange(1, sure.size + 1)[last], np.cumsum(~right[order])[last]
    return kept / sure.size, wrong / kept


def area_under_risk(coverage: np.ndarray, risk: np.ndarray) -> float:
    """Mean risk over all coverages (AURC, Geifman et al. 2019): 0 is best, the share of errors if the order is chance.

    >>> area_under_risk(np.array([0.5, 1.0]), np.array([0.0, 0.5]))
    0.25
    """
    return float((np.diff(coverage, prepend=0.0) * risk).sum())


def entropy(probabilities: Any) -> np.ndarray:
    """Of each pixel: how undecided the network is, from 0, sure, to 1, all K classes alike.

    Args:
        probabilities: K x H x W.

    Returns:
        H x W float64, the entropy divided by log K.

    >>> entropy([[0.5, 1.0], [0.5, 0.0]]).tolist()
    [1.0, 0.0]
    """
    given = to_numpy(probabilities).astype(np.float64)
    if given.ndim < 1 or len(given) < 2:
        raise ValueError(f"probabilities must be K x H x W with at least 2 classes, but have the shape {given.shape}")
    logs = np.log(np.where(given > 0, given, 1))
    result: np.ndarray = np.abs((given * logs).sum(axis=0)) / np.log(len(given))
    return result
