"""Updates of the small Mask R-CNN's weights: AdamW in one pass, as in training, against PyTorch's default.

The default goes over each of the 84 tensors several times; both give the same weights up to rounding.
"""

from __future__ import annotations

from timing import compare  # isort: skip (limits the threads before torch is loaded)

from collections.abc import Callable

import torch
from torch import nn

from segtutor import models
from segtutor.training import TrainingConfig
from segtutor.training.optimizers import build_optimizer

UPDATES = 10


def network() -> nn.Module:
    """With a gradient for each weight."""
    torch.manual_seed(0)
    model = models.create("maskrcnn_tiny", num_classes=33)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 1e-3)
    return model


def updates(optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    """Some steps of it."""

    def run() -> None:
        for _ in range(UPDATES):
            optimizer.step()

    return run


def main() -> None:
    """Checks that the weights are the same, and prints the table."""
    ours, default = network(), network()
    config = TrainingConfig(steps=1, learning_rate=1e-3, weight_decay=0.0)
    contenders = {
        "segtutor": updates(build_optimizer(ours, config)),
        "torch.optim.AdamW": updates(torch.optim.AdamW(default.parameters(), lr=1e-3, weight_decay=0.0)),
    }
    for run in contenders.values():
        run()
    for one, other in zip(ours.parameters(), default.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    count = len(list(ours.parameters()))
    title = f"{UPDATES} updates of {count} tensors"
    compare(title, contenders, peers=["torch.optim.AdamW"], rounds=9, packages=("torch",))


if __name__ == "__main__":
    main()
