"""Exercise 4.9: the loss of a network with an auxiliary head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from segtutor.exercises.comparison import plain
from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.auxiliary_loss_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

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


def with_gradients(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What the cases compare: the loss; for logits in single precision, as networks have them, with its gradients.

    Those logits are handed over as tensors that need a gradient, a copy each time.
    """
    logits, labels, training, weight = arguments
    if any(np.asarray(one).dtype != np.float32 for one in logits.values()):
        return answer(*arguments)
    tensors = {name: torch.tensor(one, requires_grad=True) for name, one in logits.items()}
    loss = answer(dict(tensors), labels, training, weight)
    if loss is None or loss is Ellipsis:
        return loss
    found = [None] * len(tensors)
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        found = torch.autograd.grad(loss.sum(), list(tensors.values()), allow_unused=True)
    gradients = {
        f"gradient of {name}": torch.zeros_like(one) if gradient is None else gradient
        for (name, one), gradient in zip(tensors.items(), found, strict=True)
    }
    return {"loss": plain(loss)} | gradients


def _with_modules(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    import torch

    factors = {"out": 1.0, "aux": weight if training else 0.0}
    criterion = torch.nn.CrossEntropyLoss(ignore_index=255)
    labels = torch.as_tensor(labels)
    return sum(factors[name] * criterion(torch.as_tensor(one), labels) for name, one in logits.items())


def _with_one_hot(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    import torch

    labels = torch.as_tensor(labels)
    valid = labels != 255

    def loss_of(scores):  # type: ignore[no-untyped-def]
        wanted = torch.arange(scores.shape[1])[:, None, None] == labels[:, None]
        return -(scores.log_softmax(dim=1) * wanted).sum() / valid.sum()

    losses = {name: loss_of(torch.as_tensor(one)) for name, one in logits.items()}
    return losses["out"] + (weight * losses["aux"] if training and "aux" in losses else 0)


def _on_valid_pixels(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    import torch

    labels = torch.as_tensor(labels)
    valid = labels != 255

    def loss_of(name):  # type: ignore[no-untyped-def]
        scores = torch.as_tensor(logits[name]).permute(0, 2, 3, 1)[valid]
        return (torch.logsumexp(scores, dim=1) - scores[torch.arange(len(scores)), labels[valid]]).mean()

    if not training or "aux" not in logits:
        return loss_of("out")
    return loss_of("out") + weight * loss_of("aux")


_LABELS = np.array([[[0, 1], [2, 3]]])
_VOID = np.array([[[0, 255], [255, 255]]])
_EVEN = np.zeros((1, 4, 2, 2))
_SURE = np.zeros((1, 4, 2, 2))
_SURE[0, 0, 0, 0] = np.log(5.0)  # probability 5 / 8 for class 0 at the first pixel
_LN4 = float(np.log(4.0))


def _random(seed: int, aux: bool = True, precision: type = np.float64) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Logits and labels of two pictures, the first with more void than the second; a class only predicted."""
    generator = seeded(seed)
    labels = generator.integers(0, 3, (2, 4, 5))
    labels[generator.random(labels.shape) < np.array([0.4, 0.1])[:, None, None]] = 255
    names = ("out", "aux") if aux else ("out",)
    return {name: generator.normal(0, 2, (2, 4, 4, 5)).astype(precision) for name in names}, labels


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

The logits come as arrays or, as in the cell below, as tensors of a network; `torch.as_tensor` takes both and makes
tensors for `F.cross_entropy`. Stay in PyTorch and return a tensor: your loss is differentiated, below and in the check.
""",
    stub=STUB,
    reference=total_loss,
    cases=(
        Case("no idea, four classes: ln 4", ({"out": _EVEN}, _LABELS, True, 0.4), _LN4),
        Case("the same with an auxiliary head", ({"out": _EVEN, "aux": _EVEN}, _LABELS, True, 0.4), 1.4 * _LN4),
        Case("the same after training", ({"out": _EVEN, "aux": _EVEN}, _LABELS, False, 0.4), _LN4),
        Case("weight 0.5", ({"out": _EVEN, "aux": _EVEN}, _LABELS, True, 0.5), 1.5 * _LN4),
        Case(
            "three of four pixels void",
            ({"out": _SURE, "aux": _EVEN}, _VOID, True, 0.4),
            float(np.log(8 / 5)) + 0.4 * _LN4,
        ),
        Case("random, in training", (*_random(0), True, 0.4)),
        Case("random, weight 0.2", (*_random(1), True, 0.2)),
        Case("random, not in training", (*_random(2), False, 0.4)),
        Case("random, no auxiliary head", (*_random(3, aux=False), False, 0.4)),
        Case("no auxiliary head, in training", (*_random(4, aux=False), True, 0.4), hint="missing"),
        Case("weight 0", (*_random(5), True, 0.0)),
        Case("weight 2.5", (*_random(6), True, 2.5)),
        Case("tensors from a network, in training", (*_random(7, precision=np.float32), True, 0.3), hint="gradient"),
        Case(
            "tensors from a network, not in training", (*_random(8, precision=np.float32), False, 0.4), hint="gradient"
        ),
    ),
    hints={
        "general": Hint(
            "Compute the main loss; add the weighted auxiliary loss only if both conditions hold: training, and there "
            "is such a head.",
            "The condition has two parts, and both must hold. F.cross_entropy can be told which label is void. Stay "
            "with tensors from the beginning to the end: a Python number has no gradient.",
        ),
        "training": Hint(
            "The auxiliary loss counts in training, and only there; the main loss always.",
            'if training and "aux" in logits: ...',
        ),
        "missing": Hint(
            'A network built without the head has no "aux", in training either.', 'Ask "aux" in logits first.'
        ),
        "weight": Hint(
            "The auxiliary loss counts `weight` times, whatever the weight is.",
            "loss_out + weight * loss_aux: no fixed 0.4.",
        ),
        "void": Hint(
            "Void pixels (255) count neither in the sum nor in the number by which it is divided, in both losses. All "
            "others count, of whatever class.",
            "F.cross_entropy(..., ignore_index=255) does both.",
        ),
        "mean": Hint(
            "Each loss is one mean over all pixels of the batch that are not void: no sum, no mean of means.",
            'reduction="mean", which is the default.',
        ),
        "gradient": Hint(
            "The loss must be a tensor that still hangs on the logits, through both losses. A float, NumPy, .item(), "
            "detach(), no_grad() or a new tensor cuts the thread, and nothing would be learned.",
            "torch.as_tensor(logits[...]), and return loss as it comes from F.cross_entropy.",
        ),
        "main": Hint(
            "The main loss counts fully, whatever the weight is, and nothing is divided afterwards.",
            "loss_out + weight * loss_aux.",
        ),
        "logits": Hint(
            "Two losses are added, each of its own logits. Do not mix the logits, and do not apply softmax before.",
            "F.cross_entropy takes logits; softmax is part of it.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_modules, _with_one_hot, _on_valid_pixels),
    points=3,
    minutes=15,
    difficulty=2,
    around=with_gradients,
)
