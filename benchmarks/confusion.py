"""Confusion matrix of 100 label maps 512 x 1024, 19 classes, a tenth void.

Run: ``python benchmarks/confusion.py``. torchmetrics and scikit-learn need the ``test`` extra.
"""

from __future__ import annotations

from timing import compare  # isort: skip  # first, since it sets the number of threads

import numpy as np
import torch
from sklearn.metrics import confusion_matrix
from torchmetrics.classification import MulticlassConfusionMatrix, MulticlassJaccardIndex

from segtutor.metrics import ConfusionMatrix

CLASSES, IMAGES, HEIGHT, WIDTH, VOID = 19, 100, 512, 1024, 255
SLOW = 10  # maps for the peers that take long; their times are given for all of them


def label_maps(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Targets of 32 x 32 patches, predictions right in four pixels of five."""
    patches = random.integers(0, CLASSES, (IMAGES, HEIGHT // 32, WIDTH // 32)).astype(np.uint8)
    target = np.kron(patches, np.ones((1, 32, 32), dtype=np.uint8))
    wrong = random.random(target.shape, dtype=np.float32) > 0.8
    prediction = np.where(wrong, random.integers(0, CLASSES, target.shape, dtype=np.uint8), target)
    target[random.random(target.shape, dtype=np.float32) < 0.1] = VOID
    return target, prediction


def ours(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    confusion = ConfusionMatrix(CLASSES)
    for target, prediction in zip(targets, predictions, strict=True):
        confusion.update(target, prediction)
    return confusion.matrix


def masked_bincount(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """What most people write."""
    matrix = np.zeros(CLASSES * CLASSES, dtype=np.int64)
    for target, prediction in zip(targets, predictions, strict=True):
        valid = target != VOID
        codes = CLASSES * target[valid].astype(np.int64) + prediction[valid]
        matrix += np.bincount(codes, minlength=CLASSES * CLASSES)
    return matrix.reshape(CLASSES, CLASSES)


def bare_bincount(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """The least that any histogram of pairs costs: no checks, void stays in, the codes fit the cache."""
    table = np.zeros(1 << 16, dtype=np.int64)
    for target, prediction in zip(targets, predictions, strict=True):
        rows, columns = target.ravel(), prediction.ravel()
        for start in range(0, rows.size, 1 << 17):
            codes = rows[start : start + (1 << 17)].astype(np.uint16)
            codes <<= 8
            codes |= columns[start : start + (1 << 17)]
            table += np.bincount(codes, minlength=1 << 16)
    return table.reshape(256, 256)[:CLASSES, :CLASSES]


def three_histograms(targets: np.ndarray, predictions: np.ndarray) -> torch.Tensor:
    """Mmsegmentation's way: torch.histc of the hits, of the target and of the prediction, summed in float32."""
    areas = torch.zeros(3, CLASSES)
    for target, prediction in zip(torch.from_numpy(targets), torch.from_numpy(predictions), strict=True):
        valid = target != VOID
        t, p = target[valid], prediction[valid]
        for row, values in zip(areas, (p[p == t], t, p), strict=True):
            row += torch.histc(values.float(), bins=CLASSES, min=0, max=CLASSES - 1)
    return areas


def by_torchmetrics(metric_type: type, targets: np.ndarray, predictions: np.ndarray) -> torch.Tensor:
    metric = metric_type(CLASSES, ignore_index=VOID)
    for target, prediction in zip(torch.from_numpy(targets), torch.from_numpy(predictions), strict=True):
        metric.update(prediction, target)
    return metric.compute()


def by_scikit_learn(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    matrix = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    for target, prediction in zip(targets, predictions, strict=True):
        valid = target != VOID
        matrix += confusion_matrix(target[valid], prediction[valid], labels=range(CLASSES))
    return matrix


def main() -> None:
    targets, predictions = label_maps(np.random.default_rng(0))
    matrix = ours(targets, predictions)
    assert (matrix == masked_bincount(targets, predictions)).all()
    assert (matrix == bare_bincount(targets, predictions)).all()
    some = targets[:SLOW], predictions[:SLOW]
    assert (ours(*some) == by_scikit_learn(*some)).all()
    assert (ours(*some) == by_torchmetrics(MulticlassConfusionMatrix, *some).numpy()).all()
    wide = targets[:SLOW].astype(np.int64), predictions[:SLOW].astype(np.int64)
    packages = ("numpy", "torch", "torchmetrics", "scikit-learn")
    compare(
        f"Confusion matrix of {IMAGES} maps {HEIGHT} x {WIDTH}, uint8",
        {
            "ours": lambda: ours(targets, predictions),
            "bare bincount of pair codes": lambda: bare_bincount(targets, predictions),
            "bincount with a mask": lambda: masked_bincount(targets, predictions),
        },
        ["bare bincount of pair codes", "bincount with a mask"],
        rounds=9,
        packages=packages,
    )
    compare(
        f"Confusion matrix of {SLOW} of these maps",
        {
            "ours": lambda: ours(*some),
            "ours, int64 maps": lambda: ours(*wide),
            "three histc (mmsegmentation's way)": lambda: three_histograms(*some),
            "torchmetrics MulticlassConfusionMatrix": lambda: by_torchmetrics(MulticlassConfusionMatrix, *some),
            "torchmetrics MulticlassJaccardIndex": lambda: by_torchmetrics(MulticlassJaccardIndex, *some),
            "scikit-learn confusion_matrix": lambda: by_scikit_learn(*some),
        },
        [
            "ours, int64 maps",
            "three histc (mmsegmentation's way)",
            "torchmetrics MulticlassConfusionMatrix",
            "torchmetrics MulticlassJaccardIndex",
            "scikit-learn confusion_matrix",
        ],
        packages=packages,
    )


if __name__ == "__main__":
    main()
