"""The claim about fields of view: dilation widens them at no cost, and a network uses less than it sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.models.inputs import Preprocessing
from segtutor.plotting import effective_receptive_field, field_width, theoretical_receptive_field

SIDE = 95
"""Height and width of the random inputs of the small stacks."""
CHANNELS = 8
SHARE = 0.5
"""Of the gradient, in the square that counts as the effective field."""
LARGE = (136, 184)
"""Height and width of the scenes for the backbone, whose field is wide."""


def stack(rates: Sequence[int]) -> nn.Sequential:
    """3 x 3 convolutions with these rates, ReLU between them: always the same parameters and the same resolution."""
    layers: list[nn.Module] = []
    for rate in rates:
        convolution = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=rate, dilation=rate, bias=False)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        layers += [convolution, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def field_of_stack(rates: Sequence[int], seed: int, short: bool) -> Values:
    """Field, effective field and the share of the field's pixels that are reached at all."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = stack(rates)
        gradient = effective_receptive_field(network, torch.randn(8 if short else 32, CHANNELS, SIDE, SIDE))
        for layer in network:
            if isinstance(layer, nn.Conv2d):
                nn.init.ones_(layer.weight)  # nothing can cancel
        reached = effective_receptive_field(network, torch.ones(1, CHANNELS, SIDE, SIDE)) > 0
    field = theoretical_receptive_field([(3, 1, rate) for rate in rates]).size
    return {
        "field": float(field),
        "effective": field_width(gradient, SHARE, (SIDE // 2, SIDE // 2)),
        "reached": float(reached.sum()) / field**2,
        "parameters": float(sum(parameter.numel() for parameter in network.parameters())),
    }


def field_of_backbone(trained: bool, seed: int, short: bool) -> Values:
    """The same of the course's backbone, with random weights or with those that it learned as a classifier."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = models.create("pspnet_tiny", weights="backbone" if trained else None)
    backbone = model.backbone
    assert isinstance(backbone, nn.Module)
    main_path = [
        (layer.kernel_size[0], layer.stride[0], layer.dilation[0])
        for layer in backbone.modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
    ]
    count = 4 if short else 8
    scenes = draw(EVERYTHING, "val", 3 * 8, LARGE).images[8 * (seed % 3) :][:count]
    images = Preprocessing().normalize(scenes[..., :129, :177])  # the middle of the map lies on the picture's
    if not trained:  # batch norm without statistics would let the values grow from layer to layer
        norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = None
        with torch.no_grad():
            backbone.train()(images)
    gradient = effective_receptive_field(model.eval(), images, layer="backbone[out]")
    return {
        "field": float(theoretical_receptive_field(main_path).size),
        "effective": field_width(gradient, SHARE, (64, 88)),
        "reached": float("nan"),  # the field is larger than the picture
        "parameters": float(sum(parameter.numel() for parameter in backbone.parameters())),
    }


def _stack_variant(*rates: int) -> Callable[[int, bool], Values]:
    return lambda seed, short: field_of_stack(rates, seed, short)


FIELDS = Claim(
    name="pspnet.receptive_field",
    title="Fields of view, in theory and in use",
    sentence="Dilation widens the field of view at no cost in parameters or resolution; what a network really uses of "
    "it is much smaller.",
    source="Yu and Koltun 2016, §2; Zhao et al. 2017, §3.2; Luo et al. 2016; gridding: Wang et al. 2018, §3.2",
    paper="the effective field is nearly a Gaussian; it grows with the root of the depth, and in training (Luo et al.)",
    changes="the rates of eight 3 x 3 convolutions; below, whether the course's backbone is trained",
    same="layers, channels, parameters, resolution; the effective field is the square with half of the gradient",
    variants={
        "rates 1": _stack_variant(1, 1, 1, 1, 1, 1, 1, 1),
        "rates 2": _stack_variant(2, 2, 2, 2, 2, 2, 2, 2),
        "rates 1, 2, 4, 8 twice": _stack_variant(1, 2, 4, 8, 1, 2, 4, 8),
        "backbone, random": lambda seed, short: field_of_backbone(False, seed, short),
        "backbone, trained": lambda seed, short: field_of_backbone(True, seed, short),
    },
    measures=(
        Measure("field", "field, px", digits=0),
        Measure("effective", "effective field, px"),
        percent("reached", "pixels of the field that are reached"),
        Measure("parameters", "parameters, thousands", 1e-3, 1),
    ),
    expectations=(
        Expectation("rates that double widen the field", "effective", "rates 1, 2, 4, 8 twice", "rates 1"),
        Expectation(
            "it is smaller than if all pixels of the field counted alike (43 px)",
            "effective", "rates 1, 2, 4, 8 twice", 43, False,
        ),
        Expectation("equal rates leave holes (gridding)", "reached", "rates 1, 2, 4, 8 twice", "rates 2"),
        Expectation("rates that double leave none", "reached", "rates 1, 2, 4, 8 twice", 0.9999),
        Expectation("training widens the effective field", "effective", "backbone, trained", "backbone, random"),
    ),
)  # fmt: skip
