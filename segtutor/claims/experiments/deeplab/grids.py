"""The claim about multi-grid that needs no training: what three blocks of different rates reach."""

from __future__ import annotations

from dataclasses import dataclass

from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.experiments.pspnet.fields import field_of_stack

STAGE_RATE = 2
"""Rate of the last stage at output stride 16, by which the unit rates are multiplied."""


@dataclass(frozen=True)
class Grid:
    """The experiment: the field of the three 3 x 3 convolutions of a stage.

    Attributes:
        units: Unit rates of the three blocks.
        dense_before: Ordinary 3 x 3 convolutions before the stage, as the stages in front of it have them.
    """

    units: tuple[int, int, int]
    dense_before: int = 0

    def __call__(self, seed: int, short: bool) -> Values:
        """Field, effective field, share of the field that is reached, parameters."""
        rates = (*[1] * self.dense_before, *(STAGE_RATE * unit for unit in self.units))
        return field_of_stack(rates, seed, short)


GRID_FIELD = Claim(
    name="deeplab.grid_field",
    title="What multi-grid reaches",
    sentence="Unit rates that grow inside a stage widen its field at the same parameters; its holes are closed by "
    "layers of rate 1, and not by the unit rates.",
    source="Chen et al. 2017 (DeepLab v3), §3.2.1; holes: Wang et al. 2018, §3.2",
    paper="VOC 2012 val, ResNet-101 with ASPP, mean IoU: unit rates 1, 1, 1 75.36 %, 1, 2, 1 75.93, 1, 2, 4 76.58",
    changes=f"the unit rates of three 3 x 3 convolutions in a stage of rate {STAGE_RATE}, and whether an ordinary one "
    "stands before them",
    same="layers, channels, parameters, resolution; the effective field is the square with half of the gradient",
    variants={
        "1, 1, 1": Grid((1, 1, 1)),
        "1, 2, 1": Grid((1, 2, 1)),
        "1, 2, 4": Grid((1, 2, 4)),
        "1, 1, 1 behind a dense layer": Grid((1, 1, 1), dense_before=1),
        "1, 2, 1 behind a dense layer": Grid((1, 2, 1), dense_before=1),
        "1, 2, 4 behind a dense layer": Grid((1, 2, 4), dense_before=1),
    },
    measures=(
        Measure("field", "field, positions", digits=0),
        Measure("effective", "effective field, positions"),
        percent("reached", "positions of the field that are reached"),
        Measure("parameters", "parameters, thousands", 1e-3, 1),
    ),
    expectations=(
        Expectation("1, 2, 4 see farther than 1, 1, 1", "effective", "1, 2, 4 behind a dense layer",
                    "1, 1, 1 behind a dense layer"),
        Expectation("behind a dense layer, 1, 2, 4 reach all of their field", "reached",
                    "1, 2, 4 behind a dense layer", 0.9999),
        Expectation("without one, they reach little more than a quarter", "reached", "1, 2, 4", 0.3, False),
        Expectation("nor do 1, 1, 1", "reached", "1, 1, 1", 0.3, False),
    ),
)  # fmt: skip
