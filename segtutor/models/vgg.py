"""VGG16 as FCN uses it: all pools kept, the image padded by 100 pixels, sizes rounded up.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015.

Shapes: B images, C channels, H W input, h w feature map.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from segtutor.models.sizes import RoundingUpMaxPool2d
from segtutor.models.upsampling import Grid

VGG16_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class VGGBackbone(nn.Sequential):
    """Five groups of 3 x 3 convolutions, each followed by a 2 x 2 pooling; numbered as torchvision numbers them.

    ``grids`` says where the pixels of each map lie, ``channels`` how wide it is.

    Args:
        widths: Channels of each convolution, group by group.
        padding: Of the first convolution. FCN's 100 leaves a map of at least 7 x 7 for fc6 whatever the image.
    """

    def __init__(self, widths: Sequence[Sequence[int]] = VGG16_WIDTHS, padding: int = 100) -> None:
        layers: list[nn.Module] = []
        self_grids, self_channels, taps = {}, {}, {}
        grid, in_channels = Grid(), 3
        for group, group_widths in enumerate(widths, start=1):
            for width in group_widths:
                pad = 1 if layers else padding
                layers += [nn.Conv2d(in_channels, width, 3, padding=pad), nn.ReLU(inplace=True)]
                grid = grid.convolution(3, padding=pad)
                in_channels = width
            # Rounding up, as Caffe does. Rounded down, 459 of the sizes 1 ... 1199 leave FCN-32s less than it crops.
            layers.append(RoundingUpMaxPool2d(2, stride=2))
            grid = grid.convolution(2, stride=2)
            name = f"pool{group}"
            self_grids[name], self_channels[name], taps[len(layers) - 1] = grid, in_channels, name
        super().__init__(*layers)
        self.grids, self.channels, self.taps = self_grids, self_channels, taps
        initialize_for_relu(self)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature maps "pool1" to "pool5", strides 2 to 32."""
        outputs, features = {}, images
        for index, layer in enumerate(self):
            features = layer(features)
            if index in self.taps:
                outputs[self.taps[index]] = features
        return outputs


def initialize_for_relu(module: nn.Module) -> None:
    """Random convolutions that keep the size of their signal through many ReLUs (He et al. 2015), biases zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
