"""Networks against torchvision's own, with the same weights: a forward pass, and a training step with SGD.

Run: ``python benchmarks/networks.py``. The pictures are noise of 3 x 224 x 224; answers are checked to be equal first.
"""

from __future__ import annotations

from timing import compare  # isort: skip (limits the threads before torch is loaded)

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision.models import segmentation

from segtutor import models

PICTURES, CLASSES, SIZE = 2, 21, 224


def pair(name: str, theirs: Callable[..., nn.Module]) -> tuple[nn.Module, nn.Module]:
    """Our network and torchvision's of that name, both with torchvision's weights of seed 0."""
    torch.manual_seed(0)
    peer = theirs(weights=None, weights_backbone=None, num_classes=CLASSES)
    ours = models.create(name, num_classes=CLASSES)
    ours.load_state_dict(peer.state_dict())
    return ours, peer


def logits(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """B x 21 x 224 x 224 of either."""
    result = network(images)
    return result["out"] if isinstance(result, dict) else result


def training_step(network: nn.Module, images: torch.Tensor, target: torch.Tensor) -> Callable[[], None]:
    """Forward, loss, backward, update."""
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)

    def run() -> None:
        optimizer.zero_grad()
        cross_entropy(logits(network, images), target).backward()
        optimizer.step()

    return run


def main() -> None:
    """Checks that the answers are the same, and prints the tables."""
    images = torch.randn(PICTURES, 3, SIZE, SIZE)
    target = torch.randint(CLASSES, (PICTURES, SIZE, SIZE))
    for name in ("fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large"):
        ours, peer = (network.eval() for network in pair(name, getattr(segmentation, name)))
        with torch.inference_mode():
            torch.testing.assert_close(logits(ours, images), logits(peer, images), rtol=1e-4, atol=1e-4)
            forward = {
                "segtutor": partial(logits, ours, images),
                "torchvision": partial(logits, peer, images),
            }
            shape = f"{PICTURES} pictures of {SIZE} x {SIZE}"
            compare(f"{name}, forward, {shape}", forward, ["torchvision"], 7, ("torch", "torchvision"))
        steps = {
            "segtutor": training_step(ours.train(), images, target),
            "torchvision": training_step(peer.train(), images, target),
        }
        compare(f"{name}, training step, {shape}", steps, ["torchvision"], 7, ("torch", "torchvision"))


if __name__ == "__main__":
    main()
