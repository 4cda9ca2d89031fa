"""Exercise 6.11: which pixels of a picture belong together, for every pair of them."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson06.pair_kernel_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

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
    root = np.sqrt(kernel.sum(axis=0))
    return kernel / root / root[:, None]


def _gaussian(points, sigma):  # type: ignore[no-untyped-def]
    return np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2) / (2 * sigma**2))


def _picture(*rows: list[tuple[int, int, int]]) -> np.ndarray:
    return np.array(rows, dtype=np.uint8)


def _random_picture(seed: int, height: int, width: int, spread: int) -> np.ndarray:
    return seeded(seed).integers(100, 100 + spread, size=(height, width, 3)).astype(np.uint8)


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
    title="The kernels of the dense CRF, with three mistakes",
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

Somebody has written this:

```python
def pair_kernel(image, sigma_xy, sigma_rgb):
    features = np.indices(image.shape[:2]).reshape(2, -1).T / sigma_xy
    if sigma_rgb is not None:
        features = np.concatenate([features, image.reshape(-1, 3) / sigma_rgb], axis=1)
    distances = np.abs(features[:, None] - features[None]).sum(axis=2) ** 2
    kernel = np.exp(-distances)
    return kernel / kernel.sum(axis=1, keepdims=True)
```

It runs. But a diagonal neighbor is tied as weakly as one two pixels away; with a sigma of 3 everything looks as one
would expect it of 2.1; and pixel $i$ does not hear of $j$ what $j$ hears of $i$, although the kernel is to be
symmetric. **There are three mistakes in it.** Find them, and write `pair_kernel(image, sigma_xy, sigma_rgb)` as it
should be: `image` is H x W x 3 `uint8`, and the result N x N with N = H W, the pixels row by row. If `sigma_rgb` is
`None`, it is the Gaussian kernel.
""",
    stub=STUB,
    reference=pair_kernel,
    cases=(
        Case("one pixel", (_picture([_RED]), 3.0, 5.0), np.ones((1, 1))),
        Case("two pixels, Gaussian", (_picture([_BLACK, _RED]), 1.0, None), _two(_NEAR), "two pixels"),
        Case("three pixels, Gaussian", (_picture([_BLACK, _RED, _BLACK]), 1.0, None), _THREE_IN_A_ROW, "three"),
        # one sigma of place, and a color distance of 3, one sigma: together exp(-1)
        Case(
            "two pixels, place and color",
            (_picture([_BLACK, _GRAY]), 1.0, 3.0),
            _two(float(np.exp(-1))),
            "color distance",
        ),
        Case("sigma 2", (_picture([_BLACK], [_BLACK]), 2.0, 3.0), _two(float(np.exp(-1 / 8))), "two sigmas"),
        Case("black beside red: too different", (_picture([_BLACK], [_RED]), 2.0, 3.0), np.eye(2), "far colors"),
        # 255 in each channel, the squares add up to 195,075
        Case(
            "black beside white, sigma 255",
            (_picture([_BLACK, (255, 255, 255)]), 1e6, 255.0),
            _two(float(np.exp(-1.5))),
            "far colors",
        ),
        Case(
            "13 pixels in a row: far ones count a little",
            (np.zeros((1, 13, 3), dtype=np.uint8), 2.0, None),
            hint="all pairs",
        ),
        Case("13 pixels in a column", (np.zeros((13, 1, 3), dtype=np.uint8), 2.0, 9.0), hint="all pairs"),
        Case("3 x 4 pixels, Gaussian", (_random_picture(0, 3, 4, 20), 1.5, None), hint="row by row"),
        Case("3 x 4 pixels, bilateral", (_random_picture(1, 3, 4, 20), 2.5, 13.0)),
        Case("5 x 3 pixels of two colors", (100 * (_random_picture(2, 5, 3, 2) - 99), 4.0, 60.0)),
    ),
    hints={
        "general": Hint(
            "Hold each of the three complaints against the formulas: which distance is in the exponent, what else "
            "stands below it, and by what is a number of the kernel divided?",
            "With every feature divided by its sigma, the exponent is minus half a sum of squares, whichever kernel "
            "it is. An additional axis gives all pairs of pixels. Normalize with the row sums of both pixels of a "
            "pair, one along the rows and one along the columns.",
        ),
        "normalized": Hint(
            "Each entry is divided by the root of both row sums multiplied, its row's and its column's.",
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
            "Bytes cannot be negative: 0 - 255 becomes 1 in uint8, and squares above the largest number begin again.",
            "image.astype(float) before any subtraction.",
        ),
        "pixels": Hint(
            "The pixels are counted row by row; rows and columns keep their own distances.",
            "np.indices((height, width)).reshape(2, -1).T goes with image.reshape(-1, 3).",
        ),
        "itself": Hint(
            "The pixel itself belongs to the sum and to the result: k is 1 there before the normalization.",
            "Leave the diagonal, exp(0) = 1, as it is.",
        ),
        "two pixels": Hint(
            "Two pixels, one sigma apart: k is exp(-1/2), and the row sums are 1 + exp(-1/2) each. Without sigma_rgb "
            "the "
            "color plays no part.",
            "k / sqrt(d_i d_j), with the diagonal in d.",
        ),
        "three": Hint(
            "The middle pixel has more partners, so its row sum is larger: each entry is divided by sqrt(d_i d_j).",
            "root = np.sqrt(kernel.sum(axis=1)); kernel / (root[:, None] * root[None, :]).",
        ),
        "color distance": Hint(
            "One sigma of place and the color distance 3 (2, 1, 2 in the channels), one sigma of color: exp(-1/2) "
            "times "
            "exp(-1/2).",
            "All three channels, squared and added; the exponents add up.",
        ),
        "two sigmas": Hint(
            "One pixel apart, with sigma 2: the exponent is -1 / (2 * 2 * 2) = -1/8. Each distance has its own sigma.",
            "Divide the features by sigma, then np.exp(-0.5 * squared distance).",
        ),
        "far colors": Hint(
            "The colors are 255 apart, in numbers of 0 to 255 of type uint8. Squares of up to 195,075 must fit.",
            "image.astype(float) before any subtraction.",
        ),
        "all pairs": Hint(
            "Every pixel is tied to every other, however weakly: no pair is left out.", "No window around a pixel."
        ),
        "row by row": Hint(
            "Three rows of four pixels: number 5 is the second row's second pixel.",
            "np.indices((height, width)).reshape(2, -1).T goes with image.reshape(-1, 3).",
        ),
        "none": Hint(
            "If sigma_rgb is None, the color plays no part at all.",
            "if sigma_rgb is not None: add the color's exponent.",
        ),
        "shape": Hint("The result is N x N, with N = H W.", "One row and one column for each pixel."),
    },
    mistakes=MISTAKES,
    alternatives=(_pair_by_pair, _with_torch, _as_a_product),
    points=4,
    minutes=25,
    difficulty=3,
)
