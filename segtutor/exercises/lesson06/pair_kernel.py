"""Exercise 6.11: which pixels of a picture belong together, for every pair of them."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def pair_kernel(image, sigma_xy, sigma_rgb):
    """N x N kernel of an H x W x 3 picture, its rows normalized symmetrically; Gaussian if sigma_rgb is None."""
    raise NotImplementedError("Write pair_kernel() here, then run this cell again.")
'''


def pair_kernel(image: np.ndarray, sigma_xy: float, sigma_rgb: float | None) -> np.ndarray:
    """N x N kernel of an H x W x 3 picture, its rows normalized symmetrically; Gaussian if sigma_rgb is None."""
    height, width = image.shape[:2]
    places = np.indices((height, width)).reshape(2, -1).T / sigma_xy
    features = places
    if sigma_rgb is not None:
        features = np.concatenate([places, image.reshape(-1, 3).astype(float) / sigma_rgb], axis=1)
    distances = ((features[:, None] - features[None]) ** 2).sum(axis=2)
    kernel = np.exp(-distances / 2)
    root = np.sqrt(kernel.sum(axis=1))
    return kernel / (root[:, None] * root[None, :])


def _pair_by_pair(image, sigma_xy, sigma_rgb):  # type: ignore[no-untyped-def]
    import math

    pixels = [(i, j) for i in range(image.shape[0]) for j in range(image.shape[1])]
    kernel = np.zeros((len(pixels), len(pixels)))
    for one, (i, j) in enumerate(pixels):
        for other, (k, m) in enumerate(pixels):
            energy = ((i - k) ** 2 + (j - m) ** 2) / (2 * sigma_xy**2)
            if sigma_rgb is not None:
                colors = sum((int(a) - int(b)) ** 2 for a, b in zip(image[i, j], image[k, m], strict=True))
                energy += colors / (2 * sigma_rgb**2)
            kernel[one, other] = math.exp(-energy)
    total = kernel.sum(axis=0)
    return kernel / np.sqrt(np.outer(total, total))


def _with_torch(image, sigma_xy, sigma_rgb):  # type: ignore[no-untyped-def]
    import torch

    height, width = image.shape[:2]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    parts = [rows.flatten()[:, None] / sigma_xy, columns.flatten()[:, None] / sigma_xy]
    if sigma_rgb is not None:
        parts.append(torch.as_tensor(image).reshape(-1, 3).double() / sigma_rgb)
    features = torch.cat(parts, 1).double()
    kernel = torch.exp(-0.5 * torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist") ** 2)
    scale = kernel.sum(1).rsqrt()
    return torch.diag(scale) @ kernel @ torch.diag(scale)


def _as_a_product(image, sigma_xy, sigma_rgb):  # type: ignore[no-untyped-def]
    """A Gaussian of several features is the product of their Gaussians."""
    kernel = _gaussian(np.indices(image.shape[:2]).reshape(2, -1).T, sigma_xy)
    if sigma_rgb is not None:
        kernel = kernel * _gaussian(image.reshape(-1, 3).astype(float), sigma_rgb)
    return _normalized(kernel)


def _gaussian(points, sigma):  # type: ignore[no-untyped-def]
    return np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2) / (2 * sigma**2))


def _normalized(kernel, how="symmetric"):  # type: ignore[no-untyped-def]
    total = kernel.sum(axis=1)
    with np.errstate(all="ignore"):
        return {
            "symmetric": kernel / np.sqrt(np.outer(total, total)),
            "rows": kernel / total[:, None],
            "columns": kernel / total[None, :],
            "twice": kernel / np.outer(total, total),
            "none": kernel,
        }[how]


def _kernel(  # type: ignore[no-untyped-def]
    image, sigma_xy, sigma_rgb, *,
    how="symmetric", color_type=float, half=2.0, power=2, by_columns=False, own=True, place=True, squared=True,
):  # fmt: skip
    """The kernel with the switches of the mistakes; as it stands, the right one."""
    if by_columns:
        image = image.swapaxes(0, 1)
    places = np.indices(image.shape[:2]).reshape(2, -1).T
    energy = (abs(places[:, None] - places[None]).astype(float) ** power).sum(axis=2)
    energy = energy / (sigma_xy**2 if squared else sigma_xy)
    if not place and sigma_rgb is not None:
        energy = 0 * energy
    if sigma_rgb is not None:
        colors = image.reshape(-1, 3).astype(color_type)
        apart = (colors[:, None] - colors[None]).astype(float)
        energy = energy + (abs(apart) ** power).sum(axis=2) / (sigma_rgb**2 if squared else sigma_rgb)
    kernel = np.exp(-energy / half)
    if not own:
        kernel = kernel - np.eye(len(kernel))
    return _normalized(kernel, how)


def _added(image, sigma_xy, sigma_rgb):  # type: ignore[no-untyped-def]
    """The Gaussian of the places plus that of the colors."""
    kernel = _gaussian(np.indices(image.shape[:2]).reshape(2, -1).T, sigma_xy)
    if sigma_rgb is not None:
        kernel = kernel + _gaussian(image.reshape(-1, 3).astype(float), sigma_rgb)
    return _normalized(kernel)


def _gray(image, sigma_xy, sigma_rgb):  # type: ignore[no-untyped-def]
    """Colors by their mean only."""
    return pair_kernel(np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2) / np.sqrt(3), sigma_xy, sigma_rgb)


def _picture(*rows: list[tuple[int, int, int]]) -> np.ndarray:
    return np.array(rows, dtype=np.uint8)


def _random_picture(seed: int, height: int, width: int, spread: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(100, 100 + spread, size=(height, width, 3)).astype(np.uint8)


_BLACK, _GRAY, _RED = (0, 0, 0), (2, 1, 2), (255, 0, 0)
_NEAR, _FAR = float(np.exp(-0.5)), float(np.exp(-2))  # one and two sigmas apart
_ENDS, _CENTER = 1 + _NEAR + _FAR, 1 + 2 * _NEAR
_THREE_IN_A_ROW = np.array([
    [1 / _ENDS, _NEAR / np.sqrt(_ENDS * _CENTER), _FAR / _ENDS],
    [_NEAR / np.sqrt(_ENDS * _CENTER), 1 / _CENTER, _NEAR / np.sqrt(_ENDS * _CENTER)],
    [_FAR / _ENDS, _NEAR / np.sqrt(_ENDS * _CENTER), 1 / _ENDS],
])  # fmt: skip


def _two(similarity: float) -> np.ndarray:
    """Two pixels: both rows have the same sum."""
    return np.array([[1, similarity], [similarity, 1]]) / (1 + similarity)


EXERCISE = Exercise(
    id="6.11",
    title="The kernels of the dense CRF",
    name="pair_kernel",
    statement="""
In the dense CRF every pixel is tied to every other. How strongly, says a Gaussian of their distance. For two pixels
$i$, $j$ at the places $x$ (row and column) with the colors $c$ (three channels of 0 to 255),

$$k_{ij} = \\exp\\left(-\\frac{|x_i - x_j|^2}{2\\,\\sigma_{xy}^2}
- \\frac{|c_i - c_j|^2}{2\\,\\sigma_{rgb}^2}\\right)$$

is the *bilateral* kernel. Without its second term it is the *Gaussian* kernel. A pixel at the border or of a rare
color has few partners. To make pixels comparable, the authors' code normalizes symmetrically: with the row sums
$d_i = \\sum_j k_{ij}$,

$$\\tilde k_{ij} = k_{ij} / \\sqrt{d_i\\, d_j}.$$

The pixel itself, $k_{ii} = 1$, **is in the sum**, as in the authors' code and by default in
`models.dense_crf` (the paper's formula leaves it out).

Write `pair_kernel(image, sigma_xy, sigma_rgb)`: `image` is H x W x 3 `uint8`, and the result
N x N with N = H W, the pixels row by row. If `sigma_rgb` is `None`, it is the Gaussian kernel.
""",
    stub=STUB,
    reference=pair_kernel,
    cases=(
        Case("one pixel", (_picture([_RED]), 3.0, 5.0), np.ones((1, 1))),
        Case("two pixels, Gaussian", (_picture([_BLACK, _RED]), 1.0, None), _two(_NEAR)),
        Case("three pixels, Gaussian", (_picture([_BLACK, _RED, _BLACK]), 1.0, None), _THREE_IN_A_ROW, "normalized"),
        # one sigma of place, and a color distance of 3, one sigma: together exp(-1)
        Case("two pixels, place and color", (_picture([_BLACK, _GRAY]), 1.0, 3.0), _two(float(np.exp(-1))), "color"),
        Case("sigma 2", (_picture([_BLACK], [_BLACK]), 2.0, 3.0), _two(float(np.exp(-1 / 8))), "exponent"),
        Case("black beside red: too different", (_picture([_BLACK], [_RED]), 2.0, 3.0), np.eye(2), "bytes"),
        Case("3 x 4 pixels, Gaussian", (_random_picture(0, 3, 4, 20), 1.5, None), hint="pixels"),
        Case("3 x 4 pixels, bilateral", (_random_picture(1, 3, 4, 20), 2.5, 13.0)),
        Case("5 x 3 pixels of two colors", (100 * (_random_picture(2, 5, 3, 2) - 99), 4.0, 60.0)),
    ),
    hints={
        "general": Hint(
            "One row of features per pixel, N x 2 or N x 5, each divided by its sigma. Then all differences at once by "
            "broadcasting.",
            "features[:, None] - features[None] is N x N x 5; square, sum over axis 2, np.exp(-distances / 2); then "
            "divide by the roots of the row sums of both pixels.",
        ),
        "normalized": Hint(
            "The normalization is another one: each entry is divided by the root of both row sums, its row's and its "
            "column's.",
            "root = np.sqrt(kernel.sum(axis=1)); kernel / (root[:, None] * root[None, :]).",
        ),
        "exponent": Hint(
            "The exponent is minus the squared distance, divided by twice the squared sigma.",
            "Divide the features by sigma, then np.exp(-0.5 * squared distance).",
        ),
        "color": Hint(
            "Place and color must agree *both*: their exponents are added, with all three channels, so the kernels "
            "multiply.",
            "features = rows, columns and the three channels, each divided by its own sigma.",
        ),
        "bytes": Hint(
            "Bytes cannot be negative: 0 - 255 becomes 1 in uint8. The differences are wrong.",
            "image.astype(float) before any subtraction.",
        ),
        "pixels": Hint(
            "The pixels are counted down the columns. They are wanted row by row.",
            "np.indices((height, width)).reshape(2, -1).T goes with image.reshape(-1, 3).",
        ),
        "itself": Hint(
            "The pixel itself is left out. Here it is in the sum, as in the authors' code.",
            "Leave the diagonal, exp(0) = 1, as it is.",
        ),
    },
    mistakes=(
        Mistake("not normalized", lambda *a: _kernel(*a, how="none"), "normalized"),
        Mistake("rows", lambda *a: _kernel(*a, how="rows"), "normalized"),
        Mistake("columns", lambda *a: _kernel(*a, how="columns"), "normalized"),
        Mistake("without the root", lambda *a: _kernel(*a, how="twice"), "normalized"),
        Mistake("no half", lambda *a: _kernel(*a, half=1.0), "exponent"),
        Mistake("sigma not squared", lambda *a: _kernel(*a, squared=False), "exponent"),
        Mistake("distance not squared", lambda *a: _kernel(*a, power=1), "exponent"),
        Mistake("color ignored", lambda image, xy, rgb: pair_kernel(image, xy, None), "color"),
        Mistake("place ignored", lambda *a: _kernel(*a, place=False), "color"),
        Mistake("kernels added", _added, "color"),
        Mistake("gray values", _gray, "color"),
        Mistake("bytes subtracted", lambda *a: _kernel(*a, color_type=np.uint8), "bytes"),
        Mistake("down the columns", lambda *a: _kernel(*a, by_columns=True), "pixels"),
        Mistake("pixel itself left out", lambda *a: _kernel(*a, own=False), "itself"),
        Mistake(
            "pixel itself left out afterwards",
            lambda *a: pair_kernel(*a) * (1 - np.eye(len(pair_kernel(*a)))),
            "itself",
        ),
    ),
    alternatives=(_pair_by_pair, _with_torch, _as_a_product),
    points=4,
    minutes=20,
    difficulty=3,
)
