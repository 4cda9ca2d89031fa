"""Answers to 8.5: linear layers that were trained in other ways, with and without a mistake."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.exercises.blind import Wrong

CLASSES, VOID = 33, 255


def places(features, labels):
    """A row of channels for every place, and the label in its middle; void stays in."""
    step = labels.shape[-1] // features.shape[-1]
    return features.movedim(1, -1).flatten(0, 2), labels[:, step // 2 :: step, step // 2 :: step].flatten().long()


def descended(features, labels, *, normalize=True, ignore=True, steps=60, rate=0.05, undo=True, decay=1e-4, seed=0):
    """Adam on all places at once; the norm is undone in weight and bias at the end."""
    rows, targets = places(features, labels)
    mean, deviation = (rows.mean(0), rows.std(0) + 1e-6) if normalize else (torch.zeros(128), torch.ones(128))
    rows = (rows - mean) / deviation
    if ignore:
        rows, targets = rows[targets != VOID], targets[targets != VOID]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = nn.Linear(128, CLASSES)
    optimizer = torch.optim.Adam(layer.parameters(), rate, weight_decay=decay)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(layer(rows), targets).backward()
        optimizer.step()
    weight, bias = layer.weight.detach(), layer.bias.detach()
    if not undo:
        return weight, bias
    weight = weight / deviation
    return weight, bias - weight @ mean


def three(probe, **change):
    """One way of training for all three; ``change`` replaces some."""

    def answer(features, labels, scaled):
        given = {
            "four scenes": (features[:4], labels[:4]),
            "sixteen scenes": (features, labels),
            "sixteen scenes, scaled": (scaled, labels),
        }
        made = {name: probe(*one) for name, one in given.items() if name not in change}
        return {name: made[name] if name in made else change[name](made, *given[name]) for name in given}

    return answer


def probed(**options):
    return lambda features, labels: descended(features, labels, **options)


def turned(features, labels):
    weight, bias = descended(features, labels)
    return weight.T.contiguous(), bias


def bias_first(features, labels):
    return descended(features, labels)[::-1]


def a_layer_itself(features, labels):
    layer = nn.Conv2d(128, CLASSES, 1)
    weight, layer.bias.data = descended(features, labels)
    layer.weight.data = weight[:, :, None, None]
    return layer.weight, layer.bias


def with_a_column_for_the_bias(features, labels):
    weight, bias = descended(features, labels)
    return torch.cat([weight, bias[:, None]], dim=1), bias


def twenty_one_classes(features, labels):
    weight, bias = descended(features, labels)
    return weight[:21], bias[:21]


def moved_labels(features, labels):
    """Rows and columns of the label maps exchanged: a reshape in the place of a transposition."""
    return descended(features, labels.transpose(1, 2).reshape(labels.shape))


def channels_as_places(features, labels):
    return descended(features.reshape(len(features), 12, 16, 128).movedim(-1, 1), labels)


def pictures_in_another_order(features, labels):
    return descended(features, labels.flip(0))


def the_same_for_four(made, features, labels):
    """Learned from four scenes, and so is the one that should have learned from sixteen."""
    return made["four scenes"]


def bias_not_corrected(features, labels):
    rows, _ = places(features, labels)
    weight, bias = descended(features, labels, undo=False)
    return weight / (rows.std(0) + 1e-6), bias


def divided_by_the_variance(features, labels):
    rows, _ = places(features, labels)
    weight, bias = descended(features, labels, undo=False)
    weight = weight / rows.var(0)
    return weight, bias - weight @ rows.mean(0)


def multiplied_by_the_deviation(features, labels):
    rows, _ = places(features, labels)
    weight, bias = descended(features, labels, undo=False)
    weight = weight * rows.std(0)
    return weight, bias - weight @ rows.mean(0)


def downhill_without_a_norm(features, labels):
    """Plain gradient descent on the channels as they are: what is large decides everything."""
    rows, targets = places(features, labels)
    rows, targets = rows[targets != VOID], targets[targets != VOID]
    weight, bias = torch.zeros(CLASSES, 128, requires_grad=True), torch.zeros(CLASSES, requires_grad=True)
    optimizer = torch.optim.SGD([weight, bias], 0.1)
    for _ in range(50):
        optimizer.zero_grad()
        F.cross_entropy(rows @ weight.T + bias, targets).backward()
        optimizer.step()
    return weight.detach(), bias.detach()


def layer_for_the_plain_features(made, features, labels):
    return made["sixteen scenes"]


SIXTEEN_FROM_FOUR = {"sixteen scenes": the_same_for_four, "sixteen scenes, scaled": lambda _, f, t: descended(f, t)}

W85 = [
    Wrong("weight turned", three(turned), (), "sizes"),
    Wrong("bias first", three(bias_first), (), "sizes"),
    Wrong("parameters of a 1 x 1 convolution", three(a_layer_itself), (), "sizes"),
    Wrong("the bias as a column", three(with_a_column_for_the_bias), (), "sizes"),
    Wrong("the classes of VOC", three(twenty_one_classes), (), "sizes"),
    Wrong("three steps", three(probed(steps=3, rate=1e-3)), (), "training"),
    Wrong("a decay that leaves nothing", three(probed(decay=50.0)), (), "training"),
    Wrong("label maps turned", three(moved_labels), (), "training"),
    Wrong("channels taken for places", three(channels_as_places), (), "training"),
    Wrong("pictures in another order", three(pictures_in_another_order), (), "training"),
    Wrong("sixteen from four", three(probed(), **SIXTEEN_FROM_FOUR), (), "training"),
    Wrong("norm not undone", three(probed(undo=False)), (), "folded"),
    Wrong("bias not corrected", three(bias_not_corrected), (), "folded"),
    Wrong("divided by the variance", three(divided_by_the_variance), (), "folded"),
    Wrong("multiplied by the deviation", three(multiplied_by_the_deviation), (), "folded"),
    Wrong("downhill without a norm", three(downhill_without_a_norm), (), "scaled"),
    Wrong("the plain layer for scaled features",
          three(probed(), **{"sixteen scenes, scaled": layer_for_the_plain_features}), (), "scaled"),
]  # fmt: skip


def with_ridge_regression(features, labels):
    rows, targets = (one.numpy() for one in places(features, labels))
    rows, targets = rows[targets != VOID].astype(np.float64), targets[targets != VOID]
    mean, deviation = rows.mean(0), rows.std(0) + 1e-9
    rows = np.hstack([(rows - mean) / deviation, np.ones((len(rows), 1))])
    weight = np.linalg.solve(rows.T @ rows + 3 * np.eye(129), rows.T @ np.eye(CLASSES)[targets]).T
    folded = weight[:, :-1] / deviation
    return folded.tolist(), (weight[:, -1] - folded @ mean).tolist()


def with_a_learned_norm(features, labels):
    """Batch norm with factors of its own before a convolution, both trained on enlarged logits, folded at the end."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        norm, layer = nn.BatchNorm2d(128), nn.Conv2d(128, CLASSES, 1)
        optimizer = torch.optim.SGD([*norm.parameters(), *layer.parameters()], lr=1.0, momentum=0.9, nesterov=True)
        for step in range(60):
            optimizer.param_groups[0]["lr"] = 0.8 * (1 - step / 60) ** 0.9
            chosen = torch.randint(len(features), (4,))
            logits = F.interpolate(layer(norm(features[chosen])), scale_factor=4, mode="bilinear")
            targets = labels[chosen][:, ::2, ::2].long()
            optimizer.zero_grad()
            F.cross_entropy(logits, targets, ignore_index=VOID).backward()
            optimizer.step()
    rows, _ = places(features, labels)
    factor = norm.weight / (rows.std(0) + 1e-5)
    weight = layer.weight[:, :, 0, 0] * factor
    return weight, layer.bias + layer.weight[:, :, 0, 0] @ norm.bias - weight @ rows.mean(0)


def with_batches_of_places(features, labels):
    """Two hundred steps with 512 places each."""
    rows, targets = places(features, labels)
    mean, deviation = rows.mean(0), rows.std(0).clamp_min(1e-6)
    generator = torch.Generator().manual_seed(3)
    weight, bias = torch.zeros(CLASSES, 128, requires_grad=True), torch.zeros(CLASSES, requires_grad=True)
    optimizer = torch.optim.AdamW([weight, bias], 0.02)
    for _ in range(200):
        chosen = torch.randint(len(rows), (512,), generator=generator)
        loss = F.cross_entropy((rows[chosen] - mean) / deviation @ weight.T + bias, targets[chosen], ignore_index=VOID)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weight / deviation, bias - (weight / deviation) @ mean


R85 = [
    ("Adam on all places", three(probed())),
    ("ridge regression, lists", three(with_ridge_regression)),
    ("a norm that learns", three(with_a_learned_norm)),
    ("batches of places", three(with_batches_of_places)),
]

WRONG = {"8.5": W85}
RIGHT = {"8.5": R85}
NAMES: dict[str, dict[str, tuple[str, ...]]] = {"8.5": {}}
