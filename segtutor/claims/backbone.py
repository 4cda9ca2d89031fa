"""The course's pretrained backbone: what ImageNet is to the papers' networks, in minutes and without a download.

A classifier on the small residual backbone learns to say which classes a drawn picture shows. It never sees a label
map: 24 answers, yes or no, stand for the whole picture. Its pictures are of another world (another seed) than those of
the experiments. What it has learned is the start of the runs that are called pretrained.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor import __version__, compute
from segtutor.bars import tqdm
from segtutor.datasets import Scenes
from segtutor.datasets.scenes.settings import CLASSES
from segtutor.files import replacing
from segtutor.models.backbones import TinyResNet
from segtutor.models.inputs import Preprocessing
from segtutor.training.precision import autocast

FILE = "tiny_backbone.pt"
WORLD_SEED = 1
SMALLEST_SHARE = 0.005
"""A class is in a picture if it fills this share of it."""


class Classifier(nn.Module):
    """Backbone, mean over all positions, one linear layer: one logit per class."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = TinyResNet(output_stride=16)
        self.classifier = nn.Linear(self.backbone.channels["out"], len(CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        """Images B x 3 x H x W to logits B x number of classes."""
        features: Tensor = self.backbone(images)["out"]  # B x C x h x w
        return self.classifier(features.mean(dim=(2, 3)))


def pictures_and_answers(split: str, count: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Pictures N x 3 x H x W uint8, and for each which of the classes it shows, N x 24 of 0 and 1."""
    scenes = Scenes(split, size=size, count=count, seed=WORLD_SEED)
    images = torch.empty((count, 3, *size), dtype=torch.uint8)
    answers = torch.empty((count, len(CLASSES)))
    for index in tqdm(range(count), desc=f"draw {split}", leave=False):
        image, labels = scenes[index]
        images[index] = image
        share = np.bincount(labels.numpy().ravel(), minlength=256)[list(CLASSES)] / labels.numel()
        answers[index] = torch.from_numpy(share >= SMALLEST_SHARE).float()
    return images, answers


def train(steps: int, count: int, size: tuple[int, int], seed: int, precision: str) -> tuple[Classifier, float]:
    """A trained classifier, and the share of its answers on unseen pictures that are right, the mean over classes.

    A class that is in few pictures is easily answered by "no", so the share is the mean of those of "yes" and "no".
    """
    images, answers = pictures_and_answers("train", count, size)
    torch.manual_seed(seed)
    model, prepare = Classifier(), Preprocessing()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in tqdm(range(steps), desc="train", unit="step"):
        chosen = torch.randint(count, (16,))
        batch = prepare.normalize(images[chosen])
        batch = batch.flip(-1) if torch.rand(()) < 0.5 else batch
        with autocast(batch.device, precision):
            logits = model(batch)
        loss = F.binary_cross_entropy_with_logits(logits.float(), answers[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval(), balanced_accuracy(model, *pictures_and_answers("val", 500, size))


@torch.no_grad()
def balanced_accuracy(model: Classifier, images: Tensor, answers: Tensor) -> float:
    """Mean of the share of right answers where the class is there and where it is not, over all classes."""
    prepare = Preprocessing()
    found = torch.cat([model(prepare.normalize(part)) > 0 for part in images.split(50)])
    there, right = answers > 0.5, found == (answers > 0.5)
    shares = [right[there[:, k] == asked, k].float().mean() for k in range(len(CLASSES)) for asked in (True, False)]
    return float(torch.stack(shares).nanmean())


def main() -> None:
    """Train the backbone and write it with its record."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--steps", type=int, default=2500, help="optimizer steps (default: %(default)s)")
    parser.add_argument("--count", type=int, default=6000, help="pictures to learn from (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--precision", choices=compute.PRECISIONS, default="auto", help="default: auto")
    parser.add_argument("--out", type=Path, default=Path(FILE), help="default: %(default)s")
    arguments = parser.parse_args()
    chosen = compute.choose_precision("cpu").name if arguments.precision == "auto" else arguments.precision
    with compute.threads(1):
        model, accuracy = train(arguments.steps, arguments.count, (96, 128), arguments.seed, chosen)
    notes: dict[str, Any] = {
        "command": f"python -m segtutor.claims.backbone --steps {arguments.steps} --count {arguments.count} "
        f"--seed {arguments.seed} --precision {chosen}",
        "data": f"Scenes, world {WORLD_SEED}: {arguments.count} pictures of 96 x 128, labels of whole pictures only",
        "balanced_accuracy": round(accuracy, 4),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"segtutor": __version__, "torch": str(torch.__version__), "python": platform.python_version()},
    }
    state = {key: value for key, value in model.state_dict().items() if key.startswith("backbone.")}
    with replacing(arguments.out) as temporary:
        torch.save({"model": state, "notes": notes}, temporary)
    with replacing(arguments.out.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    print(f"{accuracy:.4f} of the answers are right (mean over classes, yes and no); {arguments.out}")


if __name__ == "__main__":
    main()
