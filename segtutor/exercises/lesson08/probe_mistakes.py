# mypy: disable-error-code="no-untyped-def"
"""Typical wrong answers to exercise 8.5, a linear probe: least squares on normalized features, with one thing wrong."""

from __future__ import annotations

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import F, torch


def solved(features, labels, norm=True, ridge=10.0, order=None):
    """Weight and bias for normalized features, and the mean and deviation that made them so."""
    rows = features.permute(0, 2, 3, 1).flatten(0, 2)
    step = labels.shape[1] // features.shape[2]
    targets = labels[:, step // 2 :: step, step // 2 :: step].flatten().long()
    targets = targets if order is None else targets[order(len(targets))]
    rows, targets = rows[targets != 255], targets[targets != 255]
    mean, std = rows.mean(0), rows.std(0) + 1e-5
    if not norm:
        mean, std = torch.zeros_like(mean), torch.ones_like(std)
    rows = torch.cat([(rows - mean) / std, torch.ones(len(rows), 1)], dim=1)
    wanted = F.one_hot(targets, 33).float()
    made = torch.linalg.solve(rows.T @ rows + ridge * torch.eye(rows.shape[1]), rows.T @ wanted).T
    return made[:, :-1], made[:, -1], mean, std


def folded(weight, bias, mean, std):
    """The same layer for features as they are."""
    return weight / std, bias - weight / std @ mean


def _descended(features, labels, rate, steps):
    """By plain gradient descent, on the features as they are."""
    rows = features.permute(0, 2, 3, 1).flatten(0, 2)
    step = labels.shape[1] // features.shape[2]
    targets = labels[:, step // 2 :: step, step // 2 :: step].flatten().long()
    rows, targets = rows[targets != 255], targets[targets != 255]
    weight, bias = torch.zeros(33, rows.shape[1]), torch.zeros(33)
    for _ in range(steps):
        error = ((rows @ weight.T + bias).softmax(1) - F.one_hot(targets, 33)) / len(rows)
        weight, bias = weight - rate * error.T @ rows, bias - rate * error.sum(0)
    return weight, bias


def _each(probe):
    """All three answers by one way of making a layer."""
    return lambda features, labels, scaled: {
        "four scenes": probe(features[:4], labels[:4]),
        "sixteen scenes": probe(features, labels),
        "sixteen scenes, scaled": probe(scaled, labels),
    }


def _right(features, labels):
    return folded(*solved(features, labels))


def _transposed(features, labels):
    weight, bias = _right(features, labels)
    return weight.T, bias


def _as_convolution(features, labels):
    weight, bias = _right(features, labels)
    return weight[:, :, None, None], bias


def _with_void_as_a_class(features, labels):
    weight, bias = _right(features, labels)
    return F.pad(weight, (0, 0, 0, 1)), F.pad(bias, (0, 1))


def _weight_alone(features, labels):
    return _right(features, labels)[0]


def _random(features, labels):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(33, features.shape[1], generator=generator) / features.shape[1] ** 0.5, torch.zeros(33)


def _most_frequent(features, labels):
    counts = torch.bincount(labels[labels != 255].long(), minlength=33).float()
    return torch.zeros(33, features.shape[1]), counts / counts.sum()


def _in_another_order(count):
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))


def _not_folded(features, labels):
    return solved(features, labels)[:2]


def _weight_folded(features, labels):
    weight, bias, _, std = solved(features, labels)
    return weight / std, bias


def _one_layer_for_both(features, labels, scaled):
    made = _each(_right)(features, labels, scaled)
    return made | {"sixteen scenes, scaled": made["sixteen scenes"]}


MISTAKES = (
    Mistake("C x 33", _each(_transposed), "sizes"),
    Mistake("as a convolution has it", _each(_as_convolution), "sizes"),
    Mistake("a class for void", _each(_with_void_as_a_class), "sizes"),
    Mistake("the weight alone", _each(_weight_alone), "sizes"),
    Mistake("not trained", _each(_random), "training"),
    Mistake("the most frequent class", _each(_most_frequent), "training"),
    Mistake("labels in another order", _each(lambda f, t: folded(*solved(f, t, order=_in_another_order))), "training"),
    Mistake("one step", _each(lambda f, t: _descended(f, t, 1e-3, 1)), "training"),
    Mistake("regularized to nothing", _each(lambda f, t: folded(*solved(f, t, ridge=1e7))), "training"),
    Mistake("norm not folded", _each(_not_folded), "folded"),
    Mistake("mean not folded", _each(_weight_folded), "folded"),
    Mistake("descent without a norm", _each(lambda f, t: _descended(f, t, 0.1, 60)), "scaled"),
    Mistake("one layer for both", _one_layer_for_both, "scaled"),
)
