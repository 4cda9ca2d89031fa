"""Mutants of lesson 8's solutions that change nothing on valid input: exercise -> mutant -> why."""

# ruff: noqa: E501

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "8.2": {
        "_with_convolution: return F.conv2d(image[None], weight, bias, stride=weight.shape[-1])[0].flatte...: 0 => -1": "there is one picture",
        "_with_convolution: return F.conv2d(image[None], weight, bias, stride=weight.shape[-1])[0].flatte...: 1 => 2 (2)": "a patch is square, and the last axis is as long as the one before",
        "_with_unfold: side = weight.shape[-1]: 1 => 2": "a patch is square",
        "_with_unfold: rows = F.unfold(image[None], side, stride=side)[0].T: 0 => -1": "there is one picture",
        "_with_loops: side, tokens = (weight.shape[-1], []): 1 => 2": "a patch is square",
    },
    "8.3": {
        "resize_positions: return torch.cat([table[:1], grid[0].flatten(1).T]): 0 => -1": "there is one map",
        "_with_matrices: grid = table[1:].reshape(*old, -1): 1 => 2": "NumPy takes any negative length for the one that it works out",
        "_with_matrices: return np.concatenate([table[:1], grid.reshape(-1, table.shape[1])]): 1 => 2 (2)": "the last axis of a table of two axes is its second",
        "_matrix: place = np.clip((number + 0.5) * old / new - 0.5, 0, old - 1): old - 1 => old + 1": "beyond the last place, both neighbors are the last one",
        "_matrix: low = int(np.floor(place)): int => np.uint8": "maps of the cases have fewer than 256 places along a side",
        "_matrix: low = int(np.floor(place)): np.floor(place) => place": "int cuts off what floor does, and places are not below 0",
        "_matrix: place = np.clip((number + 0.5) * old / new - 0.5, 0, old - 1): 1 => 0": "beyond the last place, both neighbors are the last one",
        "_sides_one_by_one: grid = table[1:].reshape(*old, -1): 1 => 2": "NumPy takes any negative length for the one that it works out",
        "_sides_one_by_one: return np.vstack([table[:1], grid.reshape(new[0] * new[1], -1)]): 1 => 2 (2)": "the last axis of a table of two axes is its second",
        "_channel_by_channel: grid = F.interpolate(values[1:].reshape(1, 1, *old), new, mode='bilinear', al...: F.interpolate(values[1:].reshape(1, 1, *old), new, mode='bilinear', align_cor... => F.interpolate(values[1:].reshape(1, 1, *old), new, mode='bilinear')": "corners are not aligned by default",
    },
    "8.4": {
        "_part_by_part: tokens, d = (height * width, channels // heads): channels // heads => channels / heads": "heads divide the channels",
        "_part_by_part: context = int(height / reduction) * int(width / reduction): height / reduction => height // reduction": "int cuts off what the whole division does",
        "_part_by_part: context = int(height / reduction) * int(width / reduction): width / reduction => width // reduction": "int cuts off what the whole division does",
        "_with_counter: layer, tokens = (EfficientAttention(channels, heads, reduction), torch.zeros(...: torch.zeros => torch.ones": "shapes alone are counted",
        "_with_counter: return (heads * height * width * context.shape[1], counter.get_total_flops() ...: counter.get_total_flops() // 2 => counter.get_total_flops() / 2": "the number of operations is even",
        "_with_arrays: sides = np.array([height, width], dtype=object): np.array([height, width], dtype=object) => np.array([height, width])": "these products fit into 64 bits",
        "_with_arrays: times = np.array([tokens, context, context, tokens], dtype=object): np.array([tokens, context, context, tokens], dtype=object) => np.array([tokens, context, context, tokens])": "these products fit into 64 bits",
    },
}
