"""Samples per second of the training augmentation against the steps of torchvision's segmentation reference preset.

Both scale by 0.5 to 2, mirror and cut a 480 x 480 crop with padding, from a VOC-sized photograph and its labels.
"""

from __future__ import annotations

from timing import compare  # isort: skip (limits the threads before torch is loaded)

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from segtutor.datasets.transforms import train_transforms

SAMPLES = 20


def reference_preset() -> v2.Compose:
    """RandomResize of the short side, flip, RandomCrop: torchvision's references/segmentation, tensor backend."""
    return v2.Compose(
        [
            v2.RandomResize(min_size=int(0.5 * 375), max_size=int(2.0 * 375), antialias=True),
            v2.RandomHorizontalFlip(0.5),
            v2.RandomCrop(480, pad_if_needed=True, fill={tv_tensors.Image: 124, tv_tensors.Mask: 255, "others": 0}),
        ]
    )


def main() -> None:
    """Prints the table."""
    generator = torch.Generator().manual_seed(0)
    image = tv_tensors.Image(torch.randint(0, 256, (3, 375, 500), generator=generator, dtype=torch.uint8))
    labels = tv_tensors.Mask(torch.randint(0, 21, (375, 500), generator=generator))

    def run(transform: v2.Compose) -> None:
        torch.manual_seed(1)
        for _ in range(SAMPLES):
            transform(image, labels)

    ours, theirs = train_transforms((480, 480)), reference_preset()
    compare(
        f"{SAMPLES} training samples, 375 x 500 to 480 x 480",
        {
            "segtutor train_transforms": lambda: run(ours),
            "torchvision reference preset": lambda: run(theirs),
        },
        peers=["torchvision reference preset"],
        rounds=7,
        packages=("torch", "torchvision"),
    )


if __name__ == "__main__":
    main()
