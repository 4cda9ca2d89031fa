"""Mutants of lesson 4's solutions that change nothing on valid input: exercise -> mutant -> why."""

# ruff: noqa: E501

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "4.1": {
        "_with_cumulated_strides: numbers = np.array(layers, dtype=int).reshape(-1, 3): np.array(layers, dtype=int) => np.array(layers)": "an empty list alone becomes floats, and they are whole",
        "_with_cumulated_strides: numbers = np.array(layers, dtype=int).reshape(-1, 3): 1 => 2": "NumPy takes any negative length for the one that it works out",
        "_with_sets_of_pixels: return (high - low + 1, next_low - low): next_low - low => next_low + low": "position 0 sees pixels from 0 on: low is 0",
        "_with_sets_of_pixels: return (high - low + 1, next_low - low): high - low => high + low": "position 0 sees pixels from 0 on: low is 0",
    },
    "4.2": {
        "_stuffed: wide = np.zeros((side, side), dtype=kernel.dtype): np.zeros((side, side), dtype=kernel.dtype) => np.zeros((side, side))": "double precision holds the single one",
        "_with_torch: return F.conv2d(*tensors, padding=rate * (len(kernel) // 2), dilation=rate)[0...: 0 => -1": "there is one picture and one channel",
        "_with_torch: return F.conv2d(*tensors, padding=rate * (len(kernel) // 2), dilation=rate)[0...: 0 => -1 (2)": "there is one picture and one channel",
    },
    "4.3": {
        "count_paths: paths = np.zeros(2 * reach + 1, dtype=int): np.zeros(2 * reach + 1, dtype=int) => np.zeros(2 * reach + 1)": "floats hold these whole numbers exactly",
        "_with_convolve: paths = np.ones(1, dtype=int): np.ones(1, dtype=int) => np.ones(1)": "floats hold these whole numbers exactly",
        "_with_convolve: paths = np.ones(1, dtype=int): int => np.uint8": "the convolution computes in the larger of the two types",
        "_with_convolve: taps = np.zeros(2 * rate + 1, dtype=int): np.zeros(2 * rate + 1, dtype=int) => np.zeros(2 * rate + 1)": "floats hold these whole numbers exactly",
        "_with_convolve: taps = np.zeros(2 * rate + 1, dtype=int): int => np.uint8": "the convolution computes in the larger of the two types",
        "_with_gradient: pixels = torch.ones(1, 1, 2 * sum(rates) + 1, dtype=torch.float64, requires_g...: torch.ones => torch.zeros": "the gradient of a linear chain does not depend on the pixels",
        "_with_gradient: pixels = torch.ones(1, 1, 2 * sum(rates) + 1, dtype=torch.float64, requires_g...: 1 => 2": "the gradient of each picture is the same",
        "_with_gradient: values.sum().backward(): values.sum => values.mean": "one value is left at the end: its sum is its mean",
        "_with_gradient: return pixels.grad[0, 0].round().long(): pixels.grad[0, 0].round() => pixels.grad[0, 0]": "the gradients are whole numbers already",
        "_with_gradient: return pixels.grad[0, 0].round().long(): 0 => -1": "there is one picture and one channel",
        "_with_gradient: return pixels.grad[0, 0].round().long(): 0 => -1 (2)": "there is one picture and one channel",
    },
    "4.4": {
        "_recursive: if int(np.prod(kept)) * last <= output_stride:: int(np.prod(kept)) => np.prod(kept)": "NumPy's integers do as well as Python's",
        "_recursive: if int(np.prod(kept)) * last <= output_stride:: int => np.uint8": "the products that are compared with the output stride are below 256 until one exceeds it",
        "_at_the_first_that_is_too_much: cut = 0: 0 => -1": "the product of no strides never exceeds the output stride",
        "_at_the_first_that_is_too_much: while cut < len(strides) and int(np.prod(strides[:cut + 1])) <= output_stride:: int(np.prod(strides[:cut + 1])) => np.prod(strides[:cut + 1])": "NumPy's integers do as well as Python's",
        "_at_the_first_that_is_too_much: while cut < len(strides) and int(np.prod(strides[:cut + 1])) <= output_stride:: int => np.uint8": "the products that are compared with the output stride are below 256 until one exceeds it",
        "_at_the_first_that_is_too_much: rates = [1] * cut + [int(np.prod(strides[cut:number + 1])) for number in rang...: int(np.prod(strides[cut:number + 1])) => np.prod(strides[cut:number + 1])": "NumPy's integers do as well as Python's",
    },
    "4.5": {
        "_membership: start, end = (int(np.floor(number * length / bins)), int(np.ceil((number + 1)...: np.floor(number * length / bins) => number * length / bins": "int cuts off what floor does",
        "_membership: start, end = (int(np.floor(number * length / bins)), int(np.ceil((number + 1)...: number * length / bins => number * length // bins": "floor of a whole division changes nothing",
        "_with_integral_image: sums = np.pad(np.asarray(x, dtype=float), ((0, 0), (0, 0), (1, 0), (1, 0))).c...: np.asarray(x, dtype=float) => np.asarray(x)": "single precision sums are within the tolerance",
        "_with_integral_image: sums = np.pad(np.asarray(x, dtype=float), ((0, 0), (0, 0), (1, 0), (1, 0))).c...: 0 => 1 (5)": "what is padded at the end is never read",
        "_with_integral_image: sums = np.pad(np.asarray(x, dtype=float), ((0, 0), (0, 0), (1, 0), (1, 0))).c...: 0 => 1 (6)": "what is padded at the end is never read",
    },
    "4.6": {
        "_asked_of_the_layers: return F.batch_norm(torch.as_tensor(values).double()[None], *statistics, eps=...: 0 => -1": "the batch has one row: the first is the last",
    },
    "4.7": {
        "_by_trying: low, high = (0, 1): 0 => -1": "zero channels are known to fit, so the search never ends below",
        "_by_trying: low, high = (0, 1): 1 => 2": "any upper end will do that is doubled until it is too much",
        "_by_trying: low, high = (high, 2 * high): 2 * high => 2 + high": "the upper end rises more slowly, and gets there",
        "_by_trying: low, high = (high, 2 * high): 2 => 3": "the upper end rises faster; halving finds the same number",
        "_with_fractions: levels = (budget - taps * channels) / (len(bins) * taps + channels * sum((n *...: (budget - taps * channels) / (len(bins) * taps + channels * sum((n ** 2 for n... => (budget - taps * channels) // (len(bins) * taps + channels * sum((n ** 2 for ...": "floor comes next",
        "_with_fractions: return floor(levels) if levels >= 0 else -1: 0 => -1": "what lies between -1 and 0 is rounded down to -1",
    },
    "4.8": {
        "_with_modules: reduce = nn.Conv2d(*weight.shape[::-1], 1): 1 => 2": "the layer's own weights are replaced",
        "_with_modules: reduce = nn.Conv2d(*weight.shape[::-1], 1): 1 => 0": "the layer's own weights are replaced",
        "_with_modules: reduce = nn.Conv2d(*weight.shape[::-1], 1): ::-1 => :": "the layer's own weights are replaced",
        "_channel_after_channel: level[:, :valid[0], :valid[1]] = F.interpolate(channel.clamp(min=0), valid, m...: 0 => -1": "the level has one channel",
        "_channel_after_channel: level = torch.zeros_like(x[:, 0]): 0 => -1": "zeros of the same size, whichever channel they are made like",
    },
    "4.10": {
        "_with_a_branch: if step >= steps:: step >= steps => step > steps": "what is left is 0 at the end, and so is its power",
        "_with_torch: left = torch.tensor(1 - step / steps, dtype=torch.float64).clamp(min=0): torch.tensor(1 - step / steps, dtype=torch.float64) => torch.tensor(1 - step / steps)": "single precision is within the tolerance",
        "_with_torch: rising = torch.linspace(0, 1, warmup + 1, dtype=torch.float64)[min(step + 1, ...: torch.linspace(0, 1, warmup + 1, dtype=torch.float64) => torch.linspace(0, 1, warmup + 1)": "single precision is within the tolerance",
        "_with_torch: return base * rising * left ** power * torch.tensor([1.0, head_factor], dtype...: torch.tensor([1.0, head_factor], dtype=torch.float64) => torch.tensor([1.0, head_factor])": "single precision is within the tolerance",
    },
}
