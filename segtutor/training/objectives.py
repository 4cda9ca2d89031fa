"""The loss that a run is told to use: one of several, or a sum of them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from segtutor.training.config import loss_names
from segtutor.training.losses import cross_entropy, focal, ohem
from segtutor.training.region_losses import dice, lovasz_softmax

# Sums over pixels, which parts of a batch add up to exactly when all are divided by the whole batch's number of pixels.
SUMS: dict[str, Callable[..., Tensor]] = {"cross_entropy": cross_entropy, "focal": focal}
# Not of this kind: which pixels are hard, and how large a region is, depends on all the others.
WHOLES: dict[str, Callable[..., Tensor]] = {"ohem": ohem, "dice": dice, "lovasz": lovasz_softmax}


def objective(
    names: str,
    logits: Tensor,
    labels: Tensor,
    ignore_index: int,
    class_weights: Tensor | None,
    normalizer: Tensor,
    processes: int = 1,
) -> Tensor:
    """This process's part of a batch's loss; the sum over the processes is the loss of the batch.

    Cross entropy and focal loss come out as on one process. Of "ohem", "dice" and "lovasz", each process takes the loss
    of its own images, and the sum is the mean over the processes, which is another number: hard pixels are the hardest
    of each process, and a region is what one process sees of it. An image more per process makes it less so.

    Args:
        names: As ``TrainingConfig.loss``.
        logits: B x K x h x w of this process.
        labels: B x H x W of this process.
        ignore_index: Value that marks void.
        class_weights: K factors, or None.
        normalizer: ``valid_weight`` of the batch, over all processes.
        processes: Their number.

    Raises:
        ValueError: If a name is unknown, or the loss refuses logits or labels.
    """
    first, *others = [
        SUMS[name](logits, labels, ignore_index, class_weights, normalizer)
        if name in SUMS
        else WHOLES[name](logits, labels, ignore_index, class_weights) / processes
        for name in loss_names(names)
    ]
    return sum(others, start=first)
