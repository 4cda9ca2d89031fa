"""IoU of masks: by hand, against plain sets of pixels, empty masks and refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.metrics import mask_iou


def test_by_hand():
    a = np.array([[[1, 1], [0, 0]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]], dtype=bool)
    b = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 0]]], dtype=bool)
    # An empty mask overlaps nothing, not even an empty one.
    np.testing.assert_array_equal(mask_iou(a, b), [[1 / 2, 0], [1 / 4, 0], [0, 0]])
    np.testing.assert_array_equal(mask_iou(a, a), [[1, 1 / 2, 0], [1 / 2, 1, 0], [0, 0, 0]])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 4), m=st.integers(0, 4), h=st.integers(1, 19), w=st.integers(1, 23))
def test_sets_of_pixels(seed, n, m, h, w):
    random = np.random.default_rng(seed)
    a, b = random.random((n, h, w)) < 0.5, random.random((m, h, w)) < 0.4
    iou = mask_iou(a, b)
    assert iou.shape == (n, m)
    for i in range(n):
        for j in range(m):
            x, y = set(map(tuple, np.argwhere(a[i]))), set(map(tuple, np.argwhere(b[j])))
            assert iou[i, j] == (len(x & y) / len(x | y) if x | y else 0)


def test_agrees_with_pycocotools():
    mask = pytest.importorskip("pycocotools.mask")
    random = np.random.default_rng(0)
    a, b = random.random((5, 60, 47)) < 0.3, random.random((7, 60, 47)) < 0.6
    encode = lambda masks: mask.encode(np.asfortranarray(masks.transpose(1, 2, 0).astype(np.uint8)))  # noqa: E731
    np.testing.assert_array_equal(mask_iou(a, b), mask.iou(encode(a), encode(b), [0] * 7))


def test_single_masks_tensors_and_integers():
    a, b = np.eye(3, dtype=bool), np.ones((3, 3), dtype=np.int64)
    assert mask_iou(a, b) == pytest.approx(1 / 3)
    assert isinstance(mask_iou(a, b), float)
    np.testing.assert_allclose(mask_iou(a, np.stack([a, b])), [1, 1 / 3])
    np.testing.assert_allclose(mask_iou(np.stack([a, b]), torch.from_numpy(a)), [1, 1 / 3])
    assert mask_iou(torch.from_numpy(a)[None], torch.from_numpy(b)[None]).shape == (1, 1)
    assert b.dtype == np.int64
    assert (b == 1).all()


def test_refusals():
    mask = np.ones((3, 4), dtype=bool)
    with pytest.raises(ValueError, match=r"one size, but a has \(3, 4\) and b has \(4, 3\)"):
        mask_iou(mask, mask.T)
    with pytest.raises(ValueError, match=r"a must be a mask of 0 and 1, but its dtype is float64"):
        mask_iou(mask * 0.5, mask)
    with pytest.raises(ValueError, match="b must be a mask of 0 and 1, but holds values from 1 to 2"):
        mask_iou(mask, np.arange(12).reshape(3, 4) % 2 + 1)
    with pytest.raises(ValueError, match=r"R x H x W or one mask H x W, but has shape \(4,\)"):
        mask_iou(mask[0], mask)
