"""What stands out in a picture, cut out: U²-Net's map, from 0 (background) to 1 (object).

    picture -> divide by its maximum -> 320 x 320 -> normalize -> network -> sigmoid -> the picture's size

Shapes: H W the picture.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.inference.devices import device_of
from segtutor.inference.images import ImageSource, load_image
from segtutor.inference.predict import evaluating, preprocessing_of

TRAINED_AT = (320, 320)  # U²-Net §4.3


def salient(model: nn.Module, image: ImageSource, *, size: tuple[int, int] = TRAINED_AT) -> Tensor:
    """Probability of each pixel to belong to what stands out. The model may be in any mode, and is left as it was.

    The picture is shown at one size whatever its shape, as the network was trained; other sizes give other maps, not
    finer ones. The authors' code and programs that use it then stretch the map to 0...1: they find something in every
    picture. Here, an empty wall gives an empty map.

    Args:
        model: A network with one map, as ``create("u2netp", weights="pip")``.
        image: Whatever ``load_image`` takes.
        size: Height and width at which the network sees the picture.

    Returns:
        H x W float32 from 0 to 1 on the CPU.

    Raises:
        ValueError: If the image is none, the size too small, or the network has more than one map.
    """
    maps = getattr(model, "num_classes", 1)
    if maps != 1:
        raise ValueError(
            f"this network tells {maps} classes apart; salient wants one with a single map, as "
            "models.create('u2netp', weights='pip'); predict is for the others"
        )
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"size is {size}, but must be (height, width), both at least 1")
    pixels = load_image(image).to(device_of(model))
    brightest = pixels.max()
    pixels = pixels / brightest if brightest > 0 else pixels  # as in training: the brightest value is 1
    small = F.interpolate(pixels[None], size, mode="bilinear", antialias=True).clamp(0, 1)  # 1 x 3 x h x w
    with evaluating(model):
        output = model(preprocessing_of(model).normalize(small))
        logits = output["out"] if isinstance(output, dict) else output
        probability = logits.float().sigmoid()
        probability = F.interpolate(probability, pixels.shape[-2:], mode="bilinear", antialias=True)
    return probability[0, 0].clamp(0, 1).cpu()
