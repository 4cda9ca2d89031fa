"""The scatter under the slider: its numbers against PyTorch, its steps against the definition, and its page."""

import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor.plotting import movable_scatter

VALUES = np.array([[1.0, 2.0], [3.0, 4.0]])
KERNEL = np.array([[1.0, 2.0, 1.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])


@pytest.mark.parametrize(("shape", "kernel", "stride"), [((2, 2), (3, 3), 2), ((3, 2), (4, 2), 3), ((1, 3), (2, 5), 1)])
def test_the_last_step_is_pytorchs_transposed_convolution(shape, kernel, stride):
    generator = np.random.default_rng(0)
    values, weights = generator.normal(size=shape), generator.normal(size=kernel)
    tensors = [torch.from_numpy(array)[None, None] for array in (values, weights)]
    theirs = F.conv_transpose2d(*tensors, stride=stride)[0, 0].numpy()
    steps = movable_scatter(values, weights, stride).outputs
    assert len(steps) == values.size
    np.testing.assert_allclose(steps[-1], theirs, atol=1e-12)


def test_each_step_adds_one_kernel_by_hand():
    first, second, *_ = movable_scatter(VALUES, KERNEL).outputs
    assert first.tolist() == np.pad(KERNEL, ((0, 2), (0, 2))).tolist()
    assert (second - first).tolist() == np.pad(2 * KERNEL, ((0, 2), (2, 0))).tolist()


def test_the_page_holds_every_step_with_its_numbers_and_its_sentence():
    figure = movable_scatter(VALUES, KERNEL)
    frames = figure._repr_html_().split("<div class='step'>")[1:]
    assert len(frames) == 4
    assert 'max="4"' in figure.html
    for frame, output in zip(frames, figure.outputs, strict=True):
        numbers = [float(text) for text in re.findall(r'middle">([-\d.e]+)</text>', frame)]
        assert numbers[4 + 9 :] == output.flatten().tolist()
    assert "row 1, column 0 holds 3. 3 times the kernel is added to the output from row 2, column 0 on" in frames[2]
    assert "hidden>Input pixels" in figure.html  # without a script, all steps stand there and no dead slider


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(([1, 2], KERNEL), "values"), ((VALUES, np.zeros((0, 3))), "kernel"), ((VALUES, KERNEL, 0), "0")],
)
def test_what_is_no_transposed_convolution_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        movable_scatter(*arguments)
