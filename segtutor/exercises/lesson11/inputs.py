"""Seeded networks, probabilities, counts and cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.later import nn, torch
from segtutor.exercises.seeds import seeded


def small_network(layers: list[dict[str, Any]]) -> Any:
    """A network in double precision from a list of layers.

    Args:
        layers: Each with its "kind" and its arrays; "training" says in which mode it is, False if it is not told. The
            batch norms have seen seven batches.
    """
    network = nn.Sequential()
    for layer in layers:
        network.append(_layer(layer))
    network.double().eval()
    for module, layer in zip(network, layers, strict=True):
        module.training = layer.get("training", False)
    return network


def _layer(layer: dict[str, Any]) -> Any:
    if layer["kind"] == "relu":
        return nn.ReLU()
    if layer["kind"] == "dropout":
        return nn.Dropout(0.5)
    weight, bias = (torch.tensor(layer[name]) for name in ("weight", "bias"))
    if layer["kind"] == "convolution":
        module = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2:])
    else:
        module = nn.BatchNorm2d(len(weight), momentum=layer["momentum"])
        module.running_mean = torch.tensor(layer["mean"])
        module.running_var = torch.tensor(layer["variance"])
        module.num_batches_tracked.fill_(7)
    module.weight.data, module.bias.data = weight, bias
    return module


def answers(
    seed: int, classes: int, size: tuple[int, int], strength: float = 2.0, void: int = 255
) -> tuple[np.ndarray, np.ndarray]:
    """Logits K x H x W that are `strength` times too sure, and labels H x W drawn from what they should say."""
    generator = seeded(seed)
    honest = np.round(generator.normal(0, 1.5, (classes, *size)), 2)
    chances = softmax(honest).reshape(classes, -1).T
    labels = np.array([generator.choice(classes, p=row) for row in chances]).reshape(size)
    labels[generator.random(size) < 0.15] = void
    labels[0, 0] = 0
    return strength * honest, labels


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the first axis."""
    powers = np.exp(logits - logits.max(axis=0))
    result: np.ndarray = powers / powers.sum(axis=0)
    return result


def two_networks(seed: int, pictures: int, classes: int, draws: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confusion matrices N x K x K of two networks on the same pictures, and draws x N numbers of pictures.

    A picture shows some of the classes only, and few pictures are much larger than others.
    """
    generator = seeded(seed)
    found: list[list[np.ndarray]] = [[], []]
    for _ in range(pictures):
        pixels = generator.integers(5, 60) * (generator.random(classes) < 0.7)
        pixels[generator.integers(classes)] += 20
        hard = generator.uniform(0, 0.3)
        for rows, good in zip(found, (0.75, 0.65), strict=True):
            matrix = np.zeros((classes, classes), dtype=np.int64)
            for true, count in enumerate(pixels):
                shares = np.full(classes, (1 - good + hard) / classes)
                shares[true] += good - hard
                matrix[true] = generator.multinomial(count, shares)
            rows.append(matrix)
    return np.array(found[0]), np.array(found[1]), generator.integers(0, pictures, (draws, pictures))


def cells(seed: int, count: int, size: tuple[int, int]) -> np.ndarray:
    """A map of rectangles with the numbers 1 to `count`, some of them cut by others; at least two are left."""
    generator = seeded(seed)
    while True:
        numbers = np.zeros(size, dtype=np.int64)
        for number in generator.permutation(count) + 1:
            top, left = (int(generator.integers(0, side - 2)) for side in size)
            high, wide = generator.integers(2, 6, 2)
            numbers[top : top + high, left : left + wide] = number
        if len(np.unique(numbers[numbers > 0])) >= 2:
            return numbers
