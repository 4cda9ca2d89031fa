"""The claim about multi-grid as the paper has it, with three blocks in the last stage: what is reached, and the poles.

The course's backbone has two blocks there. A third one, with fresh weights, is put behind them; all variants have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torchvision.models.resnet import BasicBlock

from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.experiments.deeplab.grids import STAGE_RATE
from segtutor.claims.experiments.pspnet.fields import field_of_stack
from segtutor.claims.lengths import DECAY, LENGTHS, SMALL_SIZE, WARMUP, Lengths, pretrained
from segtutor.claims.measures import GFLOPS
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.training import Recipe
from segtutor.models.backbones import replace_stride_by_dilation, stage_rates

SHORT = LENGTHS[:-1]
LAST = SHORT[-1]


@dataclass(frozen=True)
class ThreeBlocks:
    """A change of a network: called with it, gives the last stage of its backbone a third block, and all three rates.

    Attributes:
        units: Unit rates of the three blocks.
    """

    units: tuple[int, int, int]

    def __call__(self, model: Any) -> None:
        stage, channels = model.backbone.layer3, model.backbone.channels["out"]
        stage.append(BasicBlock(channels, channels))
        replace_stride_by_dilation(stage, self.rates)

    @property
    def rates(self) -> tuple[int, ...]:
        """Of the blocks; each has two 3 x 3 convolutions."""
        return stage_rates(3, 1, STAGE_RATE, multi_grid=self.units)


@dataclass(frozen=True)
class Grown:
    """A training with three blocks in the last stage, and what its six convolutions reach.

    Attributes:
        units: Unit rates of the three blocks.
        lengths: Steps at which the run is scored.
        precision: Of the training, see ``Recipe``.
    """

    units: tuple[int, int, int]
    lengths: tuple[int, ...] = SHORT
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """Scores of ``Lengths``, and of ``field_of_stack`` "field", "effective" and "reached"."""
        rates = [rate for rate in self.change.rates for _ in range(2)]
        field = field_of_stack(rates, seed, short)
        return {**self.training(seed, short), **{name: field[name] for name in ("field", "effective", "reached")}}

    @property
    def change(self) -> ThreeBlocks:
        """Of the network."""
        return ThreeBlocks(self.units)

    @property
    def training(self) -> Lengths:
        """The bare backbone with that last stage."""
        whole = pretrained(network("backbone alone"))
        recipe = replace(whole.recipe, change=self.change, steps=self.lengths[-1], precision=self.precision)
        return replace(whole, recipe=recipe, lengths=self.lengths)

    @property
    def recipe(self) -> Recipe:
        """Of the training."""
        return self.training.recipe

    def shortened(self) -> Grown:
        """The version that a lesson runs while the reader waits."""
        return replace(self, lengths=self.training.shortened().lengths)

    def in_precision(self, precision: str) -> Grown:
        """The same, trained in this precision."""
        return replace(self, precision=precision)


_EQUAL, _WIDE, _GRID = "1, 1, 1", "2, 2, 2", "1, 2, 4"

THREE_BLOCKS = Claim(
    name="deeplab.three_blocks",
    title="Multi-grid with three blocks",
    sentence="Different rates inside the last stage are better than equal ones.",
    source="Chen et al. 2017 (DeepLab v3), §3.2.1, §4.3; holes: Wang et al. 2018, §3.2",
    paper="VOC 2012 val, ResNet-101 with ASPP: unit rates 1, 1, 1 75.36 %, 2, 2, 2 no number, 1, 2, 4 76.58",
    changes=f"the unit rates of three blocks in the last stage, whose rate is {STAGE_RATE}; nothing stands behind it "
    "but the 1 x 1 of the classes",
    same="layers and operations; start (the course's pretrained backbone, the third block random), data "
    f"({BUDGET.pictures:,} scenes of {SMALL_SIZE[0]} x {SMALL_SIZE[1]}), order, batch 8, AdamW, class weights; one "
    f"training, whose rate stays constant after {WARMUP} steps; scored is the running average of the weights (decay "
    f"{DECAY}). What is reached is that of the stage's six convolutions alone",
    variants={_EQUAL: Grown((1, 1, 1)), _WIDE: Grown((2, 2, 2)), _GRID: Grown((1, 2, 4))},
    measures=(
        Measure("field", "field of the stage, positions", digits=0),
        percent("reached", "of it reached"),
        *(percent(f"mean_iou_{steps}", f"mean IoU after {steps:,} steps") for steps in SHORT),
        percent(f"pole_iou_{LAST}", f"IoU of poles after {LAST:,} steps"),
        percent(f"bollard_iou_{LAST}", "of bollards"),
        Measure(f"loss_{LAST}", "training loss", digits=2),
        GFLOPS,
    ),
    expectations=(
        Expectation("1, 2, 4 are better than 1, 1, 1", f"mean_iou_{LAST}", _GRID, _EQUAL),
        Expectation("and than 2, 2, 2, whose field is nearly as wide", f"mean_iou_{LAST}", _GRID, _WIDE),
        Expectation("poles, which are thin, gain from it", f"pole_iou_{LAST}", _GRID, _EQUAL),
        Expectation("and lose by 2, 2, 2, which skip three positions of four in each direction", f"pole_iou_{LAST}",
                    _WIDE, _EQUAL, False),
    ),
)  # fmt: skip
