"""Exercise 11.1: batch norm's statistics taken anew from pictures without labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import torch
from segtutor.exercises.lesson11.inputs import small_network
from segtutor.exercises.lesson11.reestimate_answers import on_a_copy, with_hooks, with_own_sums
from segtutor.exercises.lesson11.reestimate_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def reestimate(network, batches, prior):
    """Give batch norm the statistics of `batches`, beside its own with the weight of `prior` pictures."""
    raise NotImplementedError("Write reestimate() here, then run this cell again.")
'''


def reestimate(network: Any, batches: Sequence[Any], prior: int) -> None:
    """Give batch norm the statistics of `batches`, beside its own with the weight of `prior` pictures."""
    modes = [(module, module.training) for module in network.modules()]
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    seen = prior
    for batch in batches:
        seen += len(batch)
        for norm in norms:
            norm.train()
            norm.momentum = len(batch) / seen  # what was there before has the rest
        with torch.no_grad():
            network(batch)
    for module, mode in modes:
        module.training = mode
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def as_left(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What the cases compare: the network after the answer has had it.

    Random numbers are the same each time, so that dropout drops the same.
    """
    layers, batches, prior = arguments
    network = small_network(layers)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        returned = answer(network, [torch.tensor(batch) for batch in batches], prior)
    if returned is Ellipsis:
        return returned
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    return {
        "means": torch.cat([norm.running_mean for norm in norms]).tolist(),
        "variances": torch.cat([norm.running_var for norm in norms]).tolist(),
        "weights": torch.cat([weight.detach().flatten() for weight in network.parameters()]).tolist(),
        "momenta": [-1.0 if norm.momentum is None else norm.momentum for norm in norms],
        "modes": [int(module.training) for module in network.modules()],
    }


Given = tuple[list[dict[str, Any]], list[np.ndarray], int]


def _norm(
    weight: Sequence[float], bias: Sequence[float], momentum: float = 0.1, training: bool = False
) -> dict[str, Any]:
    zeros = np.zeros(len(weight))
    return {"kind": "norm", "weight": np.array(weight, float), "bias": np.array(bias, float), "mean": zeros,
            "variance": zeros + 1, "momentum": momentum, "training": training}  # fmt: skip


def _row(*values: float) -> np.ndarray:
    """A batch of one picture of one channel and one row."""
    return np.array(values, dtype=float).reshape(1, 1, 1, -1)


def _points(*values: float) -> np.ndarray:
    """A batch of pictures that are one pixel each."""
    return np.array(values, dtype=float).reshape(-1, 1, 1, 1)


def _random(seed: int, kinds: str, counts: Sequence[int], prior: int, training: str = "") -> Given:
    """A network of layers by their letters (c n r d), and batches of so many pictures.

    `training` says which of the batch norms, and of the dropouts, are in training mode: "", "some" or "all".
    """
    generator, channels = seeded(seed), 3
    layers: list[dict[str, Any]] = []
    for kind in kinds:
        if kind == "c":
            weight = np.round(generator.normal(0, 0.6, (4, channels, 1, 1)), 2)
            layers.append({"kind": "convolution", "weight": weight, "bias": np.round(generator.normal(size=4), 2)})
            channels = 4
        if kind == "n":
            weight, bias = generator.uniform(0.5, 2, channels), generator.normal(size=channels)
            layers.append(_norm(np.round(weight, 2).tolist(), np.round(bias, 2).tolist(),
                                training=bool(generator.integers(2)) if training == "some" else training == "all",
                                momentum=float(generator.choice([0.1, 0.05, 0.3]))))  # fmt: skip
            layers[-1] |= {"mean": np.round(generator.normal(size=channels), 2),
                           "variance": np.round(generator.uniform(0.5, 3, channels), 2)}  # fmt: skip
        if kind == "r":
            layers.append({"kind": "relu"})
        if kind == "d":
            layers.append({"kind": "dropout", "training": training == "all"})
    batches = [
        np.round(generator.normal(generator.normal(0, 2), generator.uniform(1, 3), (count, 3, 3, 4)), 2)
        for count in counts
    ]
    return layers, batches, prior


_PLAIN = _norm([1.0], [0.0])
_OWN = _norm([2.0], [-1.0], momentum=0.3, training=True)
_DOUBLED = {"kind": "convolution", "weight": np.array([[[[2.0]]]]), "bias": np.array([1.0])}


def _after(
    mean: float, variance: float, weights: Sequence[float], momentum: float, modes: Sequence[int]
) -> dict[str, Any]:
    return {
        "means": [mean],
        "variances": [variance],
        "weights": list(weights),
        "momenta": [momentum],
        "modes": list(modes),
    }


EXERCISE = Exercise(
    id="11.1",
    title="Statistics between day and night",
    name="reestimate",
    statement="""
At night the means and variances that batch norm keeps are wrong, but few pictures of the night make uncertain ones.
Between the two stands a mixture (Schneider et al. 2020): what a layer has kept counts as if it came from `prior`
further pictures. Write `reestimate(network, batches, prior)`. `network` is a `torch.nn.Module`; its batch norms are
`torch.nn.BatchNorm2d`, wherever they are, and there may be dropout in it. `batches` are tensors B x C x H x W that go
into the network as they are. `prior` is a whole number, 0 or more.

- Afterwards each `running_mean` is the mean of the old one, with the weight `prior`, and of those of the batches, each
  with its number of pictures as weight; likewise each `running_var`, of the variances as PyTorch records them. So with
  a prior of 0 the old ones count nothing.
- While the pictures pass, a batch norm divides by the statistics of the batch at hand, as in training. Dropout stays
  off.
- All else is as before afterwards: weights and biases, those of batch norm, too; each layer's `momentum`; and the mode,
  `training`, of **every** module, since some came in one and some in the other.

The network itself is changed; what you return is not looked at.
""",
    stub=STUB,
    reference=reestimate,
    around=as_left,
    cases=(
        Case("one batch, nothing kept", ([_PLAIN], [_row(1, 3)], 0), _after(2, 2, [1, 0], 0.1, [0, 0])),
        Case(
            "one batch, a prior of 2", ([_PLAIN], [_row(1, 3)], 2), _after(2 / 3, 4 / 3, [1, 0], 0.1, [0, 0]), "prior"
        ),
        Case("two batches", ([_PLAIN], [_row(0, 2), _row(4, 8)], 0), _after(3.5, 5, [1, 0], 0.1, [0, 0]), "batches"),
        Case(
            "three pictures, one picture, in training mode",
            ([_OWN], [_points(2, 2, 5), _row(0, 3)], 1),
            _after(2.1, 2.9, [2, -1], 0.3, [0, 1]),
            "restore",
        ),
        Case("behind a convolution", ([_DOUBLED, _PLAIN], [_row(0, 1)], 0), _after(2, 2, [2, 1, 1, 0], 0.1, [0, 0, 0])),
        Case("two layers, three batches", _random(1, "cnrcn", (4, 4, 4), 0), hint="flow"),
        Case("dropout between them", _random(2, "cnrdcn", (3, 2), 4), hint="dropout"),
        Case("all in training mode", _random(3, "ncrdn", (2, 5), 3, "all"), hint="restore"),
        Case("some in training mode", _random(4, "cnrcnrn", (6, 1, 3), 10, "some"), hint="restore"),
    ),
    hints={
        "general": Hint(
            "PyTorch records statistics by itself wherever a batch norm is in training mode. So the pictures need only "
            "pass through, and everything else must be kept from changing.",
            "Write down modes and momenta; put the network into evaluation mode and the batch norms alone into "
            "training mode; let the batches pass without gradients, and before each of them choose the momentum so "
            "that new and old have the weights that they should; put back what you wrote down.",
        ),
        "momentum": Hint(
            "The momentum says how much a batch counts against all that was there before, and 0.1 is too little.",
            "A batch of n pictures counts n among all pictures so far, those of the prior among them.",
        ),
        "prior": Hint(
            "The old statistics count as `prior` pictures: not more, not less, and not as a share.",
            "After n pictures the old ones have the weight prior / (prior + n); a reset forgets them.",
        ),
        "mode": Hint(
            "In evaluation mode a batch norm uses its statistics and records none.",
            "The batch norms, and they alone, must be in training mode while the batches pass.",
        ),
        "dropout": Hint(
            "The whole network was in training mode, so dropout set values to zero, and the statistics behind it are "
            "those of such maps.",
            "First network.eval(), then train() for each batch norm.",
        ),
        "restore": Hint(
            "Something is not as it was: a module's mode or a layer's momentum.",
            "Before you change anything, write down `training` of every module and `momentum` of every batch norm; "
            "network.eval() or network.train() at the end is right for some networks only.",
        ),
        "affine": Hint(
            "The weight and the bias of a batch norm were learned and have to stay.",
            "reset_parameters forgets the weights as well as the statistics; it is not needed here.",
        ),
        "weights": Hint(
            "Weights have changed, and no weight is to be trained here.",
            "No optimizer, no backward: the batches only pass through, inside torch.no_grad().",
        ),
        "batches": Hint(
            "A batch counts by its pictures, and its variance is that of the batch.",
            "Neither the last batch alone, nor all alike, nor all pictures in one batch, which has another variance.",
        ),
        "variance": Hint(
            "The recorded variance is divided by n − 1, as PyTorch records it.",
            "If you count yourself: n is B x H x W, and the divisor is one less.",
        ),
        "flow": Hint(
            "What comes to the second layer depends on how the first one normalizes: by the batch at hand, not by what "
            "it kept.",
            "All batch norms are in training mode at the same time, and each batch passes once through all.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(with_own_sums, on_a_copy, with_hooks),
    points=4,
    minutes=25,
    difficulty=2,
    seconds=4,
)
