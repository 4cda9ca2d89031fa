"""Exercise 5.11: the loss of the mask branch."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def mask_loss(logits, targets, labels):
    """Mean sigmoid cross entropy of R x M x M targets with the R x K x M x M logits, in the channel of labels (R)."""
    raise NotImplementedError("Write mask_loss() here, then run this cell again.")
'''


def mask_loss(logits: np.ndarray, targets: np.ndarray, labels: np.ndarray) -> float:
    """Mean sigmoid cross entropy of R x M x M targets with the R x K x M x M logits, in the channel of labels (R)."""
    if len(labels) == 0:
        return 0.0
    chosen = logits[np.arange(len(labels)), labels]
    return float(np.mean(np.maximum(chosen, 0) - chosen * targets + np.log1p(np.exp(-np.abs(chosen)))))


def _with_torch(logits, targets, labels):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    logits, targets, labels = (torch.from_numpy(value) for value in (logits, targets, labels))
    chosen = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(chosen, targets, reduction="sum") / max(1, targets.numel())


def _with_loops(logits, targets, labels):  # type: ignore[no-untyped-def]
    import math

    total, count = 0.0, 0
    for number, label in enumerate(labels.tolist()):
        for x, t in zip(logits[number, label].ravel().tolist(), targets[number].ravel().tolist(), strict=True):
            toward = x if t >= 0.5 else -x  # targets are 0 or 1
            total += math.log1p(math.exp(-toward)) if toward > 0 else math.log1p(math.exp(toward)) - toward
            count += 1
    return total / max(1, count)


def _with_logaddexp(logits, targets, labels):  # type: ignore[no-untyped-def]
    chosen = np.array([of_region[label] for of_region, label in zip(logits, labels, strict=True)])
    loss = targets * np.logaddexp(0, -chosen) + (1 - targets) * np.logaddexp(0, chosen) if len(labels) else np.zeros(1)
    return loss.mean()


def _entropy(chosen, targets):  # type: ignore[no-untyped-def]
    return np.logaddexp(0, chosen) - chosen * targets


def _of_channel(choose, entropy=_entropy, combine=np.mean):  # type: ignore[no-untyped-def]
    """A wrong answer: another channel, another loss or another mean."""

    def wrong(logits, targets, labels):  # type: ignore[no-untyped-def]
        if len(labels) == 0:
            return 0.0
        return combine(entropy(choose(logits, targets, labels), targets))

    return wrong


def _right_channel(logits, targets, labels):  # type: ignore[no-untyped-def]
    return logits[np.arange(len(labels)), labels]


def _softmax(logits, targets, labels):  # type: ignore[no-untyped-def]
    """Cross entropy over the classes, with background where the object is not."""
    if len(labels) == 0:
        return 0.0
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    wanted = np.where(targets >= 0.5, labels[:, None, None], 0)
    return -np.take_along_axis(log_probability, wanted[:, None], axis=1).mean()


def _all_channels(logits, targets, labels):  # type: ignore[no-untyped-def]
    """Every channel is asked: zeros in those of other classes."""
    if len(labels) == 0:
        return 0.0
    wanted = np.zeros_like(logits)
    wanted[np.arange(len(labels)), labels] = targets
    return _entropy(logits, wanted).mean()


def _naive(logits, targets, labels):  # type: ignore[no-untyped-def]
    if len(labels) == 0:
        return 0.0
    probability = 1 / (1 + np.exp(-_right_channel(logits, targets, labels)))
    return -(targets * np.log(probability) + (1 - targets) * np.log(1 - probability)).mean()


def _with_epsilon(logits, targets, labels, epsilon=1e-7):  # type: ignore[no-untyped-def]
    if len(labels) == 0:
        return 0.0
    probability = 1 / (1 + np.exp(-_right_channel(logits, targets, labels)))
    return -(targets * np.log(probability + epsilon) + (1 - targets) * np.log(1 - probability + epsilon)).mean()


def _no_region(logits, targets, labels):  # type: ignore[no-untyped-def]
    return np.mean(_entropy(_right_channel(logits, targets, labels), targets))


def _squares(chosen, targets):  # type: ignore[no-untyped-def]
    return (1 / (1 + np.exp(-chosen)) - targets) ** 2


def _only_ones(chosen, targets):  # type: ignore[no-untyped-def]
    return targets * np.logaddexp(0, -chosen)


def _region(seed: int, regions: int, classes: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 3, (regions, classes, side, side)).round(2)
    return (
        logits,
        (generator.random((regions, side, side)) < 0.4).astype(float),
        generator.integers(1, classes, regions),
    )


def _logits(*channels: float) -> np.ndarray:
    """One region of 1 x 1, a channel for each number."""
    return np.array(channels, dtype=float).reshape(1, -1, 1, 1)


_ONE = np.ones((1, 1, 1))
_ZERO = np.zeros((1, 1, 1))


def _sigmoid(x):  # type: ignore[no-untyped-def]
    return 1 / (1 + np.exp(-x))


def _probabilities(logits):  # type: ignore[no-untyped-def]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _softmax_of_channel(logits, targets, labels):  # type: ignore[no-untyped-def]
    """Binary cross entropy, but with a softmax over the classes in place of the sigmoid."""
    chosen = _right_channel(_probabilities(logits), targets, labels)
    loss = -targets * np.log(chosen) - (1 - targets) * np.log(1 - chosen)
    return loss.mean() if len(labels) else 0.0


def _softmax_of_object(logits, targets, labels):  # type: ignore[no-untyped-def]
    loss = -targets * np.log(_right_channel(_probabilities(logits), targets, labels))
    return loss.mean() if len(labels) else 0.0


def _limited(most):  # type: ignore[no-untyped-def]
    """Logarithms of at least -most, as PyTorch's loss of probabilities has them."""

    def entropy(x, t):  # type: ignore[no-untyped-def]
        s = _sigmoid(x)
        return -t * np.maximum(np.log(s), -most) - (1 - t) * np.maximum(np.log(1 - s), -most)

    return _of_channel(_right_channel, entropy)


def _balanced(x, t):  # type: ignore[no-untyped-def]
    """The mean over the ones and the mean over the zeros count the same."""
    return np.array([_entropy(x, t)[t == value].mean() for value in (0, 1) if (t == value).any()])


EXERCISE = Exercise(
    id="5.11",
    title="The mask loss",
    name="mask_loss",
    statement="""
The mask branch has a channel for every class (K channels with the background, number 0), and the classes do not
compete for a pixel: each channel has its own sigmoid. **Only the channel of the true class is asked**; the others get
no gradient. Write `mask_loss(logits, targets, labels)` with R x K x M x M logits, R x M x M targets of 0 and 1 and R
class numbers (1 ... K - 1):

$$L = \\frac{1}{R M^2} \\sum_{r, i, j} -t \\log \\sigma(x) - (1 - t) \\log(1 - \\sigma(x)),
\\qquad x = \\mathrm{logits}[r, \\mathrm{label}_r, i, j]$$

$\\sigma$ is the sigmoid. Logits may be as large as 1000, and the loss must still be right: do not take the logarithm of
a sigmoid that has become 0. Without any region the loss is 0.
""",
    stub=STUB,
    reference=mask_loss,
    cases=(
        Case("logit 0: probability one half", (_logits(5, 0, -5), _ONE, np.array([1])), float(np.log(2))),
        Case(
            "only class 2 counts",
            (np.array([[[[9.0]], [[-9.0]], [[0.0]]]]), _ZERO, np.array([2])),
            float(np.log(2)),
            "class two",
        ),
        Case(
            "two regions of different classes",
            (np.array([[9.0, 0, -9], [7, -7, 0]]).reshape(2, 3, 1, 1), np.array([[[1.0]], [[0.0]]]), np.array([1, 2])),
            float(np.log(2)),
            "own class",
        ),
        Case(
            "sigmoid 0.8, inside and outside",
            (
                np.log(4) * np.array([[[[0.0, 0.0]], [[1.0, 1.0]]]]).repeat(2, axis=2),
                np.array([[[1.0, 0.0], [1.0, 0.0]]]),
                np.array([1]),
            ),
            float(-(np.log(0.8) + np.log(0.2)) / 2),
            "both terms",
        ),
        Case(
            "logits of 1000 beside one of 1.5",
            (
                np.array([[[[0.0, 0, 0, 0]], [[1000.0, 1.5, -1000.0, 60.0]]]]).repeat(4, axis=2),
                np.array([[[1.0, 1, 0, 0]]]).repeat(4, axis=1),
                np.array([1]),
            ),
            float((np.log1p(np.exp(-1.5)) + 60) / 4),
            "overflow",
        ),
        Case("a logit of 1000 where 0 is right", (_logits(0, 1000), _ZERO, np.array([1])), 1000.0, "overflow"),
        Case("a logit of -1000 where 1 is right", (_logits(0, -1000), _ONE, np.array([1])), 1000.0, "overflow"),
        Case(
            "no region",
            (np.zeros((0, 3, 2, 2)), np.zeros((0, 2, 2)), np.zeros(0, dtype=np.int64)),
            0.0,
            "no region",
        ),
        Case("5 regions, 4 classes", _region(0, 5, 4, 6)),
        Case("3 regions, 7 classes", _region(1, 3, 7, 8)),
    ),
    hints={
        "general": Hint(
            "First choose for each region the channel of its class: R x M x M; then one formula for all pixels.",
            "logits[np.arange(R), labels]; the loss of a pixel is max(x, 0) - x t + log(1 + exp(-|x|)).",
        ),
        "channel": Hint(
            "Only the channel of the true class is asked; the labels are numbers of channels as they are.",
            "logits[np.arange(R), labels].",
        ),
        "other channels": Hint(
            "The channels of the other classes enter the loss. They should learn nothing here.",
            "Choose the channel of the label first, then compute the loss of that one.",
        ),
        "softmax": Hint(
            "The classes compete in a softmax. In Mask R-CNN each has its own sigmoid.",
            "Use the sigmoid of a single channel.",
        ),
        "formula": Hint(
            "The loss of a pixel is the cross entropy of sigmoid and target, with the natural logarithm and both "
            "terms.",
            "max(x, 0) - x t + log(1 + exp(-|x|)) is -t log s - (1 - t) log(1 - s).",
        ),
        "target": Hint("Inside and outside are exchanged.", "-t log s: where t is 1, s should be large."),
        "overflow": Hint(
            "With large logits the sigmoid is exactly 0 or 1, and its logarithm infinite; nothing may be cut off "
            "either.",
            "max(x, 0) - x t + np.log1p(np.exp(-np.abs(x))) never takes the logarithm of 0.",
        ),
        "mean": Hint("The loss is one number, the mean over all pixels of all regions.", "Divide by R * M * M."),
        "class two": Hint(
            "The true class is 2, and its logit is 0. The logits 9 and -9 of the other channels must not matter.",
            "logits[np.arange(R), labels].",
        ),
        "own class": Hint(
            "Each region has a class of its own: here 1 for the first and 2 for the second.",
            "logits[np.arange(R), labels] takes one channel for each region; logits[:, labels] takes all for all.",
        ),
        "both terms": Hint(
            "The sigmoid is 0.8 at all four pixels; two targets are 1 and two are 0, which cost -log 0.8 and -log 0.2.",
            "-t log s - (1 - t) log(1 - s), averaged.",
        ),
        "sign": Hint("A loss is not negative: minus the logarithms.", "-t log s - (1 - t) log(1 - s)."),
        "rounded": Hint("The loss is not rounded.", "Return the mean as it is."),
        "no region": Hint(
            "Without regions the loss is 0. The mean of nothing is NaN, and it would spoil all weights.",
            "If len(labels) == 0, return 0.",
        ),
    },
    mistakes=(
        Mistake("largest channel", _of_channel(lambda x, t, c: x.max(axis=1)), "channel"),
        Mistake("labels from 0", _of_channel(lambda x, t, c: _right_channel(x, t, c - 1)), "channel"),
        Mistake("first channel", _of_channel(lambda x, t, c: x[:, 0]), "channel"),
        Mistake("mean of the channels", _of_channel(lambda x, t, c: x.mean(axis=1)), "other channels"),
        Mistake("all channels", _all_channels, "other channels"),
        Mistake("softmax", _softmax, "softmax"),
        Mistake("squared error", _of_channel(_right_channel, _squares), "formula"),
        Mistake("object pixels only", _of_channel(_right_channel, _only_ones), "formula"),
        Mistake("target inverted", _of_channel(_right_channel, lambda x, t: _entropy(x, 1 - t)), "target"),
        Mistake("logarithm of the sigmoid", _naive, "overflow"),
        Mistake("logarithm with an epsilon", _with_epsilon, "overflow"),
        Mistake("sum", _of_channel(_right_channel, combine=np.sum), "mean"),
        Mistake("divided by R only", _of_channel(_right_channel, combine=lambda v: v.sum() / len(v)), "mean"),
        Mistake("mean of nothing", _no_region, "no region"),
        Mistake("the first region's class for all", _of_channel(lambda x, t, c: x[:, c[0]]), "own class"),
        Mistake("the last region's class for all", _of_channel(lambda x, t, c: x[:, c[-1]]), "own class"),
        Mistake(
            "every class for every region",
            lambda x, t, c: _entropy(x[:, c], t[:, None]).mean() if len(c) else 0.0,
            "own class",
        ),
        Mistake(
            "classes and regions crossed",
            lambda x, t, c: _entropy(x[:, c], t[None]).mean() if len(c) else 0.0,
            "own class",
        ),
        Mistake("channel 1 always", _of_channel(lambda x, t, c: x[:, 1]), "channel"),
        Mistake("last channel always", _of_channel(lambda x, t, c: x[:, -1]), "channel"),
        Mistake(
            "all channels against the target",
            lambda x, t, c: _entropy(x, t[:, None]).mean() if len(c) else 0.0,
            "other channels",
        ),
        Mistake("sum of the channels", _of_channel(lambda x, t, c: x.sum(axis=1)), "other channels"),
        Mistake("divided by the channels, too", lambda x, t, c: mask_loss(x, t, c) / x.shape[1], "mean"),
        Mistake("softmax, its own channel", _softmax_of_channel, "softmax"),
        Mistake("softmax, object pixels", _softmax_of_object, "softmax"),
        Mistake("base 2", lambda x, t, c: mask_loss(x, t, c) / np.log(2), "formula"),
        Mistake("t for x t", _of_channel(_right_channel, lambda x, t: np.logaddexp(0, x) - t), "formula"),
        Mistake("other pixels only", _of_channel(_right_channel, lambda x, t: (1 - t) * np.logaddexp(0, x)), "formula"),
        Mistake("sigmoid twice", _of_channel(_right_channel, lambda x, t: _entropy(_sigmoid(x), t)), "formula"),
        Mistake("absolute error", _of_channel(_right_channel, lambda x, t: np.abs(_sigmoid(x) - t)), "formula"),
        Mistake(
            "logits for probabilities",
            _of_channel(_right_channel, lambda x, t: -t * np.log(x) - (1 - t) * np.log(1 - x)),
            "formula",
        ),
        Mistake("no sigmoid, mean of x", _of_channel(_right_channel, lambda x, t: np.maximum(x, 0) - x * t), "formula"),
        Mistake("negative", lambda x, t, c: -mask_loss(x, t, c), "sign"),
        Mistake("limited to 100", _limited(100.0), "overflow"),
        Mistake(
            "logits limited to 50", _of_channel(_right_channel, lambda x, t: _entropy(x.clip(-50, 50), t)), "overflow"
        ),
        Mistake(
            "logits limited to 20", _of_channel(_right_channel, lambda x, t: _entropy(x.clip(-20, 20), t)), "overflow"
        ),
        Mistake("exp overflows", _of_channel(_right_channel, lambda x, t: np.log(1 + np.exp(x)) - x * t), "overflow"),
        Mistake(
            "exp(-x) overflows",
            _of_channel(_right_channel, lambda x, t: np.log(1 + np.exp(-x)) + x * (1 - t)),
            "overflow",
        ),
        Mistake("epsilon of 1e-12", lambda x, t, c: _with_epsilon(x, t, c, 1e-12), "overflow"),
        Mistake("epsilon of 1e-8", lambda x, t, c: _with_epsilon(x, t, c, 1e-8), "overflow"),
        Mistake("epsilon of 1e-6", lambda x, t, c: _with_epsilon(x, t, c, 1e-6), "overflow"),
        Mistake("NaN is 0", lambda x, t, c: np.nan_to_num(_naive(x, t, c), posinf=0), "overflow"),
        Mistake("divided by the pixels of a region", lambda x, t, c: mask_loss(x, t, c) * len(c), "mean"),
        Mistake("divided by R M", lambda x, t, c: mask_loss(x, t, c) * x.shape[-1], "mean"),
        Mistake("divided by the object pixels", lambda x, t, c: mask_loss(x, t, c) * t.size / max(t.sum(), 1), "mean"),
        Mistake(
            "one number per region",
            lambda x, t, c: _entropy(_right_channel(x, t, c), t).mean(axis=(1, 2)) if len(c) else 0.0,
            "mean",
        ),
        Mistake(
            "one number per pixel", lambda x, t, c: _entropy(_right_channel(x, t, c), t) if len(c) else 0.0, "mean"
        ),
        Mistake("the last region only", lambda x, t, c: mask_loss(x[-1:], t[-1:], c[-1:]), "mean"),
        Mistake("the first region only", lambda x, t, c: mask_loss(x[:1], t[:1], c[:1]), "mean"),
        Mistake("two decimals", lambda x, t, c: round(mask_loss(x, t, c), 2), "rounded"),
        Mistake("no region is 1", lambda x, t, c: mask_loss(x, t, c) if len(c) else 1.0, "no region"),
        Mistake("no region is an error", lambda x, t, c: mask_loss(x, t, c) if len(c) else 1 / len(c), "no region"),
        Mistake("hinge", _of_channel(_right_channel, lambda x, t: np.maximum(0, 1 - x * (2 * t - 1))), "formula"),
        Mistake(
            "Dice",
            _of_channel(_right_channel, lambda x, t: 1 - 2 * (_sigmoid(x) * t).sum() / (_sigmoid(x).sum() + t.sum())),
            "formula",
        ),
        Mistake("object and background alike", _of_channel(_right_channel, _balanced), "mean"),
    ),
    alternatives=(_with_torch, _with_loops, _with_logaddexp),
    points=3,
    minutes=15,
    difficulty=2,
)
