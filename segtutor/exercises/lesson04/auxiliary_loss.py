"""Exercise 4.9: the loss of a network with an auxiliary head."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.later import F, torch

STUB = '''
def total_loss(logits, labels, training, weight):
    """Cross entropy of logits["out"], plus in training `weight` times that of logits["aux"], if there is one."""
    raise NotImplementedError("Write total_loss() here, then run this cell again.")
'''


def total_loss(logits: dict[str, Any], labels: Any, training: bool, weight: float) -> Any:
    """Cross entropy of logits["out"], plus in training `weight` times that of logits["aux"], if there is one."""
    labels = torch.as_tensor(labels)
    loss = F.cross_entropy(torch.as_tensor(logits["out"]), labels, ignore_index=255)
    if training and "aux" in logits:
        loss = loss + weight * F.cross_entropy(torch.as_tensor(logits["aux"]), labels, ignore_index=255)
    return loss


def _log_softmax(values):  # type: ignore[no-untyped-def]
    shifted = values - values.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _pixel_losses(values, labels):  # type: ignore[no-untyped-def]
    """B x H x W losses; those of void pixels mean nothing."""
    safe = np.where(labels == 255, 0, labels)
    return -np.take_along_axis(_log_softmax(np.asarray(values)), safe[:, None], axis=1)[:, 0]


def _with_numpy(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    valid = labels != 255
    loss = _pixel_losses(logits["out"], labels)[valid].mean()
    if training and "aux" in logits:
        loss += weight * _pixel_losses(logits["aux"], labels)[valid].mean()
    return loss


def _with_a_loop(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    import torch

    factors = {"out": 1.0, "aux": weight if training else 0.0}
    criterion = torch.nn.CrossEntropyLoss(ignore_index=255)
    return sum(factors[name] * criterion(torch.tensor(one), torch.tensor(labels)) for name, one in logits.items())


def _on_valid_pixels(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    import torch

    labels = torch.as_tensor(labels)
    valid = labels != 255

    def loss_of(name):  # type: ignore[no-untyped-def]
        scores = torch.as_tensor(logits[name]).permute(0, 2, 3, 1)[valid]
        return (torch.logsumexp(scores, dim=1) - scores[torch.arange(len(scores)), labels[valid]]).mean()

    if not training or "aux" not in logits:
        return float(loss_of("out"))
    return float(loss_of("out") + weight * loss_of("aux"))


def _loss(  # type: ignore[no-untyped-def]
    logits, labels, training, weight, main=1.0, when=lambda training: training, of=None
):
    """The total with the switches of the mistakes; as it stands, the right one."""
    valid = labels != 255
    of = of or (lambda values: _pixel_losses(values, labels)[valid].mean())
    loss = main * of(logits["out"])
    return loss + weight * of(logits["aux"]) if when(training) and "aux" in logits else loss


def _aux_without_asking(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    auxiliary = logits["aux"]  # an error where the network has no such head
    return _loss({"out": logits["out"], "aux": auxiliary}, labels, training, weight)


def _divided_by_all_pixels(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    valid = labels != 255
    return _loss(logits, labels, training, weight, of=lambda v: (_pixel_losses(v, labels) * valid).mean())


def _void_as_class_0(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    return _loss(logits, labels, training, weight, of=lambda v: _pixel_losses(v, labels).mean())


def _summed(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    valid = labels != 255
    return _loss(logits, labels, training, weight, of=lambda v: _pixel_losses(v, labels)[valid].sum())


def _softmax_twice(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    valid = labels != 255
    return _loss(
        logits, labels, training, weight, of=lambda v: _pixel_losses(np.exp(_log_softmax(v)), labels)[valid].mean()
    )


def _logits_mixed(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    if not training or "aux" not in logits:
        return _loss(logits, labels, training, weight)
    return _loss({"out": logits["out"] + weight * logits["aux"]}, labels, training, weight)


def _convex(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    main = 1 - weight if training and "aux" in logits else 1
    return _loss(logits, labels, training, weight, main=main)


def _mean_of_two(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    both = training and "aux" in logits
    return _loss(logits, labels, training, weight) / (1 + weight if both else 1)


_LABELS = np.array([[[0, 1], [2, 3]]])
_VOID = np.array([[[0, 255], [255, 255]]])
_EVEN = np.zeros((1, 4, 2, 2))
_SURE = np.zeros((1, 4, 2, 2))
_SURE[0, 0, 0, 0] = np.log(5.0)  # probability 5 / 8 for class 0 at the first pixel
_LN4 = float(np.log(4.0))


def _random(seed: int, aux: bool = True) -> tuple[dict[str, np.ndarray], np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, (2, 4, 5))
    labels[generator.random(labels.shape) < 0.2] = 255
    return {name: generator.normal(size=(2, 3, 4, 5)) for name in (("out", "aux") if aux else ("out",))}, labels


EXERCISE = Exercise(
    id="4.9",
    title="The auxiliary loss",
    name="total_loss",
    statement="""
PSPNet has a second, small head in the middle of the backbone. In training its loss counts too, with weight 0.4; it
brings a gradient to the early layers by a shorter way. When the network is used, the head is not asked.

Write `total_loss(logits, labels, training, weight)`. `logits` is a dictionary as the networks of the course return it:
`"out"` holds B x K x H x W, and `"aux"`, **if it is there**, the same for the auxiliary head. `labels` is B x H x W
with 255 for void. Each loss is the cross entropy, the mean over the pixels that are not void;

$$L = L_\\mathrm{out} + \\mathrm{weight} \\cdot L_\\mathrm{aux} \\quad \\text{in training,} \\qquad
L = L_\\mathrm{out} \\quad \\text{else.}$$

The logits come as arrays; `torch.as_tensor` makes them tensors for `F.cross_entropy`. Stay in PyTorch here: in the cell
below your loss is differentiated.
""",
    stub=STUB,
    reference=total_loss,
    cases=(
        Case("no idea, four classes: ln 4", ({"out": _EVEN}, _LABELS, True, 0.4), _LN4),
        Case("the same with an auxiliary head", ({"out": _EVEN, "aux": _EVEN}, _LABELS, True, 0.4), 1.4 * _LN4),
        Case("the same after training", ({"out": _EVEN, "aux": _EVEN}, _LABELS, False, 0.4), _LN4, "training"),
        Case("weight 0.5", ({"out": _EVEN, "aux": _EVEN}, _LABELS, True, 0.5), 1.5 * _LN4, "weight"),
        Case(
            "three of four pixels void",
            ({"out": _SURE, "aux": _EVEN}, _VOID, True, 0.4),
            float(np.log(8 / 5)) + 0.4 * _LN4,
            "void",
        ),
        Case("random, in training", (*_random(0), True, 0.4)),
        Case("random, weight 0.2", (*_random(1), True, 0.2)),
        Case("random, not in training", (*_random(2), False, 0.4)),
        Case("random, no auxiliary head", (*_random(3, aux=False), False, 0.4), hint="missing"),
    ),
    hints={
        "general": Hint(
            "Compute the main loss; add the weighted auxiliary loss only if both conditions hold: training, and there "
            "is such a head.",
            'if training and "aux" in logits: loss = loss + weight * F.cross_entropy(aux, labels, ignore_index=255).',
        ),
        "training": Hint(
            "The auxiliary loss counts in training, and only there.", 'if training and "aux" in logits: ...'
        ),
        "missing": Hint(
            'A network built without the head has no "aux", in training either.', 'Ask "aux" in logits first.'
        ),
        "weight": Hint(
            "The main loss counts fully, and the auxiliary loss `weight` times, whatever the weight is.",
            "loss_out + weight * loss_aux: no fixed 0.4, and nothing taken from the main loss.",
        ),
        "void": Hint(
            "Void pixels (255) count neither in the sum nor in the number by which it is divided.",
            "F.cross_entropy(..., ignore_index=255) does both.",
        ),
        "mean": Hint("Each loss is a mean over pixels, not a sum.", 'reduction="mean", which is the default.'),
        "logits": Hint(
            "Two losses are added, each of its own logits. Do not mix the logits, and do not apply softmax before.",
            "F.cross_entropy takes logits; softmax is part of it.",
        ),
    },
    mistakes=(
        Mistake("always added", lambda lo, la, t, w: _loss(lo, la, t, w, when=lambda t: True), "training"),
        Mistake("never added", lambda lo, la, t, w: _loss(lo, la, t, w, when=lambda t: False), "training"),
        Mistake("only after training", lambda lo, la, t, w: _loss(lo, la, t, w, when=lambda t: not t), "training"),
        Mistake("head taken for granted", _aux_without_asking, "missing"),
        Mistake("weight 1", lambda lo, la, t, w: _loss(lo, la, t, 1.0), "weight"),
        Mistake("weight fixed at 0.4", lambda lo, la, t, w: _loss(lo, la, t, 0.4), "weight"),
        Mistake("1 - weight for the main loss", _convex, "weight"),
        Mistake("weighted mean", _mean_of_two, "weight"),
        Mistake("divided by all pixels", _divided_by_all_pixels, "void"),
        Mistake("void as class 0", _void_as_class_0, "void"),
        Mistake("sums", _summed, "mean"),
        Mistake("softmax twice", _softmax_twice, "logits"),
        Mistake("logits mixed", _logits_mixed, "logits"),
    ),
    alternatives=(_with_numpy, _with_a_loop, _on_valid_pixels),
    points=3,
    minutes=12,
    difficulty=2,
)
