# mypy: disable-error-code="no-untyped-def"
"""Exercise 8.5: a linear probe that must reach a score, trained on the frozen features of sixteen scenes.

The features come from the course's own small backbone, which has learned to name what scenes show. The learner trains
in the notebook; the check uses the layers that come out on scenes of the split *test*.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, nn, torch
from segtutor.exercises.lesson08.probe_mistakes import MISTAKES, folded, solved
from segtutor.exercises.lesson08.probe_questions import Reached, given

STUB = """
answers = {
    "four scenes": None,  # (weight 33 x 128, bias 33) of a layer that learned from features[:4] and labels[:4]
    "sixteen scenes": None,  # (weight, bias) of one that learned from all features
    "sixteen scenes, scaled": None,  # (weight, bias) of one that learned from scaled, and will be applied to such
}
"""
SOLUTION = '''
def linear_probe(features, labels):
    """Weight 33 x C and bias of a linear layer, from features N x C x h x w and label maps N x H x W."""
    norm = nn.BatchNorm2d(features.shape[1], affine=False)
    layer = nn.Conv2d(features.shape[1], 33, 1)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.02)
    for step in range(80):
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - step / 80)
        chosen = torch.randperm(len(features))[:4]
        logits = F.interpolate(layer(norm(features[chosen])), labels.shape[1:], mode="bilinear")
        loss = F.cross_entropy(logits, labels[chosen].long(), ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    flat = features.transpose(0, 1).flatten(1)  # C x places: the norm goes into the layer
    weight = layer.weight[:, :, 0, 0].detach() / (flat.std(dim=1) + 1e-5)[None]
    return weight, layer.bias.detach() - weight @ flat.mean(dim=1)


torch.manual_seed(0)
answers = {
    "four scenes": linear_probe(features[:4], labels[:4]),
    "sixteen scenes": linear_probe(features, labels),
    "sixteen scenes, scaled": linear_probe(scaled, labels),
}
'''
LEAST = {"four scenes": 0.06, "sixteen scenes": 0.22, "sixteen scenes, scaled": 0.22}


def _all_three(probe, features, labels, scaled):
    return {
        "four scenes": probe(features[:4], labels[:4]),
        "sixteen scenes": probe(features, labels),
        "sixteen scenes, scaled": probe(scaled, labels),
    }


def answers(features: Any, labels: Any, scaled: Any) -> dict[str, Any]:
    """Layers by least squares, each with what others must reach."""
    made = _all_three(lambda f, t: folded(*solved(f, t)), features, labels, scaled)
    return {name: Reached.by(layer, "scaled" in name, LEAST[name]) for name, layer in made.items()}


def _by_cross_entropy(features, labels, scaled):
    """The solution as the notebook has it."""
    scope = {"features": features, "labels": labels, "scaled": scaled}
    scope |= {"torch": torch, "nn": nn, "F": F}
    with torch.random.fork_rng(devices=[]):
        exec(SOLUTION, scope)
    return scope["answers"]


def _normalized_rows(features, labels):
    """Features as rows with the label in the middle of each place, void left out; mean and deviation."""
    rows = features.permute(0, 2, 3, 1).flatten(0, 2)
    step = labels.shape[1] // features.shape[2]
    targets = labels[:, step // 2 :: step, step // 2 :: step].flatten().long()
    rows, targets = rows[targets != 255], targets[targets != 255]
    mean, std = rows.mean(0), rows.std(0) + 1e-5
    return (rows - mean) / std, targets, mean, std


def _by_second_order(features, labels, scaled):
    def probe(features, labels):
        rows, targets, mean, std = _normalized_rows(features, labels)
        weight, bias = torch.zeros(33, rows.shape[1], requires_grad=True), torch.zeros(33, requires_grad=True)
        optimizer = torch.optim.LBFGS([weight, bias], max_iter=40)

        def loss():
            optimizer.zero_grad()
            found = F.cross_entropy(rows @ weight.T + bias, targets) + 1e-4 * weight.square().sum()
            found.backward()
            return found

        optimizer.step(loss)
        return folded(weight.detach(), bias.detach(), mean, std)

    return _all_three(probe, features, labels, scaled)


def _with_numpy(features, labels, scaled):
    def probe(features, labels):
        rows, targets, mean, std = (one.numpy() for one in _normalized_rows(features, labels))
        weight, bias, wanted = np.zeros((33, rows.shape[1])), np.zeros(33), np.eye(33)[targets]
        for _ in range(150):
            answers = rows @ weight.T + bias
            shares = np.exp(answers - answers.max(1, keepdims=True))
            error = (shares / shares.sum(1, keepdims=True) - wanted) / len(rows)
            weight, bias = weight - error.T @ rows, bias - error.sum(0)
        return weight / std, bias - weight / std @ mean

    return _all_three(probe, features, labels, scaled)


EXERCISE = Exercise(
    id="8.5",
    title="A linear probe from sixteen labels",
    name="answers",
    statement="""
The course's small backbone has learned to name what a scene shows, and never saw a label map. Freeze it: what does it
know about *where* things are? The cell above holds its `features` of sixteen scenes, 16 x 128 x 12 x 16, and their
`labels`, 16 x 96 x 128, with classes 0 to 32 and 255 for void.

Train linear layers, in any way you like; ten seconds each are plenty. Put into `answers` for each of them a pair: its
weight, 33 x 128, and its bias, 33 numbers, such that `weight @ vector + bias` are the logits of a place whose features
are `vector`.

- `"four scenes"`: learned from `features[:4]` and `labels[:4]`.
- `"sixteen scenes"`: learned from all of them.
- `"sixteen scenes, scaled"`: learned from `scaled`. These are the same features, but each channel was multiplied by a
  factor between 0.01 and 100, as happens where blocks of different depth stand side by side. It will be applied to
  features of this kind. In training, a batch norm takes care of the factors; the layer that you hand in has none in
  front of it, so fold the norm into weight and bias.

The check applies each layer to sixteen scenes of the split *test*, enlarges the logits and takes the best class. It
asks for a mean IoU of 6 % from four scenes, and of 22 % from sixteen, scaled or not. With three seeds, the solution
reached 9.6 to 10.0 % from four and 25.0 to 26.1 % from sixteen.
""",
    stub=STUB,
    solution=SOLUTION,
    reference=answers,
    given=given,
    cases=(
        Case("four scenes", hint="training"),
        Case("sixteen scenes", hint="training"),
        Case("sixteen scenes, scaled", hint="scaled"),
    ),
    hints={
        "general": Hint(
            "Bring every channel to mean 0 and deviation 1, train a 1 x 1 convolution with cross entropy, and write "
            "the two steps as one linear layer at the end.",
            "Enlarge the logits to the label maps, or take the label in the middle of each place; leave void out. If "
            "the layer reads (x - mean) / std, its logits are W x / std plus something that does not depend on x.",
        ),
        "sizes": Hint(
            "Each answer is a pair: a weight with a row for each of the 33 classes and a column for each of the 128 "
            "channels, and 33 biases.",
            "A 1 x 1 convolution has two axes more: weight[:, :, 0, 0]. Void is no class.",
        ),
        "training": Hint(
            "The layer fits, but what it finds is not good enough yet.",
            "Usual reasons: too few steps, or a rate that is too small; void that was not ignored; features and labels "
            "of different places put together; a regularization that leaves nothing.",
        ),
        "scaled": Hint(
            "With channels of very different size the training gets stuck: the large ones decide everything. And a "
            "layer for the features as they were does not fit the scaled ones.",
            "Normalize each channel of `scaled` by its own mean and deviation over all places, train, and fold.",
        ),
        "folded": Hint(
            "The layer is applied to the features as they are, without your norm.",
            "Divide each column of the weight by the deviation of its channel, and take the new weight times the means "
            "from the bias.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_by_cross_entropy, _by_second_order, _with_numpy),
    points=6,
    minutes=35,
    difficulty=3,
    seconds=6.0,
)
