"""Segmentation by cuts in a graph, as it was done before networks learned features: GraphCut and GrabCut.

Every pixel is a node, linked to its 8 neighbors. A mask costs what its pixels cost under two color models, plus the
weight of every link that it cuts; links between similar colors are strong. One minimum cut finds the cheapest of all
2^(H W) masks (Boykov and Jolly, ICCV 2001). GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004) learns the color
models, too, by turns with the cut, from nothing but a box.

Letters: H W image, N = H W pixels, E links, M components of a color model. Needs scipy and scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Variance that every color is taken to have of its own (a hundredth of the range, squared): without it the model of a
# flat surface would be infinitely sure.
COLOR_NOISE = 1e-4


@dataclass(frozen=True, eq=False)
class Links:
    """The links between neighboring pixels.

    Attributes:
        first: E pixel numbers, row by row through the image.
        second: E pixel numbers, the other ends.
        weight: E costs of cutting the link.
    """

    first: np.ndarray
    second: np.ndarray
    weight: np.ndarray


def as_float(image: np.ndarray) -> np.ndarray:
    """A color image H x W x 3 with values in 0...1.

    Raises:
        ValueError: If the image has another shape, or is neither uint8 nor float in 0...1.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"the image must be H x W x 3, but its shape is {image.shape}")
    if image.dtype == np.uint8:
        return image / 255.0
    if not np.issubdtype(image.dtype, np.floating) or not ((image >= 0) & (image <= 1)).all():
        raise ValueError(f"the image must be uint8, or float in 0...1, not {image.dtype} with other values")
    return image.astype(np.float64)


def contrast_links(image: np.ndarray, strength: float = 50.0) -> Links:
    """Links to the 8 neighbors, the weaker the more the colors differ (Boykov and Jolly §2.1, Rother eq. 4 and 5).

    weight = strength / distance * exp(-beta |z_p - z_q|^2), with beta = 1 / (2 <|z_p - z_q|^2>) from the image itself.

    Args:
        image: H x W x 3, uint8 or float in 0...1.
        strength: Cost of cutting a link between two equal neighbors. Rother et al. use 50.
    """
    colors = as_float(image)
    height, width, _ = colors.shape
    number = np.arange(height * width).reshape(height, width)
    ends = (
        (number[:, :-1], number[:, 1:], 1.0),
        (number[:-1, :], number[1:], 1.0),
        (number[:-1, :-1], number[1:, 1:], np.sqrt(2)),
        (number[:-1, 1:], number[1:, :-1], np.sqrt(2)),
    )
    first = np.concatenate([a.ravel() for a, _, _ in ends])
    second = np.concatenate([b.ravel() for _, b, _ in ends])
    distance = np.concatenate([np.full(a.size, length) for a, _, length in ends])
    pixels = colors.reshape(-1, 3)
    difference = ((pixels[first] - pixels[second]) ** 2).sum(axis=1)
    mean = difference.mean() if difference.size else 0.0
    beta = 1 / (2 * mean) if mean > 0 else 0.0
    return Links(first, second, strength / distance * np.exp(-beta * difference))


def energy(mask: np.ndarray, object_cost: np.ndarray, background_cost: np.ndarray, links: Links) -> float:
    """What a mask costs: its pixels, plus the links between object and background."""
    flat = np.asarray(mask, dtype=bool).ravel()
    pixels = np.where(flat, np.ravel(object_cost), np.ravel(background_cost)).sum()
    return float(pixels + links.weight[flat[links.first] != flat[links.second]].sum())


def minimum_cut(object_cost: np.ndarray, background_cost: np.ndarray, links: Links) -> np.ndarray:
    """The mask of least energy, exactly (but for rounding to the whole numbers that scipy's maximum flow works with).

    A minimum cut between two extra nodes, source = object and sink = background: the link source-p costs what p costs
    as background, because it is cut when p falls to the sink.

    Args:
        object_cost: H x W, what each pixel costs as object; infinite where it must be background.
        background_cost: H x W, what each pixel costs as background; infinite where it must be object.
        links: Between the pixels, weights 0 or more.

    Returns:
        H x W bool, the object.

    Raises:
        ValueError: If the shapes differ, a pixel may be neither, or a cost is NaN or negative infinite.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    as_object, as_background = np.asarray(object_cost, dtype=np.float64), np.asarray(background_cost, dtype=np.float64)
    if as_object.shape != as_background.shape or as_object.ndim != 2:
        raise ValueError(f"both costs must be H x W, but they are {as_object.shape} and {as_background.shape}")
    if np.isnan(as_object).any() or np.isnan(as_background).any():
        raise ValueError("a cost is NaN; the color models must give every pixel a cost")
    if np.isneginf(as_object).any() or np.isneginf(as_background).any():
        raise ValueError("a cost is negative infinite; to force a pixel, give its other label an infinite cost")
    never_object, never_background = np.isposinf(as_object).ravel(), np.isposinf(as_background).ravel()
    if (never_object & never_background).any():
        raise ValueError("a pixel may be neither object nor background: both its costs are infinite")
    count = as_object.size
    # Only the difference of the two costs matters; beyond all links of a pixel together, a cost is as good as infinite.
    around = np.bincount(links.first, links.weight, count) + np.bincount(links.second, links.weight, count)
    certain = 1.0 + around.max(initial=0.0)
    with np.errstate(invalid="ignore"):
        to_source = np.clip((as_background - as_object).ravel(), -certain, certain)
    to_sink = np.maximum(-to_source, 0)
    to_source = np.maximum(to_source, 0)
    scale = min(1e4, 2.0**30 / max(certain, to_source.sum(), to_sink.sum()))
    source, sink, pixels = np.full(count, count), np.full(count, count + 1), np.arange(count)
    start = np.concatenate([links.first, links.second, source, pixels])
    end = np.concatenate([links.second, links.first, pixels, sink])
    capacity = np.concatenate([links.weight, links.weight, to_source, to_sink])
    graph = coo_matrix((np.round(capacity * scale).astype(np.int32), (start, end)), (count + 2, count + 2)).tocsr()
    residual = graph - maximum_flow(graph, count, count + 1).flow
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, count, return_predecessors=False)
    mask = np.zeros(count + 2, dtype=bool)
    mask[reached] = True
    return mask[:count].reshape(as_object.shape)


@dataclass(frozen=True, eq=False)
class ColorModel:
    """A mixture of Gaussians over colors, each pixel belonging to one component alone (Rother §3.1).

    Attributes:
        share: M, the part of the pixels that each component explains.
        mean: M x 3.
        covariance: M x 3 x 3.
    """

    share: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    def component_costs(self, pixels: np.ndarray) -> np.ndarray:
        """N x M: the negative logarithm of share times density, without the constant (Rother eq. 9)."""
        precision = np.linalg.inv(self.covariance)
        # M x N x 3: offsets from the mean, turned and stretched until the covariance is the identity.
        whitened = (pixels - self.mean[:, None]) @ np.linalg.cholesky(precision)
        mahalanobis = np.square(whitened).sum(axis=2).T
        # The noise of the pixel itself. With it, `fit` is exactly the cheapest model for a given assignment.
        noise = COLOR_NOISE * np.trace(precision, axis1=1, axis2=2)
        return -np.log(self.share) + 0.5 * (np.linalg.slogdet(self.covariance)[1] + mahalanobis + noise)

    def cost(self, image: np.ndarray) -> np.ndarray:
        """What every pixel of an image in 0...1 costs under its best component: H x W."""
        return self.component_costs(image.reshape(-1, 3)).min(axis=1).reshape(image.shape[:2])

    def refit(self, pixels: np.ndarray) -> ColorModel:
        """Assigns each pixel to its best component and fits the components anew: the cost never rises."""
        return fit_components(pixels, self.component_costs(pixels).argmin(axis=1))


def fit_components(pixels: np.ndarray, assignment: np.ndarray) -> ColorModel:
    """The best color model for N x 3 pixels whose components are known; a component without pixels disappears."""
    groups = [pixels[assignment == number] for number in np.unique(assignment)]
    means = np.stack([group.mean(axis=0) for group in groups])
    centered = [group - mean for group, mean in zip(groups, means, strict=True)]
    covariances = np.stack([c.T @ c / len(c) + COLOR_NOISE * np.eye(3) for c in centered])
    return ColorModel(np.array([len(group) for group in groups]) / len(pixels), means, covariances)


def fit_color_model(pixels: np.ndarray, components: int = 5, seed: int = 0) -> ColorModel:
    """A color model for N x 3 pixels in 0...1, its components begun by K-means.

    Raises:
        ValueError: If there are no pixels, or fewer than one component is asked for.
    """
    from sklearn.cluster import KMeans

    if pixels.ndim != 2 or pixels.shape[1] != 3 or len(pixels) == 0:
        raise ValueError(f"a color model needs N x 3 pixels, at least one, but the shape is {pixels.shape}")
    if components < 1:
        raise ValueError(f"components must be 1 or more, but it is {components}")
    different = len(np.unique(pixels, axis=0))
    means = KMeans(min(components, different), n_init=1, random_state=seed).fit(pixels)
    return fit_components(pixels, means.labels_)


def graph_cut(
    image: np.ndarray,
    object_seeds: np.ndarray,
    background_seeds: np.ndarray,
    strength: float = 50.0,
    components: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """One cut, with color models learned from the pixels that the user has marked (Boykov and Jolly 2001).

    # differs: mixtures of Gaussians in place of histograms of gray values, so that GrabCut differs in one thing only.

    Args:
        image: H x W x 3, uint8 or float in 0...1.
        object_seeds: H x W bool, pixels known to be object.
        background_seeds: H x W bool, pixels known to be background.
        strength: Weight of the links; 0 judges each pixel by its color alone.
        components: Gaussians per color model.
        seed: For the K-means that begins them.

    Returns:
        H x W bool, the object.

    Raises:
        ValueError: If there are no seeds of a kind, a pixel is marked as both, or the sizes differ.
    """
    colors = as_float(image)
    inside, outside = _seeds(object_seeds, colors, "object_seeds"), _seeds(background_seeds, colors, "background_seeds")
    if (inside & outside).any():
        raise ValueError("a pixel is marked as object and as background; every seed must be one of the two")
    object_cost = fit_color_model(colors[inside], components, seed).cost(colors)
    background_cost = fit_color_model(colors[outside], components, seed).cost(colors)
    object_cost[outside], background_cost[inside] = np.inf, np.inf
    return minimum_cut(object_cost, background_cost, contrast_links(colors, strength))


def _seeds(seeds: np.ndarray, colors: np.ndarray, name: str) -> np.ndarray:
    seeds = np.asarray(seeds)
    if seeds.dtype != np.bool_ or seeds.shape != colors.shape[:2]:
        raise ValueError(f"{name} must be bool {colors.shape[:2]} as the image, not {seeds.dtype} {seeds.shape}")
    if not seeds.any():
        raise ValueError(f"{name} marks no pixel; mark at least one")
    return seeds


@dataclass(frozen=True, eq=False)
class GrabCut:
    """What GrabCut found, pass by pass.

    Attributes:
        masks: The object after each pass, H x W bool; the last one is the result.
        energies: Energy after each pass; it never rises (but for the cut's rounding).
    """

    masks: tuple[np.ndarray, ...]
    energies: tuple[float, ...]

    @property
    def mask(self) -> np.ndarray:
        """The result."""
        return self.masks[-1]


def grab_cut(
    image: np.ndarray,
    allowed: np.ndarray,
    object_seeds: np.ndarray | None = None,
    passes: int = 10,
    strength: float = 50.0,
    components: int = 5,
    seed: int = 0,
) -> GrabCut:
    """GrabCut: color models and cut by turns, until the mask stays as it is (Rother et al. 2004, figure 3).

    Args:
        image: H x W x 3, uint8 or float in 0...1.
        allowed: H x W bool, true inside the user's box: the object lies there, all else is background.
        object_seeds: H x W bool, pixels known to be object; None for none.
        passes: At most so many.
        strength: Weight of the links.
        components: Gaussians per color model.
        seed: For the K-means that begins them.

    Raises:
        ValueError: If the box is empty or holds the whole image, seeds lie outside it, or the sizes differ.
    """
    colors = as_float(image)
    allowed = _seeds(allowed, colors, "allowed")
    outside = _seeds(~allowed, colors, "the outside of allowed")
    known = np.zeros_like(allowed) if object_seeds is None else _seeds(object_seeds, colors, "object_seeds")
    if (known & outside).any():
        raise ValueError("object_seeds lie outside the box; make the box larger or leave them out")
    if passes < 1:
        raise ValueError(f"passes must be 1 or more, but it is {passes}")
    links = contrast_links(colors, strength)
    mask = allowed
    models = [fit_color_model(colors[part], components, seed) for part in (mask, ~mask)]
    masks: list[np.ndarray] = []
    energies: list[float] = []
    for _ in range(passes):
        models = [model.refit(colors[part]) for model, part in zip(models, (mask, ~mask), strict=True)]
        object_cost, background_cost = (model.cost(colors) for model in models)
        object_cost[outside], background_cost[known] = np.inf, np.inf
        mask = minimum_cut(object_cost, background_cost, links)
        masks.append(mask)
        energies.append(energy(mask, object_cost, background_cost, links))
        # An object of no pixels has no colors to go on with.
        if not mask.any() or (len(masks) > 1 and (mask == masks[-2]).all()):
            break
    return GrabCut(tuple(masks), tuple(energies))
