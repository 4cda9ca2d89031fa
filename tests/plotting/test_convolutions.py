"""The numbers in the figures are those of PyTorch's convolutions, and the tutorial's 2 x 2 to 5 x 5 counted by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from segtutor.plotting import (
    dilated_positions,
    show_dilation,
    show_pyramid,
    show_transposed_convolution,
    transposed_convolution,
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


VALUES = [[1, 2], [3, 4]]
KERNEL = [[1, 0, 2], [0, 3, 0], [4, 0, 5]]  # not symmetric: a kernel that is not turned gives something else


def test_two_by_two_to_five_by_five_by_hand():
    steps = transposed_convolution(VALUES, KERNEL)
    assert steps.stuffed.tolist() == [[1, 0, 2], [0, 0, 0], [3, 0, 4]]
    assert steps.padded.shape == (7, 7)
    assert steps.padded[2:5, 2:5].tolist() == steps.stuffed.tolist()
    assert steps.padded.sum() == 10
    assert steps.turned_kernel.tolist() == [[5, 0, 4], [0, 3, 0], [2, 0, 1]]
    # Each value stamps its kernel; the stamps overlap in the middle row and column.
    assert steps.output.tolist() == [
        [1, 0, 2 + 2, 0, 4],
        [0, 3, 0, 6, 0],
        [4 + 3, 0, 5 + 8 + 6 + 4, 0, 10 + 8],
        [0, 9, 0, 12, 0],
        [12, 0, 15 + 16, 0, 20],
    ]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 3), (4, 5)])
def test_equals_torch(stride, padding, shape):
    generator = np.random.default_rng(0)
    values, kernel = generator.normal(size=(3, 4)), generator.normal(size=shape)
    expected = F.conv_transpose2d(
        torch.from_numpy(values)[None, None], torch.from_numpy(kernel)[None, None], stride=stride, padding=padding
    )[0, 0]
    np.testing.assert_allclose(transposed_convolution(values, kernel, stride, padding).output, expected, atol=1e-12)


def test_drawn_numbers_are_the_computed_ones():
    steps = transposed_convolution(VALUES, KERNEL)
    axes = show_transposed_convolution(torch.tensor(VALUES), KERNEL, highlight=(2, 1))
    numbers = [float(text.get_text()) for text in axes.texts if text.get_text().replace(".", "").isdigit()]
    arrays = (np.array(VALUES), steps.padded, steps.turned_kernel, steps.output)
    assert numbers == [value for array in arrays for value in array.ravel()]
    words = [text.get_text() for text in axes.texts]
    assert {"2 × 2", "7 × 7", "3 × 3", "5 × 5", "→", "∗", "="} <= set(words)
    window, target = [patch for patch in axes.patches if isinstance(patch, Rectangle) and not patch.get_fill()]
    assert (window.get_width(), window.get_height()) == (3, 3)
    # The window starts as far in the padded input as the framed value lies in the output.
    cells = {patch.get_xy(): patch for patch in axes.patches if patch.get_fill()}
    panels = sorted({x for x, _ in cells})
    padded_left, output_left = panels[2], panels[-5]
    assert (window.get_x() - padded_left, window.get_y()) == pytest.approx((1, 2))
    assert (target.get_x() - output_left, target.get_y()) == pytest.approx(
        (1, 2 + 1)
    )  # the output is centered: one row lower


def test_input_cells_have_another_color_than_the_zeros():
    axes = show_transposed_convolution([[0, 2]], np.ones((2, 2)))
    colors = [patch.get_facecolor() for patch in axes.patches]
    padded = colors[2 : 2 + 3 * 5]
    assert [index for index, color in enumerate(padded) if color == colors[0]] == [6, 8]  # also where the value is 0


@pytest.mark.parametrize(("kernel", "rate"), [(3, 1), (3, 2), (3, 4), (5, 3), (1, 2)])
def test_dilated_positions_are_those_of_torch(kernel, rate):
    reach = rate * (kernel // 2)
    image = torch.zeros(1, 1, 2 * reach + 1, 2 * reach + 1, requires_grad=True)
    F.conv2d(image, torch.ones(1, 1, kernel, kernel), dilation=rate).sum().backward()
    touched = [(row - reach, column - reach) for row, column in image.grad[0, 0].nonzero().tolist()]
    assert dilated_positions(kernel, rate) == touched


def test_drawn_dilation():
    axes = show_dilation((1, 2, 4))
    texts = [text.get_text() for text in axes.texts]
    assert texts == [f"rate {r}: sees {s} × {s}\nwith 9 weights" for r, s in ((1, 3), (2, 5), (4, 9))]
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(cells) == 3 * 81
    dark = cells[4 * 9 + 4].get_facecolor()  # the center
    for index, rate in enumerate((1, 2, 4)):
        drawn = [k for k, cell in enumerate(cells[81 * index : 81 * index + 81]) if cell.get_facecolor() == dark]
        assert drawn == [9 * (4 + row) + 4 + column for row, column in dilated_positions(3, rate)]


def test_pyramid_of_a_map_by_hand():
    values = np.arange(36.0).reshape(6, 6)
    axes = show_pyramid(values)
    full, one, two, three, six = (image.get_array() for image in axes.get_images())
    np.testing.assert_array_equal(full, values)
    np.testing.assert_array_equal(one, [[17.5]])
    np.testing.assert_array_equal(two, [[7, 10], [25, 28]])
    assert three[0, 0] == (0 + 1 + 6 + 7) / 4
    np.testing.assert_array_equal(six, values)
    assert [text.get_text() for text in axes.texts] == ["6 × 6", "1 × 1", "2 × 2", "3 × 3", "6 × 6"]
    assert {image.get_clim() for image in axes.get_images()} == {(0.0, 35.0)}  # one scale, or colors would not compare


def test_pyramid_of_a_picture_that_its_bins_do_not_divide():
    picture = torch.randint(0, 256, (3, 13, 17), dtype=torch.uint8)
    axes = show_pyramid(picture, bins=(1, 6))
    for image, bins in zip(axes.get_images()[1:], (1, 6), strict=True):
        expected = F.adaptive_avg_pool2d(picture.double() / 255, bins).permute(1, 2, 0)
        np.testing.assert_allclose(image.get_array(), expected)
    assert axes.get_xlim()[0] < 0 < 12 < axes.get_xlim()[1]  # all panels are in view


def test_given_axes_and_text_that_shrinks_with_them():
    _, pair = plt.subplots(1, 2, figsize=(6, 2))
    assert show_transposed_convolution(VALUES, KERNEL, ax=pair[0]) is pair[0]
    assert show_dilation(ax=pair[1]) is pair[1]
    large = show_transposed_convolution(VALUES, KERNEL)
    assert pair[0].texts[0].get_fontsize() < large.texts[0].get_fontsize()
    _, alone = plt.subplots()
    assert show_pyramid(np.eye(6), ax=alone) is alone


def test_refusals():
    with pytest.raises(ValueError, match=r"padding in 0...2 for a kernel of \(3, 3\), but 2 and 3 came"):
        transposed_convolution(VALUES, KERNEL, padding=3)
    with pytest.raises(ValueError, match=r"values must be a matrix of numbers, but its shape is \(2,\)"):
        transposed_convolution([1, 2], KERNEL)
    with pytest.raises(ValueError, match=r"output of \(5, 5\), but \(5, 0\) came"):
        show_transposed_convolution(VALUES, KERNEL, highlight=(5, 0))
    with pytest.raises(ValueError, match="kernel must be odd"):
        show_dilation(kernel=2)
    with pytest.raises(ValueError, match="at least one rate"):
        show_dilation(())
    with pytest.raises(ValueError, match="bins must be"):
        show_pyramid(np.eye(3), bins=(0, 1))
