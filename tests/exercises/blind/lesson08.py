"""Answers to 8.1 to 8.4, each way of thinking in code of its own: what a learner writes, and what else they write."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
from scipy import ndimage, special
from torch import nn
from torch.nn import functional as F

from tests.exercises.blind import Wrong

_RNG = np.random.default_rng(81)


# 8.1 attend(query, key, value, allowed)
def _asked(tokens, others, width, taken, share=0.6):
    allowed = _RNG.random((tokens, others)) < share
    allowed[np.arange(tokens), np.arange(tokens) % others] = True
    return (*(_RNG.normal(size=size) for size in ((tokens, width), (others, width), (others, taken))), allowed)


SOME = _asked(5, 4, 3, 2)
SQUARE = _asked(4, 4, 4, 4)
LONELY = (*SOME[:3], np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1]], dtype=bool))
LOUD = (np.array([[1000.0]]), np.array([[1.0], [0.999], [0.5]]), np.array([[1.0], [5.0], [9.0]]), np.ones((1, 3), bool))
QUIET = (-LOUD[0], *LOUD[1:])
UNEQUAL = (np.array([[1000.0], [1.0]]), *LOUD[1:3], np.ones((2, 3), bool))
LOUD_BUT_FORBIDDEN = (LOUD[0], np.array([[1.0], [0.001], [0.0]]), LOUD[2], np.array([[False, True, True]]))


def row_softmax(answers, allowed):
    best = np.where(allowed, answers, -np.inf).max(axis=1, keepdims=True)
    powers = np.exp(np.where(allowed, answers - np.where(allowed.any(axis=1, keepdims=True), best, 0), -np.inf))
    return powers / np.where(allowed.any(axis=1, keepdims=True), powers.sum(axis=1, keepdims=True), 1)


def attended(query, key, value, allowed, scale=None):
    scale = math.sqrt(query.shape[1]) if scale is None else scale
    return row_softmax(query @ key.T / scale, allowed) @ value


def by_the_value_width(query, key, value, allowed):
    return attended(query, key, value, allowed, math.sqrt(value.shape[1]))


def both_scaled(query, key, value, allowed):
    root = math.sqrt(query.shape[1])
    return attended(query / root, key / root, value, allowed, 1)


def cosines(query, key, value, allowed):
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (query, key)]
    return attended(*unit, value, allowed)


def table_turned(query, key, value, allowed):
    return attended(query, key, value, allowed.T)


def added_as_numbers(query, key, value, allowed):
    answers = query @ key.T / math.sqrt(query.shape[1]) + allowed
    return row_softmax(answers, np.ones_like(allowed)) @ value


def multiplied_by_the_table(query, key, value, allowed):
    answers = query @ key.T / math.sqrt(query.shape[1]) * allowed
    return row_softmax(answers, np.ones_like(allowed)) @ value


def masked_as_pytorchs_layer_wants_it(query, key, value, allowed):
    """In `nn.MultiheadAttention` True means that a key may not be looked at."""
    return attended(query, key, value, ~allowed)


def weights_not_renormalized(query, key, value, allowed):
    return (row_softmax(query @ key.T / math.sqrt(query.shape[1]), np.ones_like(allowed)) * allowed) @ value


def all_forbidden_stays_nan(query, key, value, allowed):
    with np.errstate(all="ignore"):
        answers = np.where(allowed, query @ key.T / math.sqrt(query.shape[1]), -np.inf)
        return special.softmax(answers, axis=1) @ value


def nobody_asks_everybody(query, key, value, allowed):
    return attended(query, key, value, np.where(allowed.any(axis=1, keepdims=True), allowed, True))


def infinity_made_finite(query, key, value, allowed):
    answers = np.nan_to_num(np.where(allowed, query @ key.T / math.sqrt(query.shape[1]), -np.inf))
    return row_softmax(answers, np.ones_like(allowed)) @ value


def answers_cut_at_500(query, key, value, allowed):
    return row_softmax(np.clip(query @ key.T / math.sqrt(query.shape[1]), -500, 500), allowed) @ value


def one_maximum_for_all(query, key, value, allowed):
    with np.errstate(all="ignore"):
        answers = np.where(allowed, query @ key.T / math.sqrt(query.shape[1]), -np.inf)
        powers = np.exp(answers - answers[np.isfinite(answers)].max(initial=0))
        return np.nan_to_num(powers / powers.sum(axis=1, keepdims=True)) @ value


def maximum_of_the_forbidden_too(query, key, value, allowed):
    with np.errstate(all="ignore"):
        answers = query @ key.T / math.sqrt(query.shape[1])
        powers = np.exp(answers - answers.max(axis=1, keepdims=True)) * allowed
        return np.nan_to_num(powers / powers.sum(axis=1, keepdims=True)) @ value


def exponentials_in_single_precision(query, key, value, allowed):
    with np.errstate(all="ignore"):
        powers = np.exp((query @ key.T / math.sqrt(query.shape[1])).astype(np.float32)) * allowed
        return np.nan_to_num(powers / powers.sum(axis=1, keepdims=True)) @ value


def over_the_asking(query, key, value, allowed):
    return row_softmax(key @ query.T / math.sqrt(query.shape[1]), allowed.T).T @ value


def everything_sums_to_one(query, key, value, allowed):
    weights = row_softmax((query @ key.T / math.sqrt(query.shape[1])).reshape(1, -1), allowed.reshape(1, -1))
    return weights.reshape(allowed.shape) @ value


def keys_as_values(query, key, value, allowed):
    return attended(query, key, key, allowed)


def queries_and_keys_exchanged(query, key, value, allowed):
    return attended(key, query, value, allowed)


def normalized_relu(query, key, value, allowed):
    answers = np.maximum(query @ key.T / math.sqrt(query.shape[1]), 0) * allowed
    return answers / np.maximum(answers.sum(axis=1, keepdims=True), 1e-9) @ value


def base_two(query, key, value, allowed):
    return row_softmax(query @ key.T / math.sqrt(query.shape[1]) * math.log(2), allowed) @ value


def best_only(query, key, value, allowed):
    answers = np.where(allowed, query @ key.T, -np.inf)
    return value[answers.argmax(axis=1)] * allowed.any(axis=1)[:, None]


W81 = [
    Wrong("root of the value's width", by_the_value_width, SOME, "scale"),
    Wrong("query and key both by the root", both_scaled, SOME, "scale"),
    Wrong("not divided", lambda q, k, v, a: attended(q, k, v, a, 1), SOME, "scale"),
    Wrong("cosines", cosines, SOME, "length"),
    Wrong("table turned", table_turned, SQUARE, "allowed"),
    Wrong("True and False added", added_as_numbers, SOME, "allowed"),
    Wrong("answers times the table", multiplied_by_the_table, SOME, "allowed"),
    Wrong("True means forbidden", masked_as_pytorchs_layer_wants_it, SOME, "allowed"),
    Wrong("weights not renormalized", weights_not_renormalized, SOME, "allowed"),
    Wrong("a largest that is forbidden", maximum_of_the_forbidden_too, LOUD_BUT_FORBIDDEN, "largest"),
    Wrong("NaN where all is forbidden", all_forbidden_stays_nan, LONELY, "nobody"),
    Wrong("nobody asks everybody", nobody_asks_everybody, LONELY, "nobody"),
    Wrong("infinity made finite", infinity_made_finite, LONELY, "nobody"),
    Wrong("answers cut at 500", answers_cut_at_500, LOUD, "large"),
    Wrong("one largest for all rows", one_maximum_for_all, UNEQUAL, "large"),
    Wrong("exponentials of single precision", exponentials_in_single_precision, LOUD, "large"),
    Wrong("exponentials that vanish", exponentials_in_single_precision, QUIET, "large"),
    Wrong("softmax over those who ask", over_the_asking, SOME, "axis"),
    Wrong("all weights sum to one", everything_sums_to_one, SOME, "axis"),
    Wrong("keys as values", keys_as_values, SOME, "roles"),
    Wrong("queries and keys exchanged", queries_and_keys_exchanged, SQUARE, "roles"),
    Wrong("positive answers as weights", normalized_relu, SOME, "softmax"),
    Wrong("powers of two", base_two, SOME, "softmax"),
    Wrong("the best answer alone", best_only, SOME, "softmax"),
]


def with_logarithms_of_the_table(query, key, value, allowed):
    """The logarithm of True is 0, of False minus infinity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        answers = query @ key.T / np.sqrt(query.shape[1]) + np.log(allowed)
        return np.nan_to_num(special.softmax(answers, axis=1)) @ value


def with_a_float_mask(query, key, value, allowed):
    q, k, v = (torch.from_numpy(np.asarray(one, dtype=np.float64)) for one in (query, key, value))
    bias = torch.zeros(allowed.shape, dtype=q.dtype).masked_fill(~torch.from_numpy(allowed), -1e30)
    heard = F.scaled_dot_product_attention(q[None, None], k[None, None], v[None, None], attn_mask=bias)[0, 0]
    return heard * torch.from_numpy(allowed.any(axis=1, keepdims=True))


def with_log_sums(query, key, value, allowed):
    q, k, v = (torch.as_tensor(one).double() for one in (query, key, value))
    answers = (torch.einsum("nd,md->nm", q, k) / q.shape[-1] ** 0.5).masked_fill(~torch.as_tensor(allowed), -torch.inf)
    sums = answers.logsumexp(1, keepdim=True)
    return torch.where(sums.isinf(), 0.0, (answers - sums).exp()) @ v


def with_python_alone(query, key, value, allowed):
    rows = []
    for asks, may in zip(query.tolist(), allowed.tolist(), strict=True):
        total, taken, best = 0.0, [0.0] * value.shape[1], None
        heard = []
        for answers, gives, permitted in zip(key.tolist(), value.tolist(), may, strict=True):
            if permitted:
                heard.append((sum(a * b for a, b in zip(asks, answers, strict=True)) / len(asks) ** 0.5, gives))
        best = max((answer for answer, _ in heard), default=0.0)
        for answer, gives in heard:
            power = math.exp(answer - best)
            total += power
            taken = [old + power * new for old, new in zip(taken, gives, strict=True)]
        rows.append([one / total if total else 0.0 for one in taken])
    return rows


def with_masked_arrays(query, key, value, allowed):
    answers = np.ma.array(query @ key.T / np.sqrt(query.shape[1]), mask=~allowed)
    powers = np.ma.exp(answers - answers.max(axis=1)[:, None])
    return (powers / powers.sum(axis=1)[:, None]).filled(0) @ value


def with_an_extra_token(query, key, value, allowed):
    """Whoever may ask nobody asks a token that hands over zeros."""
    q, k, v = (torch.as_tensor(one) for one in (query, key, value))
    may = F.pad(torch.as_tensor(allowed), (0, 1))
    may[:, -1] = ~may.any(dim=1)
    answers = F.pad(q @ k.T / q.shape[1] ** 0.5, (0, 1)).masked_fill(~may, -torch.inf)
    return answers.softmax(dim=-1) @ F.pad(v, (0, 0, 0, 1))


R81 = [
    ("NumPy, row by row", attended),
    ("logarithm of the table", with_logarithms_of_the_table),
    ("PyTorch's function with a float mask", with_a_float_mask),
    ("logsumexp", with_log_sums),
    ("plain Python", with_python_alone),
    ("masked arrays", with_masked_arrays),
    ("a token of zeros", with_an_extra_token),
]


# 8.2 patch_tokens(image, weight, bias)
def _picture(channels, height, width, filters, side):
    sizes = (channels, height, width), (filters, channels, side, side), (filters,)
    return tuple(_RNG.normal(size=size).astype(np.float32) for size in sizes)


WIDE, UNEVEN, MANY = _picture(3, 4, 6, 4, 2), _picture(2, 7, 9, 3, 3), _picture(3, 6, 6, 9, 2)
HANGING_OVER = _picture(2, 8, 11, 3, 3)


def windows(image, weight, bias, step=None, top=0, left=0):
    side = weight.shape[-1]
    seen = np.lib.stride_tricks.sliding_window_view(image[:, top:, left:], (side, side), axis=(1, 2))
    seen = seen[:, :: step or side, :: step or side]
    return np.einsum("crwij,kcij->rwk", seen, weight).reshape(-1, len(weight)) + bias


def as_many_columns_as_rows(image, weight, bias):
    side = weight.shape[-1]
    n = image.shape[1] // side
    return windows(image[:, : n * side, : n * side], weight, bias)


def rounded_up(image, weight, bias):
    side = weight.shape[-1]
    fill = [(0, 0), *((0, -length % side) for length in image.shape[1:])]
    return windows(np.pad(image, fill, mode="edge"), weight, bias)


def resized_first(image, weight, bias):
    side = weight.shape[-1]
    size = [length // side * side for length in image.shape[1:]]
    return windows(F.interpolate(torch.as_tensor(image)[None], size)[0].numpy(), weight, bias)


def from_the_middle(image, weight, bias):
    side = weight.shape[-1]
    top, left = (length % side // 2 for length in image.shape[1:])
    return windows(image, weight, bias, top=top, left=left)


def cut_without_sorting(image, weight, bias):
    side = weight.shape[-1]
    kept = image[:, : image.shape[1] // side * side, : image.shape[2] // side * side]
    return kept.reshape(-1, weight[0].size) @ weight.reshape(len(weight), -1).T + bias


def columns_of_patches_first(image, weight, bias):
    side = weight.shape[-1]
    rows, columns = (length // side for length in image.shape[1:])
    return windows(image, weight, bias).reshape(rows, columns, -1).swapaxes(0, 1).reshape(rows * columns, -1)


def pixels_turned(image, weight, bias):
    return windows(image, weight.swapaxes(-1, -2), bias)


def weight_as_a_linear_layer(image, weight, bias):
    """K x C x P x P read as if it were (C P P) x K."""
    side = weight.shape[-1]
    seen = np.lib.stride_tricks.sliding_window_view(image, (side, side), axis=(1, 2))[:, ::side, ::side]
    rows = seen.transpose(1, 2, 0, 3, 4).reshape(-1, weight[0].size)
    return rows @ weight.reshape(-1, len(weight)) + bias


def channels_reversed(image, weight, bias):
    return windows(image[::-1], weight, bias)


def colors_averaged(image, weight, bias):
    return windows(image, weight / len(image), bias)


def mean_of_a_patch(image, weight, bias):
    return windows(image, weight / weight[0].size, bias)


def bias_for_each_number(image, weight, bias):
    return windows(image, weight, bias * weight[0].size)


def convolution_of_stride_one(image, weight, bias):
    return windows(image, weight, bias, step=1)


def filters_first(image, weight, bias):
    return windows(image, weight, bias).T


def a_map_of_tokens(image, weight, bias):
    side = weight.shape[-1]
    return windows(image, weight, bias).reshape(image.shape[1] // side, image.shape[2] // side, -1)


def with_a_batch(image, weight, bias):
    return windows(image, weight, bias)[None]


def layer_norm_at_once(image, weight, bias):
    found = torch.as_tensor(windows(image, weight, bias))
    return F.layer_norm(found, found.shape[1:])


W82 = [
    Wrong("as many columns as rows", as_many_columns_as_rows, WIDE, "rest"),
    Wrong("the last patch filled up", rounded_up, UNEVEN, "rest"),
    Wrong("resized until it fits", resized_first, HANGING_OVER, "rest"),
    Wrong("cut from the middle", from_the_middle, HANGING_OVER, "rest"),
    Wrong("cut without sorting", cut_without_sorting, WIDE, "inside"),
    Wrong("pixels of a patch turned", pixels_turned, WIDE, "inside"),
    Wrong("weights read as a linear layer's", weight_as_a_linear_layer, WIDE, "weights"),
    Wrong("columns of patches first", columns_of_patches_first, WIDE, "order"),
    Wrong("channels reversed", channels_reversed, WIDE, "inside"),
    Wrong("colors averaged", colors_averaged, WIDE, "weight"),
    Wrong("mean of a patch", mean_of_a_patch, WIDE, "weight"),
    Wrong("a bias for each number", bias_for_each_number, WIDE, "bias"),
    Wrong("no bias", lambda i, w, b: windows(i, w, 0), WIDE, "bias"),
    Wrong("stride of one", convolution_of_stride_one, WIDE, "overlap"),
    Wrong("K x N", filters_first, WIDE, "shape"),
    Wrong("a map of tokens", a_map_of_tokens, WIDE, "shape"),
    Wrong("with a batch", with_a_batch, WIDE, "shape"),
    Wrong("normalized at once", layer_norm_at_once, MANY, "weight"),
]


def with_split_and_stack(image, weight, bias):
    side, patches = weight.shape[-1], []
    image = torch.as_tensor(image)
    for band in image.split(side, dim=1):
        patches += [one for one in band.split(side, dim=2) if one.shape[1:] == (side, side)]
    return torch.stack(patches).flatten(1) @ torch.as_tensor(weight).flatten(1).T + torch.as_tensor(bias)


def with_unfolds_of_tensors(image, weight, bias):
    side = weight.shape[-1]
    seen = torch.as_tensor(image).unfold(1, side, side).unfold(2, side, side)  # C x rows x columns x P x P
    tokens = torch.tensordot(seen, torch.as_tensor(weight), dims=([0, 3, 4], [1, 2, 3]))
    return (tokens + torch.as_tensor(bias)).flatten(0, 1)


def with_a_layer(image, weight, bias):
    layer = nn.Conv2d(*weight.shape[1::-1], weight.shape[-1], stride=weight.shape[-1])
    layer.load_state_dict({"weight": torch.as_tensor(weight), "bias": torch.as_tensor(bias)})
    return layer(torch.as_tensor(image)[None]).squeeze(0).flatten(1).T


def pixel_by_pixel(image, weight, bias):
    filters, channels, side, _ = weight.shape
    rows, columns = image.shape[1] // side, image.shape[2] // side
    tokens = [list(map(float, bias)) for _ in range(rows * columns)]
    for c in range(channels):
        for y in range(rows * side):
            for x in range(columns * side):
                for k in range(filters):
                    place = y // side * columns + x // side
                    tokens[place][k] += float(image[c, y, x]) * float(weight[k, c, y % side, x % side])
    return tokens


R82 = [
    ("sliding windows", windows),
    ("split and stack", with_split_and_stack),
    ("unfold twice", with_unfolds_of_tensors),
    ("a convolution layer", with_a_layer),
    ("pixel by pixel", pixel_by_pixel),
]


# 8.3 resize_positions(table, old, new)
def _table(height, width, channels):
    return _RNG.normal(size=(1 + height * width, channels)).astype(np.float32)


LARGER, SMALLER = (_table(3, 2, 4), (3, 2), (5, 4)), (_table(6, 8, 3), (6, 8), (2, 3))
SQUARES = (_table(3, 3, 9), (3, 3), (6, 6))


def resized(table, old, new, **options):
    grid = torch.as_tensor(table)[1:].view(1, *old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, **({"size": new, "mode": "bilinear"} | options))
    return torch.cat([torch.as_tensor(table)[:1], grid.permute(0, 2, 3, 1).flatten(0, 2)])


def smoothed(table, old, new):
    return resized(table, old, new, antialias=True)


def a_tenth_more(table, old, new):
    """The factor of DINOv2's code."""
    factors = tuple((after + 0.1) / before for after, before in zip(new, old, strict=True))
    return resized(table, old, new, size=None, scale_factor=factors)


def double_size(table, old, new):
    return resized(table, old, tuple(2 * side for side in old))


def class_token_resized_along(table, old, new):
    line = torch.as_tensor(table).T[None]
    return F.interpolate(line, 1 + new[0] * new[1], mode="linear")[0].T


def class_token_added_to_all(table, old, new):
    found = resized(table, old, new)
    return torch.cat([found[:1], found[1:] + found[:1]])


def first_row_twice(table, old, new):
    table = np.concatenate([table[:1], table])
    return resized(table[: 1 + old[0] * old[1]], old, new)


def class_token_forgotten(table, old, new):
    return resized(table, old, new)[1:]


def channels_taken_for_places(table, old, new):
    grid = torch.as_tensor(table)[1:].reshape(1, -1, *old)
    return torch.cat([torch.as_tensor(table)[:1], F.interpolate(grid, new, mode="bilinear")[0].flatten(1).T])


def written_without_moving_channels(table, old, new):
    grid = torch.as_tensor(table)[1:].T.reshape(1, -1, *old)
    grid = F.interpolate(grid, new, mode="bilinear")
    return torch.cat([torch.as_tensor(table)[:1], grid.reshape(-1, table.shape[1])])


def written_by_columns(table, old, new):
    found = resized(table, old, new)
    places = found[1:].view(*new, -1).transpose(0, 1).flatten(0, 1)
    return torch.cat([found[:1], places])


def width_before_height(table, old, new):
    return resized(table, old[::-1], new[::-1])


def zoomed_to_the_corners(table, old, new):
    grid = np.asarray(table[1:], float).reshape(*old, -1)
    factors = [after / before for after, before in zip(new, old, strict=True)]
    return np.concatenate([table[:1], ndimage.zoom(grid, (*factors, 1), order=1).reshape(-1, table.shape[1])])


def positions_multiplied(table, old, new):
    found = resized(table, old, new)
    return torch.cat([found[:1], found[1:] * (old[0] * old[1]) / (new[0] * new[1])])


def padded_with_zeros(table, old, new):
    grid = np.zeros((*new, table.shape[1]), table.dtype)
    rows, columns = min(old[0], new[0]), min(old[1], new[1])
    grid[:rows, :columns] = table[1:].reshape(*old, -1)[:rows, :columns]
    return np.concatenate([table[:1], grid.reshape(-1, table.shape[1])])


W83 = [
    Wrong("smoothed while shrinking", smoothed, SMALLER, "antialias"),
    Wrong("a tenth of a place more", a_tenth_more, LARGER, "factor"),
    Wrong("always twice the size", double_size, LARGER, "size"),
    Wrong("class token resized along", class_token_resized_along, LARGER, "class"),
    Wrong("class token added to all", class_token_added_to_all, LARGER, "class"),
    Wrong("a first row too many", first_row_twice, LARGER, "class"),
    Wrong("class token forgotten", class_token_forgotten, LARGER, "class"),
    Wrong("channels taken for places", channels_taken_for_places, LARGER, "order"),
    Wrong("written without moving the channels", written_without_moving_channels, LARGER, "order"),
    Wrong("written by columns", written_by_columns, LARGER, "order"),
    Wrong("width before height", width_before_height, LARGER, "sides"),
    Wrong("corners on corners", zoomed_to_the_corners, LARGER, "corners"),
    Wrong("nearest", lambda t, o, n: resized(t, o, n, mode="nearest"), LARGER, "mode"),
    Wrong("bicubic, as the published ones", lambda t, o, n: resized(t, o, n, mode="bicubic"), LARGER, "mode"),
    Wrong("as many in sum as before", positions_multiplied, LARGER, "sum"),
    Wrong("zeros where nothing was learned", padded_with_zeros, LARGER, "mode"),
]


def with_grid_sample(table, old, new):
    rows = (torch.arange(new[0]) + 0.5) * 2 / new[0] - 1
    columns = (torch.arange(new[1]) + 0.5) * 2 / new[1] - 1
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    grid = torch.as_tensor(table)[1:].T.reshape(1, -1, *old)
    found = F.grid_sample(grid, torch.stack([x, y], -1)[None], padding_mode="border", align_corners=False)
    return torch.cat([torch.as_tensor(table)[:1], found[0].flatten(1).T])


def with_scipy(table, old, new):
    grid = np.asarray(table[1:], float).reshape(*old, -1)
    rows, columns = ((np.arange(after) + 0.5) * before / after - 0.5 for after, before in zip(new, old, strict=True))
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    channels = [ndimage.map_coordinates(grid[..., c], places, order=1, mode="nearest") for c in range(grid.shape[-1])]
    return np.vstack([table[:1], np.stack(channels, -1).reshape(-1, table.shape[1])])


def with_interp(table, old, new):
    """NumPy's linear interpolation, along one side and then along the other."""
    grid = np.asarray(table[1:], float).reshape(*old, -1)
    for axis, (before, after) in enumerate(zip(old, new, strict=True)):
        places = (np.arange(after) + 0.5) * before / after - 0.5
        grid = np.apply_along_axis(lambda line, at=places, n=before: np.interp(at, np.arange(n), line), axis, grid)
    return [table[0].tolist(), *grid.reshape(-1, table.shape[1]).tolist()]


def with_an_upsampling_layer(table, old, new):
    places = torch.as_tensor(table)[1:].unflatten(0, old).movedim(-1, 0)[None]
    found = nn.Upsample(size=new, mode="bilinear")(places)[0]
    return torch.vstack([torch.as_tensor(table)[0], found.movedim(0, -1).reshape(-1, table.shape[1])])


R83 = [
    ("views and permutations", resized),
    ("grid_sample", with_grid_sample),
    ("SciPy", with_scipy),
    ("np.interp", with_interp),
    ("a layer", with_an_upsampling_layer),
]


# 8.4 attention_cost(height, width, channels, heads, reduction)
def cost(height, width, channels, heads, reduction, **change):
    asking = height * width
    kept = change.get("kept", (height // reduction) * (width // reduction))
    parts = {
        "queries": asking * channels**2,
        "keys and values": 2 * kept * channels**2,
        "end": asking * channels**2,
        "convolution": kept * (reduction * channels) ** 2 if reduction > 1 else 0,
        "scores": asking * kept * channels,
        "sums": asking * kept * channels,
    }
    parts |= {name: value(asking, kept) for name, value in change.items() if name in parts}
    return change.get("answers", lambda n, m: heads * n * m)(asking, kept), sum(parts.values())


REDUCED, ODD, PLAIN = (4, 6, 8, 2, 2), (5, 7, 4, 2, 3), (3, 4, 6, 3, 1)


def _costs(name, shown_by, about, **change):
    def answer(height, width, channels, heads, reduction):
        given = (height, width, channels, heads, reduction)
        return cost(*given, **{key: made(*given) for key, made in change.items()})

    return Wrong(name, answer, shown_by, about)


W84 = [
    _costs("nobody is reduced", REDUCED, "answering", kept=lambda h, w, c, d, r: h * w),
    _costs("a fraction of tokens", ODD, "rest", kept=lambda h, w, c, d, r: h * w / r**2),
    _costs("windows that hang over", ODD, "rest", kept=lambda h, w, c, d, r: math.ceil(h / r) * math.ceil(w / r)),
    _costs("both sides by the root of R", (4, 4, 4, 1, 4), "answering",
           kept=lambda h, w, c, d, r: int(h / math.sqrt(r)) * int(w / math.sqrt(r))),
    _costs("reduced tokens ask, too", REDUCED, "answering",
           answers=lambda h, w, c, d, r: lambda n, m: d * m * m, scores=lambda h, w, c, d, r: lambda n, m: m * m * c,
           sums=lambda h, w, c, d, r: lambda n, m: m * m * c),
    _costs("heads forgotten in the answers", REDUCED, "heads", answers=lambda h, w, c, d, r: lambda n, m: n * m),
    _costs("every head has all channels", REDUCED, "heads",
           scores=lambda h, w, c, d, r: lambda n, m: d * n * m * c,
           sums=lambda h, w, c, d, r: lambda n, m: d * n * m * c),
    _costs("no layer at the end", REDUCED, "linear", end=lambda h, w, c, d, r: lambda n, m: 0),
    _costs("keys and values in one", REDUCED, "one layer",
           **{"keys and values": lambda h, w, c, d, r: lambda n, m: m * c * c}),
    _costs("keys of all tokens", REDUCED, "all tokens",
           **{"keys and values": lambda h, w, c, d, r: lambda n, m: 2 * n * c * c}),
    _costs("heads have layers of their own width", REDUCED, "widths",
           queries=lambda h, w, c, d, r: lambda n, m: n * c * c // d,
           end=lambda h, w, c, d, r: lambda n, m: n * c * c // d,
           **{"keys and values": lambda h, w, c, d, r: lambda n, m: 2 * m * c * c // d}),
    _costs("convolution forgotten", REDUCED, "convolution", convolution=lambda h, w, c, d, r: lambda n, m: 0),
    _costs("convolution channel by channel", REDUCED, "convolution",
           convolution=lambda h, w, c, d, r: lambda n, m: m * r * r * c if r > 1 else 0),
    _costs("convolution at every token", REDUCED, "convolution",
           convolution=lambda h, w, c, d, r: lambda n, m: n * r * r * c * c if r > 1 else 0),
    _costs("convolution of one pixel", PLAIN, "convolution",
           convolution=lambda h, w, c, d, r: lambda n, m: m * r * r * c * c),
    _costs("values forgotten", REDUCED, "products", sums=lambda h, w, c, d, r: lambda n, m: 0),
    Wrong("multiplications first", lambda *given: cost(*given)[::-1], REDUCED, "results"),
    Wrong("one number", lambda *given: cost(*given)[1], REDUCED, "results"),
    Wrong("operations, not multiplications", lambda *given: (cost(*given)[0], 2 * cost(*given)[1]), REDUCED, "units"),
    Wrong("in millions", lambda *given: tuple(one / 1e6 for one in cost(*given)), REDUCED, "units"),
]  # fmt: skip


def with_fractions(height, width, channels, heads, reduction):
    n, m = Fraction(height * width), Fraction(height // reduction * (width // reduction))
    d = Fraction(channels, heads)
    total = 2 * (n + m) * channels**2 + 2 * heads * n * m * d
    if reduction > 1:
        total += m * channels**2 * reduction**2
    return int(heads * n * m), int(total)


def by_counting_shapes(height, width, channels, heads, reduction):
    """Every product of matrices as (rows, inner, columns), in whole numbers of 64 bits."""
    n, m, d = height * width, (height // reduction) * (width // reduction), channels // heads
    products = [(n, channels, channels)] * 2 + [(m, channels, channels)] * 2
    products += [(n, d, m), (n, m, d)] * heads
    products += [(m, reduction * reduction * channels, channels)] * (reduction != 1)
    return np.int64(heads) * n * m, np.array(products, dtype=np.int64).prod(axis=1).sum()


def with_real_windows(height, width, channels, heads, reduction):
    kept = len(range(0, height - reduction + 1, reduction)) * len(range(0, width - reduction + 1, reduction))
    tokens = height * width
    per_token, per_kept = 2 * channels * channels, 2 * channels * channels
    per_kept += 0 if reduction == 1 else (reduction * channels) ** 2
    pairs = torch.tensor(tokens) * kept
    return [pairs * heads, tokens * per_token + kept * per_kept + 2 * pairs * channels]


R84 = [
    ("part by part", cost),
    ("fractions", with_fractions),
    ("shapes of the products", by_counting_shapes),
    ("windows counted", with_real_windows),
]

WRONG = {"8.1": W81, "8.2": W82, "8.3": W83, "8.4": W84}
RIGHT = {"8.1": R81, "8.2": R82, "8.3": R83, "8.4": R84}
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "8.1": {"length": ("scale", "roles"), "largest": ("allowed", "large")},
    "8.2": {"weights": ("inside", "weight")},
    "8.3": {"antialias": ("smoothed",), "factor": ("size",), "sides": ("size", "order"), "sum": ("mode",)},
    "8.4": {"one layer": ("linear",), "all tokens": ("linear", "answering"), "widths": ("linear", "heads")},
}
