"""FCN: a classifier made convolutional, its coarse scores brought back to pixels through skips.

Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, 2015 ("FCN"); the details are those of
the authors' Caffe networks.

    images --> VGG16 --> pool3 ------> pool4 ------> pool5 --> fc6 --> fc7 --> score
                           |             |                                       |
                         1 x 1         1 x 1                                    x 2
                           |             +------------------ crop ---------------+   FCN-16s and 8s
                           |                                                    x 2
                           +-------------------------------- crop ---------------+   FCN-8s
                                                                        x 32, 16, 8, crop --> logits

Shapes: B images, C channels, K classes, H W input, h w feature map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor, nn

from segtutor.models.backbones import FirstBlockRate, ResNetBackbone, TinyResNet, resnet50_backbone, resnet101_backbone
from segtutor.models.differences import Difference
from segtutor.models.inputs import check_images
from segtutor.models.semantic import FCNHead, SemanticNetwork
from segtutor.models.sizes import crop
from segtutor.models.upsampling import BilinearUpsampling, Grid, add_where_they_overlap, pad_onto_grid
from segtutor.models.vgg import VGG16_WIDTHS, VGGBackbone, initialize_for_relu

LearnUpsampling = Literal["none", "inner", "all"]

SKIPS = {32: (), 16: ("pool4",), 8: ("pool4", "pool3")}
AT_ONCE_SCALES = {"pool4": 0.01, "pool3": 0.0001}


class FCN(SemanticNetwork):
    """Scores of the deepest map, upsampled by 2 and added to the scores of a finer map, skip by skip (FCN §4.2).

    Args:
        backbone: Maps images to feature maps "pool3", "pool4" and "pool5"; has their ``grids`` and ``channels``.
        classifier: fc6, fc7 and the 1 x 1 to the classes, on "pool5".
        skips: The finer maps, coarse to fine.
        scales: Factors of the finer maps before they are scored; 1 where none is given.
        learn_upsampling: Which transposed convolutions training changes.
        on_pixels: Whether maps lie on the image's pixels (strided 3 x 3) or between them (2 x 2 pooling).
        smallest: Least height and width of an image.
    """

    def __init__(
        self,
        backbone: VGGBackbone | TinyFCNBackbone,
        classifier: nn.Sequential,
        skips: Sequence[str] = (),
        *,
        scales: Mapping[str, float] | None = None,
        learn_upsampling: LearnUpsampling = "none",
        on_pixels: bool = False,
        smallest: int = 1,
    ) -> None:
        if learn_upsampling not in ("none", "inner", "all"):
            raise ValueError(f"learn_upsampling must be 'none', 'inner' or 'all', but {learn_upsampling!r} came")
        super().__init__(backbone, classifier, output_stride=32)
        num_classes, smaller = self.num_classes, 1 if on_pixels else 0
        self.smallest = smallest
        self.scales = dict(scales or {})
        self.score = nn.ModuleDict({name: nn.Conv2d(backbone.channels[name], num_classes, 1) for name in skips})
        self.upscore = nn.ModuleDict()
        self.offsets = {}
        grid = backbone.grids["pool5"]
        for layer in classifier:
            if isinstance(layer, nn.Conv2d):
                grid = grid.convolution(layer.kernel_size[0], padding=int(layer.padding[0]))
        for name in skips:
            self.upscore[name] = BilinearUpsampling(num_classes, 2, 4 - smaller, learn_upsampling != "none")
            grid, fine = grid.transposed(4 - smaller, 2), backbone.grids[name]
            self.offsets[name] = fine.offset_of(grid)  # 5 and 9 with VGG16
            grid = max(grid, fine, key=lambda candidate: candidate.start)
        factor = int(grid.stride)
        kernel_size = 2 * factor - smaller
        self.upscore["image"] = BilinearUpsampling(num_classes, factor, kernel_size, learn_upsampling == "all")
        self.offsets["image"] = -Grid().offset_of(grid.transposed(kernel_size, factor))  # 19, 27, 31 with VGG16
        # Scores begin at zero, and a new skip changes nothing until it is trained (FCN §4.2).
        for layer in (classifier[-1], *self.score.values()):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits "out", B x K x H x W; see `SemanticNetwork`."""
        check_images(self, images, smallest=self.smallest)
        H, W = images.shape[-2:]
        features = self.backbone(images)
        scores = self.classifier(features["pool5"])
        for name, scorer in self.score.items():
            fine = scorer(features[name] * self.scales.get(name, 1.0))
            scores = add_where_they_overlap(self.upscore[name](scores), fine, self.offsets[name])
        return {"out": crop(self.upscore["image"](scores), (H, W), self.offsets["image"])}

    def final_layers(self) -> tuple[str, ...]:
        """Names of the layers whose shapes depend on the number of classes."""
        scorers = [f"score.{name}" for name in self.score]
        return (f"classifier.{len(self.classifier) - 1}", *scorers, *[f"upscore.{name}" for name in self.upscore])  # type: ignore[arg-type]


def initialize_from(model: FCN, coarser: FCN) -> list[str]:
    """Staged training (FCN §4.2): 16s begins where 32s ended, 8s where 16s ended. The new skip is left at zero.

    Args:
        model: The network with one skip more; changed in place.
        coarser: The trained one.

    Returns:
        The keys that were copied.

    Raises:
        ValueError: If the two are not such a pair.
    """
    skips, fewer = tuple(model.score), tuple(coarser.score)
    if skips[:-1] != fewer or not skips:
        raise ValueError(
            f"the skips are {skips or 'none'} and {fewer or 'none'}, but the first network must have one more than the "
            "second: 32s before 16s before 8s"
        )
    own, theirs = model.state_dict(), coarser.state_dict()
    copied = [key for key in theirs if not key.startswith("upscore.image.")]  # its size differs
    different = [key for key in copied if key not in own or own[key].shape != theirs[key].shape]
    if different:
        raise ValueError(f"the networks differ in {', '.join(different[:4])}: take one family and one num_classes")
    model.load_state_dict({**own, **{key: theirs[key] for key in copied}})
    return copied


def _fcn_vgg(
    stride: int,
    num_classes: int,
    learn_upsampling: LearnUpsampling,
    scales: Mapping[str, float] | None = None,
    widths: Sequence[Sequence[int]] = VGG16_WIDTHS,
    hidden: int = 4096,
) -> FCN:
    backbone = VGGBackbone(widths)
    # The numbers of these layers are those of torchvision's classifier.
    classifier = nn.Sequential(
        nn.Conv2d(backbone.channels["pool5"], hidden, 7),  # fc6
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Conv2d(hidden, hidden, 1),  # fc7
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Conv2d(hidden, num_classes, 1),  # score_fr
    )
    initialize_for_relu(classifier)
    return FCN(backbone, classifier, SKIPS[stride], scales=scales, learn_upsampling=learn_upsampling)


def fcn32s_vgg16(num_classes: int = 21, *, learn_upsampling: LearnUpsampling = "none") -> FCN:
    """FCN-32s on VGG16. ImageNet weights fill the convolutions, fc6 and fc7.

    Args:
        num_classes: K.
        learn_upsampling: "none" (all bilinear, the authors' code), "inner" (all but the last, the paper) or "all".
    """
    return _fcn_vgg(32, num_classes, learn_upsampling)


def fcn16s_vgg16(num_classes: int = 21, *, learn_upsampling: LearnUpsampling = "none") -> FCN:
    """FCN-16s: a skip from pool4; arguments as `fcn32s_vgg16`. `initialize_from` takes over a trained 32s."""
    return _fcn_vgg(16, num_classes, learn_upsampling)


def fcn8s_vgg16(num_classes: int = 21, *, learn_upsampling: LearnUpsampling = "none", at_once: bool = False) -> FCN:
    """FCN-8s: skips from pool4 and pool3; arguments as `fcn32s_vgg16`.

    Args:
        num_classes: K.
        learn_upsampling: "none", "inner" or "all".
        at_once: For training without stages: pool4 and pool3 are scaled by 0.01 and 0.0001, so that their large values
            do not drown the deep scores.
    """
    return _fcn_vgg(8, num_classes, learn_upsampling, AT_ONCE_SCALES if at_once else None)


class TinyFCNBackbone(TinyResNet):
    """The course's residual network with a last pooling: maps of stride 8, 16 and 32 on a padded image."""

    channels = {"pool3": 96, "pool4": 128, "pool5": 128}  # noqa: RUF012
    grids = {name: Grid(stride) for name, stride in (("pool3", 8), ("pool4", 16), ("pool5", 32))}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(output_stride=16)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature maps "pool3", "pool4" and "pool5"."""
        features = super().forward(pad_onto_grid(images, 32))
        return {"pool3": features["aux"], "pool4": features["out"], "pool5": self.pool(features["out"])}


def _fcn_tiny(stride: int, num_classes: int, learn_upsampling: LearnUpsampling) -> FCN:
    backbone, hidden = TinyFCNBackbone(), 256
    classifier = nn.Sequential(
        nn.Conv2d(backbone.channels["pool5"], hidden, 3, padding=1, bias=False),  # fc6
        nn.BatchNorm2d(hidden),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Conv2d(hidden, hidden, 1, bias=False),  # fc7
        nn.BatchNorm2d(hidden),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Conv2d(hidden, num_classes, 1),
    )
    return FCN(backbone, classifier, SKIPS[stride], learn_upsampling=learn_upsampling, on_pixels=True, smallest=32)


def fcn32s_tiny(num_classes: int = 21, *, learn_upsampling: LearnUpsampling = "none") -> FCN:
    """FCN-32s on the course's small backbone: trains on a processor in minutes.

    differs: batch norm, a 3 x 3 fc6 of 256 channels, and no padding by 100: the image is padded to 32 k + 1, where
    strided 3 x 3 convolutions begin and end on its border, and filters of odd size keep every map on its pixels.

    Args:
        num_classes: K.
        learn_upsampling: "none", "inner" (all but the last) or "all".
    """
    return _fcn_tiny(32, num_classes, learn_upsampling)


def fcn16s_tiny(num_classes: int = 21, *, learn_upsampling: LearnUpsampling = "none") -> FCN:
    """FCN-16s on the course's small backbone; see `fcn32s_tiny`."""
    return _fcn_tiny(16, num_classes, learn_upsampling)


def fcn8s_tiny(num_classes: int = 21, *, learn_upsampling: LearnUpsampling = "none") -> FCN:
    """FCN-8s on the course's small backbone; see `fcn32s_tiny`."""
    return _fcn_tiny(8, num_classes, learn_upsampling)


def _fcn_resnet(backbone: ResNetBackbone, num_classes: int, aux: bool) -> SemanticNetwork:
    return SemanticNetwork(
        backbone,
        FCNHead(backbone.channels["out"], num_classes),
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=8,
    )


def fcn_resnet50(
    num_classes: int = 21, *, aux: bool = False, first_block_rate: FirstBlockRate = "previous"
) -> SemanticNetwork:
    """The network that torchvision calls so: a dilated ResNet-50 and a small head, no skips.

    differs: neither the paper's backbone nor its upsampling. Logits are resized without aligned corners, which moves
    each prediction by 3.5 pixels against the place that the feature saw.

    Args:
        num_classes: K.
        aux: Build the auxiliary head on layer3.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
    """
    return _fcn_resnet(resnet50_backbone(first_block_rate=first_block_rate), num_classes, aux)


def fcn_resnet101(
    num_classes: int = 21, *, aux: bool = False, first_block_rate: FirstBlockRate = "previous"
) -> SemanticNetwork:
    """The same on ResNet-101; arguments as `fcn_resnet50`."""
    return _fcn_resnet(resnet101_backbone(first_block_rate=first_block_rate), num_classes, aux)


# Paper: FCN 2015. Reference: the authors' Caffe networks. torchvision: fcn_resnet50. Ours: fcn8s_vgg16.
DIFFERENCES = (
    Difference("backbone", "VGG16", "VGG16", "ResNet-50, dilated", "VGG16"),
    Difference("padding of the first convolution", "100", "100", "3", "100"),
    Difference("pooling rounds sizes", "up", "up", "down, padded", "up"),
    Difference("deepest map's stride", "32", "32", "8", "32"),
    Difference("skips", "pool4, pool3", "pool4, pool3", "none", "pool4, pool3"),
    Difference("crop offsets", "5, 9, 31", "5, 9, 31", "-", "5, 9, 31"),
    Difference("upsampling", "transposed convolutions", "transposed convolutions", "resize", "transposed convolutions"),
    Difference("learned upsampling", "all but the last", "none", "none", "none"),
    Difference("score layers begin", "zero", "zero", "random", "zero"),
    Difference("dropout", "0.5, 0.5", "0.5, 0.5", "0.1", "0.5, 0.5"),
    Difference("batch norm", "no", "no", "yes", "no"),
    Difference("auxiliary head", "no", "no", "yes", "no"),
    Difference("input", "BGR 0-255 minus mean", "BGR 0-255 minus mean", "RGB, mean and std", "RGB, mean and std"),
    Difference("prediction is off the pixel by", "0", "0", "3.5", "0"),
)
