"""The claim about rates and distances: at which rate does a network see what lies so far away?

Two bollards look alike; the surroundings, a given distance away, tell which is which (lesson 4). The backbone is
near-sighted and stays as it is, so that whatever is learned about the surroundings is learned by the head: atrous
branches side by side, the mean over the image, or atrous convolutions in a row. The only question is which bollard, so
an ASPP is computed at the positions of bollards alone.

Shapes: N pictures, C channels, h w map at stride 8, P positions of bollards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.experiments.pspnet.pyramids import NearSighted
from segtutor.claims.scoring import BOLLARD_LABELS
from segtutor.datasets import Scenes
from segtutor.models.aspp import ASPP, ASPPConv, ASPPPooling

SIZES = ((96, 128), (192, 256))
"""Heights and widths of the pictures: the same scenes, drawn twice as fine."""
DISTANCES = (0.1, 0.2, 0.3)
"""Smallest distance from a bollard to what tells its kind, as a fraction of the picture's height."""
STRIDE = 8
COUNTS = {"train": 200, "val": 120}
CHANNELS, STEPS, BATCH = 24, 120, 8
MOST = 20
"""Positions of a picture that count; finer drawings have more."""
NO_ANSWER = 255


@dataclass(frozen=True)
class Maps:
    """What the near-sighted backbone makes of a split's pictures with bollards, and where these are.

    Attributes:
        features: N x C x h x w.
        answers: N x h x w int64: 0 for a mooring bollard, 1 for a street bollard, 255 elsewhere.
    """

    features: Tensor
    answers: Tensor

    @property
    def places(self) -> tuple[Tensor, Tensor, Tensor]:
        """Picture, row and column of each position, P of each, picture by picture."""
        picture, row, column = torch.nonzero(self.answers != NO_ANSWER, as_tuple=True)
        return picture, row, column

    def taps(self, rate: int) -> Tensor:
        """P x 9 x C, what a 3 x 3 convolution of this rate reads at the positions, row by row; zeros off the map."""
        picture, row, column = (place[:, None] for place in self.places)
        padded = F.pad(self.features.permute(0, 2, 3, 1), (0, 0, *[rate] * 4))  # N x (h + 2 rate) x (w + 2 rate) x C
        down, right = torch.cartesian_prod(torch.arange(3), torch.arange(3)).T * rate
        return padded[picture, row + down, column + right]


@lru_cache(maxsize=2 * len(SIZES) * len(DISTANCES))
@torch.no_grad()
def maps(split: str, size: tuple[int, int], distance: float, count: int) -> Maps:
    """The pictures of streets and harbors that show a bollard, as the backbone sees them."""
    scenes = Scenes(
        split, size=size, count=count, kinds=("street", "harbor"), context=4.0, context_distance=distance
    )  # fmt: skip
    network: Any = models.create("pspnet_tiny", weights="backbone").eval()
    backbone, features, answers = NearSighted(network.backbone).eval(), [], []
    generator = torch.Generator().manual_seed(0)
    for image, labels in (scenes[index] for index in range(len(scenes))):
        sampled = torch.as_tensor(labels)[::STRIDE, ::STRIDE]  # the map's positions lie on these pixels
        answer = torch.full_like(sampled, NO_ANSWER)
        for number, label in enumerate(BOLLARD_LABELS):
            answer[sampled == label] = number
        there = torch.nonzero(answer != NO_ANSWER)
        for row, column in there[torch.randperm(len(there), generator=generator)[MOST:]]:
            answer[row, column] = NO_ANSWER
        if len(there):
            features.append(backbone(network.preprocessing.normalize(image[None]))["out"][0])
            answers.append(answer)
    return Maps(torch.stack(features), torch.stack(answers))


@lru_cache(maxsize=1)
def telling(size: tuple[int, int], distance: float) -> tuple[Tensor, Tensor]:
    """Where the validation pictures show a bollard, and where something nearby differs between street and harbor.

    Two scenes of one name, a street and a harbor, are drawn alike but for what tells them apart.

    Returns:
        N x h x w bool, positions of the map on a bollard; N x h x w bool, positions within ``STRIDE`` pixels of
        something that differs.
    """
    street, harbor = (
        Scenes("val", size=size, count=COUNTS["val"] // 2, kinds=(kind,), context=4.0, context_distance=distance)
        for kind in ("street", "harbor")
    )
    bollards, tells = [], []
    for (one, labels), (other, _) in ((street[index], harbor[index]) for index in range(len(street))):
        differs = (torch.as_tensor(one) != torch.as_tensor(other)).any(0)[None].float()
        near = F.max_pool2d(differs, 2 * STRIDE + 1, stride=1, padding=STRIDE)[0] > 0
        tells.append(near[::STRIDE, ::STRIDE])
        bollards.append(torch.isin(torch.as_tensor(labels)[::STRIDE, ::STRIDE], torch.as_tensor(BOLLARD_LABELS)))
    return torch.stack(bollards), torch.stack(tells)


def met(rates: tuple[int, ...], size: tuple[int, int], distance: float) -> float:
    """Share of the positions on bollards at which a tap of these rates comes near something that tells the kind."""
    bollards, tells = telling(size, distance)
    meets = tells.clone()
    for rate in set(rates):
        kernel = torch.ones(1, 1, 3, 3)
        meets |= F.conv2d(tells[:, None].float(), kernel, padding=rate, dilation=rate)[:, 0] > 0
    return float(meets[bollards].float().mean())


class Parallel(nn.Module):
    """An ASPP and the scores of the two kinds, computed at the positions of bollards.

    Args:
        in_channels: C.
        rates: Of the atrous branches.
        image_pooling: Whether one branch is the mean over the map.
    """

    def __init__(self, in_channels: int, rates: tuple[int, ...], image_pooling: bool) -> None:
        super().__init__()
        self.aspp = ASPP(in_channels, rates, CHANNELS, dropout=0.0, image_pooling=image_pooling)
        self.scores = nn.Conv2d(CHANNELS, 2, 1)

    def forward(self, seen: Maps) -> Tensor:
        """P x 2, what the package's ASPP on the whole map has there."""
        picture, row, column = seen.places
        parts: list[Tensor] = []
        read: dict[int, Tensor] = {}
        for branch in self.aspp.convs:
            if isinstance(branch, ASPPPooling):
                parts.append(nn.Sequential.forward(branch, seen.features)[picture])  # P x C x 1 x 1
                continue
            layers: Any = branch
            convolution, norm, relu = layers
            rate = convolution.dilation[0] if convolution.kernel_size == (3, 3) else 0
            if rate not in read:  # P x taps times channels
                read[rate] = (seen.taps(rate) if rate else seen.features[picture, :, row, column]).flatten(1)
            weight = convolution.weight.permute(0, 2, 3, 1).flatten(1)  # the same order: tap by tap, then channels
            parts.append(relu(norm(F.linear(read[rate], weight)[..., None, None])))
        return self.scores(self.aspp.project(torch.cat(parts, dim=1))).flatten(1)


class Cascade(nn.Module):
    """Atrous convolutions one after the other, and the scores of the two kinds at the positions of bollards."""

    def __init__(self, in_channels: int, rates: tuple[int, ...]) -> None:
        super().__init__()
        widths = [in_channels, *[CHANNELS] * len(rates)]
        self.blocks = nn.Sequential(*[ASPPConv(*it) for it in zip(widths[:-1], widths[1:], rates, strict=True)])
        self.scores = nn.Conv2d(CHANNELS, 2, 1)

    def forward(self, seen: Maps) -> Tensor:
        """P x 2."""
        picture, row, column = seen.places
        return self.scores(self.blocks(seen.features))[picture, :, row, column]


@dataclass(frozen=True)
class Head:
    """The experiment: what stands behind the backbone.

    Attributes:
        rates: Of its 3 x 3 convolutions.
        order: "parallel", an ASPP; or "cascade", one after the other.
        image_pooling: Whether a branch of the ASPP is the mean over the map.
    """

    rates: tuple[int, ...]
    order: Literal["parallel", "cascade"] = "parallel"
    image_pooling: bool = False

    def build(self, in_channels: int) -> nn.Module:
        """The head before its training."""
        if self.order == "cascade":
            return Cascade(in_channels, self.rates)
        return Parallel(in_channels, self.rates, self.image_pooling)

    def __call__(self, seed: int, short: bool) -> Values:
        """For each size and distance the share of bollard positions whose kind is right, mean over the two kinds.

        For branches side by side also the share at which one of their taps comes near something that tells the kind,
        for the first size and distance.
        """
        pairs = [(size, distance) for size in SIZES for distance in DISTANCES]
        steps, train, val = (count // 4 if short else count for count in (STEPS, COUNTS["train"], COUNTS["val"]))
        answers = {
            key(*pair): self.answered(seed, maps("train", *pair, train), maps("val", *pair, val), steps)
            for pair in pairs
        }
        taps_alone = self.order == "parallel" and not self.image_pooling
        return {**answers, MET_NEAR: met(self.rates, *pairs[0]) if taps_alone else float("nan")}

    def answered(self, seed: int, train: Maps, val: Maps, steps: int = STEPS) -> float:
        """Trains the head and scores it on pictures that it has not seen."""
        kinds = torch.bincount(train.answers[train.answers != NO_ANSWER], minlength=2)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            head = self.build(train.features.shape[1])
            optimizer = torch.optim.AdamW(head.parameters(), lr=5e-3, weight_decay=0.01)
            schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=steps)
            for _ in range(steps):
                chosen = torch.randint(len(train.features), (BATCH,))
                batch = Maps(train.features[chosen], train.answers[chosen])
                loss = F.cross_entropy(head(batch), batch.answers[batch.places], kinds.sum() / kinds)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        with torch.no_grad():
            found, answers = head.eval()(val).argmax(1), val.answers[val.places]
        return float(torch.stack([(found == kind)[answers == kind].float().mean() for kind in (0, 1)]).mean())


def key(size: tuple[int, int], distance: float, what: str = "right") -> str:
    """Name of a number for pictures of a size and this distance."""
    return f"{what}_{size[0]}_{round(100 * distance)}"


def _column(size: tuple[int, int], distance: float) -> Measure:
    pixels = round(distance * size[0])
    return percent(key(size, distance), f"{pixels} px away in {size[0]} x {size[1]}")


MET_NEAR = key(SIZES[0], DISTANCES[0], "met")
NEAR, FAR = key(SIZES[0], DISTANCES[0]), key(SIZES[1], DISTANCES[-1])

DISTANCE = Claim(
    name="deeplab.distance",
    title="A rate for every distance",
    sentence="A rate sees what lies so far away, and no more; several rates side by side serve several distances, and "
    "the mean over the image those that are beyond all of them.",
    source="Chen et al. 2018 (DeepLab v2), §3.2; Chen et al. 2017 (DeepLab v3), §3.2, §3.3",
    paper="the argument for the ASPP and for image pooling; no number is given for it",
    changes="the head: a 1 x 1 alone, three 3 x 3 of one rate, of three rates, with image pooling, or one after the "
    "other; and how far from a bollard, at least, the first pixel is that tells its kind",
    same=f"a near-sighted backbone, not trained further; {COUNTS['train']} and {COUNTS['val']} streets and harbors; "
    f"{STEPS} steps of AdamW, batch {BATCH}; only the question which bollard it is",
    variants={
        "1 x 1 alone": Head(()),
        "rate 1": Head((1, 1, 1)),
        "rate 2": Head((2, 2, 2)),
        "rate 4": Head((4, 4, 4)),
        "rate 8": Head((8, 8, 8)),
        "rates 2, 4, 8": Head((2, 4, 8)),
        "rate 1 and image pooling": Head((1, 1, 1), image_pooling=True),
        "2, 4, 8 in a row": Head((2, 4, 8), "cascade"),
    },
    measures=(
        *(_column(size, distance) for size in SIZES for distance in DISTANCES),
        percent(MET_NEAR, "bollards of the first column with a tap within 8 px of what tells"),
    ),
    expectations=(
        Expectation("what is near needs a small rate", NEAR, "rate 2", "rate 8"),
        Expectation("(added after the first came out) the distance is the smallest one, and most bollards are farther "
                    "away: rate 8 meets what tells at more of them than rate 2", MET_NEAR, "rate 8", "rate 2"),
        Expectation("what is far needs a large one", FAR, "rate 8", "rate 2"),
        Expectation("three rates serve the near as the small one does, within 2 points", NEAR, "rates 2, 4, 8",
                    "rate 2", margin=-0.02),
        Expectation("and the far as the large one does, within 2 points", FAR, "rates 2, 4, 8", "rate 8",
                    margin=-0.02),
        Expectation("image pooling brings the far to a head that reaches nowhere", FAR, "rate 1 and image pooling",
                    "rate 1"),
        Expectation("rates in a row walk the same way: they reach farther than the first of them alone", FAR,
                    "2, 4, 8 in a row", "rate 2"),
    ),
)  # fmt: skip
