"""What a mistake in the loader does to training numbers: a network of five layers, trained without any safety net.

The loop is ordinary code on purpose. ``segtutor.training.fit`` would refuse some of these loaders: it says when a label
is neither a class nor void, and when an image was normalized before.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from segtutor import resources
from segtutor.exercises.loaders import EIGHT, FAULTS, VOID, File, Loader, scene_files
from segtutor.metrics import ConfusionMatrix
from segtutor.models.inputs import Preprocessing

STEPS, BATCH, CROP = 200, 8, (48, 64)
PICTURES, VAL_PICTURES = 200, 40
SEEDS = (0, 1, 2)
RESULTS = "broken_loaders.json"


@dataclass(frozen=True)
class Symptoms:
    """Numbers of one run; shares from 0 to 1.

    Attributes:
        loss: Mean training loss of the last 20 steps.
        reported: Mean IoU on the validation set as the loader gives it: what this pipeline would report.
        reported_again: The same network, the same validation set, once more.
        accuracy: Pixel accuracy in the first of the two.
        classes: Number of classes that its mean IoU is over.
        pixels: Share of the validation set's labeled pixels that were scored.
        true: Mean IoU of the same network on the validation set as the right loader gives it.
    """

    loss: float
    reported: float
    reported_again: float
    accuracy: float
    classes: float
    pixels: float
    true: float


def network(num_classes: int = len(EIGHT), width: int = 24) -> nn.Sequential:
    """Five convolutions that look at 31 x 31 pixels; the map is a quarter of the image, enlarged at the end."""

    def layer(inputs: int, outputs: int, stride: int, dilation: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    model = nn.Sequential(
        *layer(3, width, 2, 1),
        *layer(width, 2 * width, 2, 1),
        *layer(2 * width, 2 * width, 1, 1),
        *layer(2 * width, 2 * width, 1, 2),
        nn.Conv2d(2 * width, num_classes, 1),
    )
    setattr(model, "preprocessing", Preprocessing())  # noqa: B010
    return model


def train(loader: Loader, steps: int = STEPS, seed: int = 0) -> tuple[nn.Sequential, list[float]]:
    """A network trained on what the loader gives, and the loss of each step."""
    generator = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    losses = []
    for _ in range(steps):
        batch = [loader[int(index)] for index in generator.integers(len(loader), size=BATCH)]
        images = torch.from_numpy(np.stack([image for image, _ in batch]))
        labels = silenced(torch.from_numpy(np.stack([labels for _, labels in batch])))
        logits = F.interpolate(model(images), labels.shape[1:], mode="bilinear")
        valid = (labels != VOID).sum().clamp(min=1)
        loss = F.cross_entropy(logits, labels, ignore_index=VOID, reduction="sum") / valid
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return model, losses


def silenced(labels: torch.Tensor) -> torch.Tensor:
    """Labels that no class has become void: the usual way to silence the error "target out of bounds"."""
    return torch.where(labels < len(EIGHT), labels, VOID)


@torch.no_grad()
def score(model: nn.Module, loader: Loader) -> ConfusionMatrix:
    """Counts over all that the loader gives."""
    confusion = ConfusionMatrix(len(EIGHT), VOID)
    model.eval()
    for index in range(len(loader)):
        image, labels = loader[index]
        logits = F.interpolate(model(torch.from_numpy(image)[None]), labels.shape, mode="bilinear")
        confusion.update(silenced(torch.from_numpy(labels)), logits[0].argmax(0))
    return confusion


def symptoms(
    fault: str | None, files: Sequence[File], val_files: Sequence[File], seed: int = 0, steps: int = STEPS
) -> Symptoms:
    """Train with a loader that has a fault (None: none); score twice with it, and once with the right loader."""
    model, losses = train(Loader(files, train=True, fault=fault, crop=CROP, seed=seed), steps, seed)
    val = Loader(val_files, fault=fault, crop=CROP, seed=seed)
    first, again, right = score(model, val), score(model, val), score(model, Loader(val_files))
    iou = np.asarray(first.iou())
    return Symptoms(
        loss=float(np.mean(losses[-20:])),
        reported=first.mean_iou(),
        reported_again=again.mean_iou(),
        accuracy=first.pixel_accuracy(),
        classes=int(np.isfinite(iou).sum()),
        pixels=float(np.asarray(first.matrix).sum() / np.asarray(right.matrix).sum()),
        true=right.mean_iou(),
    )


def recorded() -> dict[str, dict[str, tuple[float, float]]]:
    """The table that comes with the course: fault ("right loader" for none) -> number -> mean and spread over seeds."""
    content = json.loads(resources.data("results", RESULTS).read_text(encoding="utf-8"))
    return {
        fault: {
            item.name: (
                float(np.mean([run[item.name] for run in runs])),
                float(np.ptp([run[item.name] for run in runs]) / 2),
            )
            for item in fields(Symptoms)
        }
        for fault, runs in content["runs"].items()
    }


def main() -> None:
    """Train eleven loaders with each seed and write the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--write", action="store_true", help=f"write data/results/{RESULTS}")
    arguments = parser.parse_args()
    files, val_files = scene_files("train", PICTURES), scene_files("val", VAL_PICTURES)
    runs: dict[str, list[dict[str, float]]] = {}
    for fault in (None, *FAULTS):
        found = [asdict(symptoms(fault, files, val_files, seed)) for seed in SEEDS]
        runs[fault or "right loader"] = [{key: round(value, 4) for key, value in run.items()} for run in found]
        print(fault or "right loader", runs[fault or "right loader"], flush=True)
    if arguments.write:
        record = {
            "command": "python -m segtutor.exercises.symptoms --write",
            "date": datetime.date.today().isoformat(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
            "settings": {"steps": STEPS, "batch": BATCH, "crop": CROP, "pictures": PICTURES, "val": VAL_PICTURES},
            "seeds": SEEDS,
            "runs": runs,
        }
        folder = Path(resources.folder("data"), "results")
        folder.mkdir(exist_ok=True)
        draft = folder / f"{RESULTS}.draft"
        draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        draft.replace(folder / RESULTS)


if __name__ == "__main__":
    main()
