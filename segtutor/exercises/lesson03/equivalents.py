"""Mutants of lesson 3's solutions that change nothing on valid input: exercise -> mutant -> why."""

# ruff: noqa: E501

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "3.1": {
        "_with_loops: kernel = np.zeros((outputs, channels, height, width)): np.zeros => np.ones": "every element is written afterward",
        "_by_index: places = np.arange(len(weight)).reshape(height, width, -1).transpose(2, 0, 1): 1 => 2 (2)": "any negative number stands for the size that is left",
        "_channel_by_channel: return np.stack([weight[c::channels].T.reshape(-1, height, width) for c in ra...: 1 => 2 (2)": "any negative number stands for the size that is left",
    },
    "3.3": {
        "_with_torch: one = torch.ones(1, 1, 1, 1, dtype=torch.float64): 1 => 2 (2)": "a second output channel that is not looked at",
        "_with_torch: return F.pad(spread, [kernel - 1 - padding] * 4)[0, 0]: 0 => -1": "there is one picture and one channel",
        "_with_torch: return F.pad(spread, [kernel - 1 - padding] * 4)[0, 0]: 0 => -1 (2)": "there is one picture and one channel",
    },
    "3.4": {
        "transposed_convolution: (_, h, w), k = (values.shape, kernel.shape[-1]): 1 => 2": "a kernel is as high as it is wide",
        "_in_one_product: (_, h, w), k = (values.shape, kernel.shape[-1]): 1 => 2": "a kernel is as high as it is wide",
        "_by_torch: return F.conv_transpose2d(torch.as_tensor(values)[None], torch.as_tensor(kern...: 0 => -1": "there is one picture",
    },
    "3.6": {
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
    "3.10": {
        "build_fcn8s: scores = F.interpolate(scores, scale_factor=factor, mode='bilinear'): F.interpolate(scores, scale_factor=factor, mode='bilinear') => F.interpolate(scores, scale_factor=factor)": "how scores are enlarged is left to the learner; the nearest one reaches the bar, too",
        "build_fcn8s: scores = enlarge(self.score5(self.pool5(pool4)), 2, pool4) + self.score4(pool4): 2 => 3": "a deepest map at the wrong scale costs less than the margin between the solution's score and the bar",
        "_enlarged_to_the_size: return F.interpolate(scores, like.shape[-2:], mode='bilinear'): F.interpolate(scores, like.shape[-2:], mode='bilinear') => F.interpolate(scores, like.shape[-2:])": "how scores are enlarged is left to the learner; the nearest one reaches the bar, too",
        "_with_transposed_convolutions: triangle = 1 - (torch.arange(2 * factor) - factor + 0.5).abs() / factor: 0.5 => 0.51": "a hundredth of a pixel changes hardly any label",
        "_with_transposed_convolutions: scores = enlarged(network.score5(network.pool5(pool4)), 2, pool4) + network.s...: 2 => 3": "a deepest map at the wrong scale costs less than the margin between the solution's score and the bar",
    },
}
