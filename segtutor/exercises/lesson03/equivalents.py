"""Mutants of lesson 3's solutions that change nothing on valid input: exercise -> mutant -> why."""

# ruff: noqa: E501

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "3.1": {
        "_with_loops: kernel = np.zeros((len(weight), channels, side, side)): np.zeros => np.ones": "every element is written afterward",
    },
    "3.4": {
        "_by_matrix: return np.tensordot(values, matrix, axes=2): np.tensordot(values, matrix, axes=2) => np.tensordot(values, matrix)": "two axes are what tensordot sums over by itself",
    },
    "3.6": {
        "fuse: kernel = bilinear_weight(1, 4)[0, 0]: 1 => 2": "the kernel of class 0 is the same for any number of classes",
        "fuse: kernel = bilinear_weight(1, 4)[0, 0]: 0 => -1": "of one class, the first is the last",
        "fuse: kernel = bilinear_weight(1, 4)[0, 0]: 0 => -1 (2)": "of one class, the first is the last",
        "_pixel_by_pixel: result = np.zeros((len(coarse), height, width)): np.zeros => np.ones": "every element is written afterward",
        "_enlarged: kernel = bilinear_weight(1, 4)[0, 0] if kernel is None else kernel: bilinear_weight(1, 4)[0, 0] if kernel is None else kernel => bilinear_weight(1, 4)[0, 0]": "right answers hand over no other kernel",
        "_enlarged: kernel = bilinear_weight(1, 4)[0, 0] if kernel is None else kernel: 1 => 2": "the kernel of class 0 is the same for any number of classes",
        "_enlarged: kernel = bilinear_weight(1, 4)[0, 0] if kernel is None else kernel: 0 => -1": "of one class, the first is the last",
        "_enlarged: kernel = bilinear_weight(1, 4)[0, 0] if kernel is None else kernel: 0 => -1 (2)": "of one class, the first is the last",
    },
    "3.7": {
        "_with_logaddexp: safe = np.where(valid, labels, 0): 0 => 1": "the loss of a void pixel is multiplied by 0",
        "_with_logaddexp: safe = np.where(valid, labels, 0): 0 => -1": "the loss of a void pixel is multiplied by 0",
        "_with_logaddexp: losses = np.logaddexp.reduce(logits, axis=0) - np.take_along_axis(logits, saf...: np.logaddexp.reduce(logits, axis=0) => np.logaddexp.reduce(logits)": "reduce goes along axis 0 by itself",
        "_with_logaddexp: losses = np.logaddexp.reduce(logits, axis=0) - np.take_along_axis(logits, saf...: 0 => -1": "one label per pixel: the first entry is the last",
        "_with_one_hot: wanted = np.arange(len(logits))[:, None, None] == np.where(labels == ignore, ...: 1 => 2": "any negative number stands for no class",
    },
    "3.9": {
        "_with_torch: return F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel), s...: 1 => 2": "a second picture of the batch that is not looked at",
        "count_writers: counts = np.zeros(stride * (size - 1) + kernel, dtype=int): np.zeros(stride * (size - 1) + kernel, dtype=int) => np.zeros(stride * (size - 1) + kernel)": "floats hold these whole numbers exactly",
        "_by_convolution: stuffed = np.zeros(stride * (size - 1) + 1, dtype=int): np.zeros(stride * (size - 1) + 1, dtype=int) => np.zeros(stride * (size - 1) + 1)": "floats hold these whole numbers exactly",
        "_by_convolution: stuffed = np.zeros(stride * (size - 1) + 1, dtype=int): int => np.uint8": "the convolution computes in the larger of the two types",
        "_by_convolution: return np.convolve(stuffed, np.ones(kernel, dtype=int)): np.ones(kernel, dtype=int) => np.ones(kernel)": "floats hold these whole numbers exactly",
        "_by_convolution: return np.convolve(stuffed, np.ones(kernel, dtype=int)): int => np.uint8": "the convolution computes in the larger of the two types",
        "_with_torch: return F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel), s...: 0 => -1": "there is one picture and one channel",
        "_with_torch: return F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel), s...: 0 => -1 (2)": "there is one picture and one channel",
        "_with_torch: return F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel), s...: 1 => 2 (4)": "more output channels are copies of the first, and more pictures repeat it",
    },
}
