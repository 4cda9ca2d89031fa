"""What one position of a map sees of the image: what it could see (theoretical), and what moves it (effective).

Luo, Li, Urtasun, Zemel: Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, 2016
("ERF").

Shapes: B images, H W input, h w map.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle
from torch import Tensor, nn

from segtutor.plotting.overlays import as_picture
from segtutor.plotting.tracing import as_input, evaluating, find_map, watch

_HEAT, _SHARE, _BOX = "#D55E00", "#0072B2", "black"


class ReceptiveField(NamedTuple):
    """Geometry of a map in pixels of the image.

    Attributes:
        size: Side of the square that one position can see.
        jump: Pixels from one position to the next.
        start: Center of what position 0 sees; the centers of the image's own pixels are 0, 1, 2, ...
    """

    size: int
    jump: int
    start: float


def theoretical_receptive_field(layers: Sequence[Sequence[int]]) -> ReceptiveField:
    """What a stack of convolutions and poolings can see.

    A layer adds (kernel - 1) dilation steps of the map that it reads, and each step is as long as the product of the
    strides before it.

    Args:
        layers: First to last, each (kernel, stride, dilation) or (kernel, stride, dilation, padding).

    Raises:
        ValueError: If a layer is written otherwise.

    >>> theoretical_receptive_field([(3, 2, 1), (3, 1, 2)])
    ReceptiveField(size=11, jump=2, start=5.0)
    """
    size, jump, start = 1, 1, 0.0
    for layer in layers:
        numbers = tuple(layer)
        if len(numbers) not in (3, 4) or min(numbers[:3]) < 1 or min(numbers) < 0:
            raise ValueError(
                f"a layer must be (kernel, stride, dilation) of at least 1, and perhaps its padding, but {layer} came"
            )
        kernel, stride, dilation = numbers[:3]
        padding = numbers[3] if len(numbers) == 4 else 0
        reach = (kernel - 1) * dilation
        size += reach * jump
        start += (reach / 2 - padding) * jump
        jump *= stride
    return ReceptiveField(size, jump, start)


def effective_receptive_field(
    model: nn.Module,
    images: Any,
    pixel: tuple[int, int] | None = None,
    *,
    layer: str | None = None,
    weights: Literal["ones", "random"] = "ones",
    seed: int = 0,
) -> np.ndarray:
    """How strongly each pixel of the image moves one position of a map (ERF §2).

    That is the magnitude of the gradient of the position's weighted channels, summed over the colors and averaged over
    the images. The network runs in evaluation mode and is left as it was.

    Args:
        model: Any network.
        images: B x 3 x H x W as the network takes them; the more, the smoother the result.
        pixel: Row and column of the map; its center if None.
        layer: Name of the map as in `trace_shapes`; the network's own output if None.
        weights: How the channels are weighted before they are summed: "ones", or "random" normal numbers.
        seed: Of the random weights.

    Returns:
        H x W float64, of sum 1.

    Raises:
        ValueError: If there is no such map or position, or nothing moves it.
    """
    if not isinstance(images, Tensor) or images.ndim != 4:
        shape = tuple(images.shape) if hasattr(images, "shape") else type(images).__name__
        raise ValueError(
            f"images must be a torch tensor B x 3 x H x W, but {shape} came; add the batch with image[None]"
        )
    if weights not in ("ones", "random"):
        raise ValueError(f"weights must be 'ones' or 'random', but {weights!r} came")
    with evaluating(model):
        gradient = _gradient(model, as_input(model, images), pixel, layer, weights, seed)
    field = gradient.abs().sum(dim=1).double().mean(dim=0)
    total = field.sum()
    if not total > 0:
        raise ValueError(
            f"the gradient of {layer or 'the output'} is zero everywhere: the scores of an untrained FCN begin at "
            "zero, for instance; load trained weights, or take a map before them, such as layer='backbone[pool5]'"
        )
    return np.asarray((field / total).cpu().numpy(), dtype=np.float64)


def receptive_box(
    model: nn.Module, size: tuple[int, int], pixel: tuple[int, int] | None = None, *, layer: str | None = None
) -> tuple[int, int, int, int]:
    """The pixels that can matter to one position of a map, found by trying: the theoretical field of any network.

    A copy of the network is made a linear map with positive weights: means instead of largest values, no activations,
    the norms the identity. Nothing can cancel there, so the gradient is above zero wherever a path leads. The copy is
    in double precision, on the processor.

    Args:
        model: Any network whose nonlinearities are modules of PyTorch.
        size: Height and width of the image.
        pixel: Row and column of the map; its center if None.
        layer: Name of the map as in `trace_shapes`; the network's own output if None.

    Returns:
        x0, y0, x1, y1 as the course's boxes: pixel 0 reaches from 0 to 1. It is cut at the border of the image.

    Raises:
        ValueError: If there is no such map or position, or nothing reaches it.
    """
    linear = _positive_linear(model)
    images = torch.ones(1, 3, *size, dtype=torch.float64)
    seen = _gradient(linear, images, pixel, layer, "ones", 0).sum(dim=(0, 1)) > 0
    rows, columns = (seen.any(dim=axis).nonzero() for axis in (1, 0))
    if not len(rows):
        raise ValueError(f"no pixel of the image reaches {layer or 'the output'} at {pixel or 'its center'}")
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def field_width(field: Any, share: float = 0.95, center: tuple[float, float] | None = None) -> float:
    """Side of the smallest centered square that holds this share of a field.

    Args:
        field: H x W, none below zero.
        share: Above 0, up to 1.
        center: Row and column of the square's center; None takes the field's center of mass, to half a pixel.

    Returns:
        Pixels.

    Raises:
        ValueError: If the field or the share is malformed.

    >>> field_width([[0, 1, 0], [1, 6, 1], [0, 1, 0]], share=0.6)
    1.0
    """
    return _square(field, share, center)[0]


def show_receptive_field(
    model: nn.Module,
    images: Any,
    pixel: tuple[int, int] | None = None,
    *,
    layer: str | None = None,
    share: float = 0.95,
    box: bool = True,
    weights: Literal["ones", "random"] = "ones",
    picture: Any = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draws over a gray picture what moves one position of a map, and the box of what it could see.

    The strength of the color follows the square root of the gradient, or only its peak would show.

    Args:
        model: Any network.
        images: B x 3 x H x W as the network takes them.
        pixel: Row and column of the map; its center if None.
        layer: Name of the map as in `trace_shapes`; the network's own output if None.
        share: Of the gradient, whose square is drawn.
        box: Whether the theoretical field is drawn, too; it takes a copy of the network in double precision.
        weights: As in `effective_receptive_field`.
        picture: What is drawn below, uint8 or 0...1, as large as the images or a whole number of times as large, which
            is sharper; None takes the first of ``images``, stretched to its range.
        title: Text above; None names the map.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes.

    Raises:
        ValueError: If there is no such map or position, nothing moves it, or the picture has another size.
    """
    field = effective_receptive_field(model, images, pixel, layer=layer, weights=weights)
    if picture is None:
        first = images[0].detach().float()
        picture = (first - first.min()) / (first.max() - first.min()).clamp_min(1e-12)
    below = as_picture(picture)
    height, width = field.shape
    times = max(1, below.shape[0] // height)
    if below.shape[:2] != (times * height, times * width):
        raise ValueError(
            f"picture must be as large as the images, {field.shape}, or a whole number of times as large, but it is "
            f"{below.shape[:2]}"
        )
    if ax is None:
        _, ax = plt.subplots(figsize=(5, 5 * height / width + 1.3), layout="constrained")
    gray = below.astype(np.float64).mean(axis=2)
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    ax.imshow(128 + gray / 2, cmap="gray", vmin=0, vmax=255, extent=extent)  # pale, so that the color stands out
    heat = np.empty((*field.shape, 4))
    heat[..., :3], heat[..., 3] = to_rgb(_HEAT), np.sqrt(field / field.max())
    ax.imshow(heat, extent=extent)
    ax.set_axis_off()
    handles: list[Any] = [Patch(color=_HEAT, label="gradient")]
    side, row, column = _square(field, share, None)
    frames = [
        ((column - side / 2, row - side / 2, side, side), _SHARE, "-", f"{share:.0%} of it: {side:.0f} pixels wide")
    ]
    if box:
        x0, y0, x1, y1 = receptive_box(model, field.shape, pixel, layer=layer)
        cut = x0 == 0 or y0 == 0 or (y1, x1) == field.shape
        text = f"can see: {y1 - y0} × {x1 - x0} pixels" + (" (cut by the image)" if cut else "")
        frames.append(((x0 - 0.5, y0 - 0.5, x1 - x0, y1 - y0), _BOX, "--", text))
    for (x, y, wide, high), color, dashes, text in frames:
        frame = Rectangle((x, y), wide, high, fill=False, edgecolor=color, linewidth=1.8, linestyle=dashes, label=text)
        ax.add_patch(frame)
        handles.append(frame)
    ax.set(xlim=extent[:2], ylim=extent[2:])
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), frameon=False)
    ax.set_title(title if title is not None else f"receptive field of {layer or 'the output'}")
    return ax


def _gradient(
    model: nn.Module, images: Tensor, pixel: tuple[int, int] | None, layer: str | None, weights: str, seed: int
) -> Tensor:
    """Gradient, B x 3 x H x W, of the weighted channels of one position."""
    maps: dict[str, Tensor] = {}
    with torch.enable_grad(), watch(model, maps.__setitem__):
        images = images.detach().clone().requires_grad_()
        model(images)
        if layer is None:
            layer = "output" if "output" in maps else "output[out]"
        output = find_map(layer, maps)
        if output.ndim != 4:
            raise ValueError(f"{layer!r} must be a map B x C x h x w, but it is {tuple(output.shape)}")
        h, w = output.shape[-2:]
        row, column = pixel if pixel is not None else (h // 2, w // 2)
        if not (0 <= row < h and 0 <= column < w):
            raise ValueError(f"pixel must be a row in 0...{h - 1} and a column in 0...{w - 1}, but {pixel} came")
        factors = torch.ones(output.shape[1])
        if weights == "random":
            factors = torch.randn(output.shape[1], generator=torch.Generator().manual_seed(seed))
        scalar = (output[:, :, row, column] * factors.to(output)).sum()
        return torch.autograd.grad(scalar, images)[0]


_ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid,
    nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Dropout, nn.Dropout2d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm,
)  # fmt: skip


def _positive_linear(model: nn.Module) -> nn.Module:
    """A copy that sees the same pixels, without anything that could hide or cancel what it sees."""
    linear = copy.deepcopy(model).cpu().double().eval()
    for name, module in list(linear.named_modules()):
        replacement: nn.Module | None = None
        if isinstance(module, nn.MaxPool2d):
            replacement = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
        elif isinstance(module, _ACTIVATIONS):
            replacement = nn.Identity()
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            with torch.no_grad():
                module.weight.fill_(1 / module.weight[0].numel())
                if module.bias is not None:
                    module.bias.zero_()
        if replacement is not None and name:
            parent, _, child = name.rpartition(".")
            setattr(linear.get_submodule(parent), child, replacement)
    return linear


def _square(field: Any, share: float, center: tuple[float, float] | None) -> tuple[float, float, float]:
    """Side, and row and column of the center."""
    values = np.asarray(field, dtype=np.float64)
    if values.ndim != 2 or not (values >= 0).all() or not values.sum() > 0:
        raise ValueError(
            f"a field must be H x W, not below zero and somewhere above it, but its shape is {values.shape}; "
            "take the magnitude of the gradient"
        )
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, but it is {share}")
    rows, columns = np.arange(values.shape[0])[:, None], np.arange(values.shape[1])[None, :]
    total = values.sum()
    if center is None:
        center = (round(2 * (values * rows).sum() / total) / 2, round(2 * (values * columns).sum() / total) / 2)
    # A pixel lies in the square of side s if it is at most (s - 1) / 2 away, in rows and in columns.
    distance = np.maximum(np.abs(rows - center[0]), np.abs(columns - center[1]))
    rings, ring = np.unique(distance, return_inverse=True)
    held = np.cumsum(np.bincount(ring.ravel(), weights=values.ravel()))
    first = np.searchsorted(held, share * total * (1 - 1e-9))
    return float(2 * rings[first] + 1), *center
