"""The fully connected conditional random field of DeepLab v1 and v2 (Krähenbühl & Koltun 2011; DeepLab v2 §3.3).

Every pair of pixels is an edge. Two pixels that lie close together (Gaussian kernel), or close together *and* of
similar color (bilateral kernel), are pulled towards the same label:

    E(x) = sum_i U_i(x_i) + sum_{i<j} [x_i != x_j] * (w1 * bilateral(i, j) + w2 * gaussian(i, j)),   U = -log p

Mean field approximates the posterior by independent pixels Q_i, and improves all of them at once, again and again:

    Q <- softmax(-U + sum_m w_m * K_m Q)                      one filter per kernel: that is the whole algorithm

Shapes: B images, K classes, H W image, N = H * W pixels.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from segtutor.models.crf_exact import ExactFilter
from segtutor.models.crf_lattice import LatticeFilter

METHODS = ("auto", "exact", "lattice")
QUALITIES = ("reference", "fine")
NORMALIZATIONS = ("symmetric", "before", "after", "none")
FEATURE_ORDERS = ("xy", "yx")
# "auto" compares all pairs up to this many pixels, where it takes less time than building a lattice is worth.
EXACT_UP_TO = 2500
# Modes of Pillow's pictures whose conversion to RGB changes no color.
_PICTURES = ("RGB", "RGBA", "RGBX", "L", "LA", "P", "1", "CMYK", "YCbCr", "HSV")
# Between -80 and 80, neither exp nor its sum over classes leaves the range of float32.
_SAFE_EXPONENT = 80
# Floor of the probabilities before the logarithm; pydensecrf's unary_from_softmax has the same.
SMALLEST_PROBABILITY = 1e-5


class NormalizedFilter:
    """A kernel filter with its rows brought to a comparable size, K~ in place of K.

    With D the sums of the kernel's rows: "symmetric" is D^-1/2 K D^-1/2, "after" D^-1 K, "before" K D^-1.

    Args:
        kernel: ``ExactFilter`` or ``LatticeFilter``.
        normalization: One of the above, or "none".
        include_self: Keep the pixel's own vote, the term j = i. The paper's sum leaves it out, its code keeps it.
    """

    def __init__(self, kernel: ExactFilter | LatticeFilter, normalization: str, include_self: bool) -> None:
        one = kernel.ones()
        own = None if include_self else kernel.diagonal()
        # 1e-20, as in the reference: a point so far from all others that float32 sums underflow.
        total = kernel(one[:, None])[:, 0] - (0 if own is None else own) + 1e-20
        before = {"symmetric": total.rsqrt(), "before": 1 / total}.get(normalization, one)
        after = {"symmetric": total.rsqrt(), "after": 1 / total}.get(normalization, one)
        self.kernel = kernel.scaled(before, after)
        self.own = None if own is None else (before * own * after)[:, None]

    def __call__(self, values: Tensor) -> Tensor:
        """The filtered values, N x K."""
        filtered = self.kernel(values)
        return filtered if self.own is None else filtered - self.own * values


class MeanField:
    """Mean-field inference of one image, open to view.

    Args:
        unary: N x K, -log of the probabilities.
        kernels: (weight, filter) pairs; a weight is a number or a tensor that wants a gradient.

    Attributes:
        probabilities: N x K, the present Q.
    """

    def __init__(self, unary: Tensor, kernels: list[tuple[float | Tensor, NormalizedFilter]]) -> None:
        self.unary, self.kernels = unary, kernels
        self.evidence = -unary
        self.probabilities = _softmax(self.evidence.clone())

    def message(self) -> Tensor:
        """What the other pixels say for each label of each pixel, N x K."""
        return self._add_messages(torch.zeros_like(self.unary))

    def step(self) -> Tensor:
        """One iteration: filter, weigh, add the unary, normalize. Returns the new probabilities."""
        scores = self._add_messages(self.evidence)
        self.probabilities = _softmax(scores if self.kernels else scores.clone())
        return self.probabilities

    def _add_messages(self, total: Tensor) -> Tensor:
        # In place where no gradient forbids it: at 500 x 375 pixels and 21 labels each copy is 16 MB, and copies would
        # cost as much as the filters.
        for number, (weight, kernel) in enumerate(self.kernels):
            filtered = kernel(self.probabilities)
            if isinstance(weight, Tensor):
                total = torch.addcmul(total, filtered, weight) if number == 0 else total.addcmul_(filtered, weight)
            elif number:
                total = total.add_(filtered, alpha=weight)
            elif filtered.requires_grad or total.requires_grad:
                total = torch.add(total, filtered, alpha=weight)
            else:
                total = torch.add(total, filtered, alpha=weight, out=filtered)
        return total

    def free_energy(self) -> float:
        """What mean field is meant to lower: the mean energy under Q minus its entropy.

        Without the pixels' own votes (``include_self=False``) it is KL(Q || P) up to a constant. With them each pixel
        adds -1/2 K_ii sum_k Q_ik^2, which is a constant for hard labels only. The half is there because each pair of
        pixels is met twice.
        """
        q = self.probabilities.detach()
        with torch.no_grad():
            entropy = -torch.special.xlogy(q, q).sum()
            return float((q * self.unary).sum() - 0.5 * (q * self.message()).sum() - entropy)


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over the classes of N x K scores, which it may overwrite."""
    if scores.requires_grad or not scores.numel():
        return torch.softmax(scores, 1)
    low, high = scores.aminmax()
    if not (low > -_SAFE_EXPONENT and high < _SAFE_EXPONENT):
        return torch.softmax(scores, 1)
    # PyTorch's own works row by row, and a row of classes is too short for vectors: whole arrays take half the time.
    scores.exp_()
    return scores.mul_((scores @ torch.ones_like(scores[0])).reciprocal_()[:, None])


def dense_crf(
    probabilities: Any,
    image: Any,
    iterations: int = 10,
    gaussian_sigma: float = 3,
    gaussian_weight: float | Tensor = 3,
    bilateral_sigma_xy: float = 67,
    bilateral_sigma_rgb: float = 3,
    bilateral_weight: float | Tensor = 4,
    method: str = "auto",
    quality: str = "reference",
    normalization: str = "symmetric",
    include_self: bool = True,
    feature_order: str = "xy",
) -> Any:
    """Sharpen class probabilities along the edges of the image.

    The Gaussian kernel's defaults are DeepLab v2's (§4.1.1); the bilateral kernel's are those of a well-known port
    and lie in the ranges that the paper searched. Differentiable with respect to ``probabilities`` and the two weights.

    Args:
        probabilities: K x H x W or B x K x H x W, adding up to 1 over K: a softmax, not logits.
        image: 3 x H x W or B x 3 x H x W, uint8, RGB. A NumPy image may also be H x W x 3; a picture of Pillow will do.
        iterations: Mean-field steps.
        gaussian_sigma: Reach of the smoothing kernel, in pixels.
        gaussian_weight: Its weight; 0 leaves it out.
        bilateral_sigma_xy: Reach of the color kernel, in pixels.
        bilateral_sigma_rgb: Difference of colors that it tolerates, in steps of 0-255.
        bilateral_weight: Its weight; 0 leaves it out.
        method: "exact" compares every pair (up to 10 000 pixels); "lattice" filters, in time linear in the pixels;
            "auto" is exact up to 2500 pixels.
        quality: Of the lattice: "reference" gives what the authors' implementation gives, "fine" comes nearer to exact.
        normalization: "symmetric", "before", "after" or "none", see ``NormalizedFilter``.
        include_self: Keep the pixel's own vote, as the authors' implementation does.
        feature_order: "xy" or "yx": in which order the lattice takes the coordinates, which changes its rounding.

    Returns:
        The refined probabilities, shaped like ``probabilities``; an array for an array, a tensor for a tensor.

    Raises:
        ValueError: If probabilities and image do not fit, are not what they should be, or a setting is not allowed.
    """
    as_array = not isinstance(probabilities, Tensor)
    if as_array:
        # A mirrored array, a[:, ::-1], runs backwards through memory, which torch cannot.
        probabilities = torch.as_tensor(np.ascontiguousarray(probabilities))
    image = _as_chw(image).to(probabilities.device)
    single = probabilities.ndim == 3
    if single:
        probabilities, image = probabilities[None], image[None] if image.ndim == 3 else image
    _check(probabilities, image)
    for name, value, allowed in (
        ("method", method, METHODS), ("quality", quality, QUALITIES),
        ("normalization", normalization, NORMALIZATIONS), ("feature_order", feature_order, FEATURE_ORDERS),
    ):  # fmt: skip
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}")
    for name, sigma in (
        ("gaussian_sigma", gaussian_sigma),
        ("bilateral_sigma_xy", bilateral_sigma_xy),
        ("bilateral_sigma_rgb", bilateral_sigma_rgb),
    ):
        if not sigma > 0:
            raise ValueError(f"{name} is {sigma}, but must be above 0; to leave a kernel out, set its weight to 0")
    if iterations < 0 or iterations != int(iterations):
        raise ValueError(f"iterations is {iterations}, but must be a whole number, at least 0")

    exact = method == "exact" or (method == "auto" and image.shape[-2] * image.shape[-1] <= EXACT_UP_TO)
    refined = []
    for one, picture in zip(probabilities, image, strict=True):
        kernels = [
            (weight, NormalizedFilter(_kernel(features, exact, quality), normalization, include_self))
            for weight, features in (
                (gaussian_weight, pixel_features(picture, gaussian_sigma, None, feature_order)),
                (bilateral_weight, pixel_features(picture, bilateral_sigma_xy, bilateral_sigma_rgb, feature_order)),
            )
            if isinstance(weight, Tensor) or weight != 0
        ]
        field = MeanField(unary(one), kernels)
        for _ in range(int(iterations)):
            field.step()
        refined.append(field.probabilities.T.reshape(one.shape))
    result = refined[0] if single else torch.stack(refined)
    return result.detach().numpy() if as_array else result


def unary(probabilities: Tensor) -> Tensor:
    """-log p as N x K float32, from K x H x W; probabilities below 1e-5 count as 1e-5."""
    flat = probabilities.flatten(1)
    if flat.dtype not in (torch.float32, torch.float64):
        flat = flat.float()
    return flat.clamp(SMALLEST_PROBABILITY, 1).log().neg().T.contiguous()


def pixel_features(image: Tensor, sigma_xy: float, sigma_rgb: float | None, order: str = "xy") -> Tensor:
    """Position, and color unless ``sigma_rgb`` is None, of each pixel in units of the sigmas; N x 2 or N x 5."""
    _, height, width = image.shape
    rows, columns = torch.meshgrid(
        torch.arange(height, device=image.device), torch.arange(width, device=image.device), indexing="ij"
    )
    place = [columns, rows] if order == "xy" else [rows, columns]
    features = [coordinate.flatten().float() / sigma_xy for coordinate in place]
    if sigma_rgb is not None:
        features += [channel.flatten().float() / sigma_rgb for channel in image]
    return torch.stack(features, 1)


def _kernel(features: Tensor, exact: bool, quality: str) -> ExactFilter | LatticeFilter:
    return ExactFilter(features) if exact else LatticeFilter(features, fine=quality == "fine")


def _as_chw(image: Any) -> Tensor:
    if isinstance(image, Image.Image):
        if image.mode not in _PICTURES:
            raise ValueError(
                f"the image is a picture of Pillow of mode {image.mode}, but must be one of {', '.join(_PICTURES)}: "
                "bring its values to 0...255 yourself, and give an array"
            )
        image = np.asarray(image.convert("RGB"))
    if isinstance(image, np.ndarray) and image.ndim >= 3 and image.shape[-1] == 3 and image.shape[-3] != 3:
        image = np.moveaxis(image, -1, -3)
    return torch.as_tensor(np.ascontiguousarray(image) if isinstance(image, np.ndarray) else image)


def _check(probabilities: Tensor, image: Tensor) -> None:
    for name, tensor in (("probabilities", probabilities), ("image", image)):
        if tensor.is_meta or tensor.layout is not torch.strided:
            raise ValueError(
                f"{name} is a tensor of the layout {tensor.layout} on {tensor.device}, but a dense one with values is "
                "needed: of a sparse one take tensor.to_dense()"
            )
    if probabilities.ndim != 4 or not probabilities.is_floating_point():
        raise ValueError(
            f"probabilities are {tuple(probabilities.shape)} {probabilities.dtype}, but must be floats of shape "
            "K x H x W or B x K x H x W"
        )
    if image.dtype != torch.uint8:
        raise ValueError(
            f"the image is {image.dtype}, but the color kernel wants uint8, 0 to 255: give the picture itself, before "
            "any normalization"
        )
    wanted = (len(probabilities), 3, *probabilities.shape[-2:])
    if tuple(image.shape) != wanted:
        raise ValueError(
            f"the image is {tuple(image.shape)}, but for these probabilities it must be {wanted}"
            f"{_channels_last(tuple(probabilities.shape), tuple(image.shape))}"
        )
    # A softmax in 16 bits adds up to 1 as well as 16 bits can tell.
    tolerance = max(1e-3, 2 * torch.finfo(probabilities.dtype).eps)
    values = probabilities.detach().to(torch.promote_types(probabilities.dtype, torch.float32))
    error, lowest = float((values.sum(1) - 1).abs().max()), float(values.min())
    if not isfinite(error):  # as the sum is, if one of its numbers is NaN or infinite
        count = int((~torch.isfinite(values)).sum())
        raise ValueError(f"{count} of the probabilities are NaN or infinite: look at the network's logits")
    if lowest < 0 or error > tolerance:
        advice = "give a softmax over the classes, logits.softmax(1)"
        if probabilities.shape[1] == 1:
            advice = "of one channel p of a sigmoid give both classes: stack 1 - p and p, torch.cat([1 - p, p], dim=-3)"
        raise ValueError(
            f"the probabilities range from {lowest:.3g} and their sums are off 1 by up to {error:.3g}: {advice}"
        )


def _channels_last(probabilities: tuple[int, ...], image: tuple[int, ...]) -> str:
    """What to do if one of the two has its channels last; nothing if that is not why they do not fit."""
    if len(image) != 4:
        return ""
    sizes = {image[-2:]} if image[-3] == 3 else {image[1:3]} if image[-1] == 3 else set()
    if probabilities[1:3] in sizes and probabilities[2:] not in sizes:
        return "; the probabilities have their classes last, H x W x K: give them as K x H x W, np.moveaxis(p, -1, -3)"
    if image[-1] == 3 and image[1:3] == probabilities[2:]:
        return "; the image has its colors last: give it as 3 x H x W, image.movedim(-1, -3)"
    return ""
