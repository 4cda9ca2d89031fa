"""Graph cuts: worked by hand, against every mask of small images, against scipy's Gaussian, then what always holds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from segtutor.classical import (
    COLOR_NOISE,
    ColorModel,
    Links,
    as_float,
    contrast_links,
    energy,
    fit_color_model,
    fit_components,
    grab_cut,
    graph_cut,
    minimum_cut,
)


def two_tone(noise=0.02, seed=0):
    """A reddish square on green, with noise; and its mask."""
    random = np.random.default_rng(seed)
    mask = np.zeros((20, 24), dtype=bool)
    mask[6:15, 7:18] = True
    image = np.where(mask[..., None], [0.8, 0.3, 0.2], [0.2, 0.6, 0.3]) + random.normal(0, noise, (20, 24, 3))
    return np.clip(image, 0, 1), mask


def box_around(mask, margin=2):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.zeros_like(mask)
    box[rows[0] - margin : rows[-1] + 1 + margin, columns[0] - margin : columns[-1] + 1 + margin] = True
    return box


def test_links_of_two_by_two_pixels_by_hand():
    # Pixels 0 1 / 2 3; only pixel 3 differs, by 1 in one channel. Mean squared difference of the 6 links: 3 of 6 are 1.
    image = np.zeros((2, 2, 3))
    image[1, 1, 0] = 1.0
    links = contrast_links(image, strength=10.0)
    found = {(int(a), int(b)): float(w) for a, b, w in zip(links.first, links.second, links.weight, strict=True)}
    weak = np.exp(-1.0)  # beta = 1 / (2 * 0.5) = 1
    diagonal = 10 / np.sqrt(2)
    assert found == pytest.approx(
        {(0, 1): 10, (0, 2): 10, (1, 2): diagonal, (1, 3): 10 * weak, (2, 3): 10 * weak, (0, 3): diagonal * weak}
    )


def test_a_flat_image_has_full_links():
    links = contrast_links(np.full((2, 2, 3), 7, dtype=np.uint8), strength=4.0)
    np.testing.assert_allclose(sorted(links.weight), [4 / np.sqrt(2)] * 2 + [4.0] * 4)


def test_energy_by_hand():
    links = Links(np.array([0, 1]), np.array([1, 2]), np.array([5.0, 0.5]))
    object_cost, background_cost = np.array([[1.0, 2.0, 9.0]]), np.array([[4.0, 3.0, 1.0]])
    assert energy(np.array([[True, True, False]]), object_cost, background_cost, links) == 1 + 2 + 1 + 0.5
    assert energy(np.array([[True, False, False]]), object_cost, background_cost, links) == 1 + 3 + 1 + 5


def test_a_strong_link_carries_a_doubtful_pixel_along():
    object_cost, background_cost = np.array([[0.0, 1.0, 9.0]]), np.array([[9.0, 0.5, 0.0]])
    to_left = Links(np.array([0, 1]), np.array([1, 2]), np.array([3.0, 0.1]))
    to_right = Links(np.array([0, 1]), np.array([1, 2]), np.array([0.1, 3.0]))
    assert minimum_cut(object_cost, background_cost, to_left).tolist() == [[True, True, False]]
    assert minimum_cut(object_cost, background_cost, to_right).tolist() == [[True, False, False]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 2.0, 20.0]))
def test_no_mask_of_nine_pixels_is_cheaper(seed, strength):
    random = np.random.default_rng(seed)
    links = contrast_links(random.random((3, 3, 3)), strength)
    object_cost, background_cost = random.normal(0, 2, (2, 3, 3))
    cheapest = min(
        energy(np.array(bits).reshape(3, 3), object_cost, background_cost, links)
        for bits in itertools.product([False, True], repeat=9)
    )
    cut = minimum_cut(object_cost, background_cost, links)
    assert energy(cut, object_cost, background_cost, links) == pytest.approx(cheapest, abs=1e-2)


def test_infinite_costs_are_obeyed_against_all_links():
    random = np.random.default_rng(3)
    links = contrast_links(random.random((8, 8, 3)), 500.0)
    object_cost, background_cost = np.zeros((8, 8)), np.full((8, 8), 100.0)
    object_cost[2, 2] = np.inf
    background_cost[5, 5] = np.inf
    cut = minimum_cut(object_cost, background_cost, links)
    assert not cut[2, 2]
    assert cut[5, 5]
    assert np.isfinite(energy(cut, object_cost, background_cost, links))


def test_color_costs_are_scipys_gaussian():
    random = np.random.default_rng(0)
    pixels = random.random((40, 3))
    root = random.normal(0, 0.3, (2, 3, 3))
    model = ColorModel(np.array([0.3, 0.7]), random.random((2, 3)), root @ root.transpose(0, 2, 1) + 0.01 * np.eye(3))
    wanted = np.stack([
        -np.log(share) - multivariate_normal(mean, covariance).logpdf(pixels) - 1.5 * np.log(2 * np.pi)
        + 0.5 * COLOR_NOISE * np.trace(np.linalg.inv(covariance))
        for share, mean, covariance in zip(model.share, model.mean, model.covariance, strict=True)
    ], axis=1)  # fmt: skip
    np.testing.assert_allclose(model.component_costs(pixels), wanted)
    np.testing.assert_allclose(model.cost(pixels.reshape(5, 8, 3)), wanted.min(axis=1).reshape(5, 8))


def test_components_by_hand():
    pixels = np.array([[0.0, 0, 0], [0.2, 0, 0], [1, 1, 1]])
    model = fit_components(pixels, np.array([0, 0, 4]))
    np.testing.assert_allclose(model.share, [2 / 3, 1 / 3])
    np.testing.assert_allclose(model.mean, [[0.1, 0, 0], [1, 1, 1]])
    np.testing.assert_allclose(model.covariance[0], np.diag([0.01, 0, 0]) + COLOR_NOISE * np.eye(3))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_refitting_never_costs_more(seed, components):
    pixels = np.random.default_rng(seed).beta(0.5, 0.5, (60, 3))
    model = fit_color_model(pixels, components, seed=0)
    for _ in range(4):
        refitted = model.refit(pixels)
        assert (
            refitted.component_costs(pixels).min(axis=1).sum() <= model.component_costs(pixels).min(axis=1).sum() + 1e-9
        )
        model = refitted


def test_pixels_of_one_color_get_one_component():
    assert len(fit_color_model(np.full((9, 3), 0.5), components=5).share) == 1


def test_graph_cut_finds_the_square_from_two_strokes():
    image, mask = two_tone()
    inside, outside = np.zeros_like(mask), np.zeros_like(mask)
    inside[10, 9:16] = True
    outside[2, 2:20] = True
    assert (graph_cut(image, inside, outside) == mask).all()
    assert (graph_cut((image * 255).astype(np.uint8), inside, outside) == mask).all()


def test_links_clean_up_what_colors_alone_leave_ragged():
    image, mask = two_tone(noise=0.25)
    inside, outside = mask & box_around(mask, -3), ~box_around(mask, 3)
    alone, linked = (graph_cut(image, inside, outside, strength, components=1) for strength in (0.0, 5.0))
    assert (linked != mask).sum() < (alone != mask).sum() / 2


def test_grab_cut_finds_the_square_from_a_box():
    image, mask = two_tone()
    result = grab_cut(image, box_around(mask))
    assert (result.mask == mask).all()
    assert result.mask is result.masks[-1]
    assert len(result.masks) == len(result.energies)
    again = grab_cut(image, box_around(mask))
    assert again.energies == result.energies


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1.0, 10.0, 50.0]))
def test_grab_cut_never_gains_energy_and_keeps_to_its_constraints(seed, strength):
    image, mask = two_tone(noise=0.2, seed=seed)
    box, seeds = box_around(mask), np.zeros_like(mask)
    seeds[9:11, 9:14] = True
    result = grab_cut(image, box, seeds, strength=strength)
    assert (np.diff(result.energies) <= 1e-3 * abs(result.energies[0])).all()
    assert all((cut[seeds]).all() and not cut[~box].any() for cut in result.masks)


def test_grab_cut_stops_when_nothing_is_left():
    image = np.full((12, 12, 3), 0.5)
    box = np.zeros((12, 12), dtype=bool)
    box[4:8, 4:8] = True
    result = grab_cut(image, box)
    assert len(result.masks) <= 2


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros((4, 4)), "must be H x W x 3"),
        (np.full((4, 4, 3), 2.0), "float in 0...1"),
        (np.zeros((4, 4, 3), dtype=np.int64), "must be uint8"),
        (np.full((4, 4, 3), np.nan), "float in 0...1"),
    ],
)
def test_images_that_are_refused(image, sentence):
    with pytest.raises(ValueError, match=sentence):
        as_float(image)


def test_what_is_refused():
    image, mask = two_tone()
    links = contrast_links(image)
    zeros = np.zeros(mask.shape)
    with pytest.raises(ValueError, match="both costs must be H x W"):
        minimum_cut(zeros, zeros[1:], links)
    with pytest.raises(ValueError, match="NaN"):
        minimum_cut(zeros + np.nan, zeros, links)
    with pytest.raises(ValueError, match="neither"):
        minimum_cut(zeros + np.inf, zeros + np.inf, links)
    with pytest.raises(ValueError, match="negative infinite"):
        minimum_cut(zeros - np.inf, zeros, links)
    with pytest.raises(ValueError, match="as object and as background"):
        graph_cut(image, mask, mask)
    with pytest.raises(ValueError, match="marks no pixel"):
        graph_cut(image, mask, np.zeros_like(mask))
    with pytest.raises(ValueError, match="must be bool"):
        graph_cut(image, mask.astype(int), ~mask)
    with pytest.raises(ValueError, match="outside of allowed marks no pixel"):
        grab_cut(image, np.ones_like(mask))
    with pytest.raises(ValueError, match="outside the box"):
        grab_cut(image, mask, ~mask)
    with pytest.raises(ValueError, match="passes"):
        grab_cut(image, mask, passes=0)
    with pytest.raises(ValueError, match="at least one"):
        fit_color_model(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="components"):
        fit_color_model(np.zeros((4, 3)), components=0)
