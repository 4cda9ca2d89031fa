# mypy: disable-error-code="no-untyped-def"
"""Typical wrong answers to exercise 8.3, a table of positions for another size."""

from __future__ import annotations

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import F, torch


def _resized(table, old, new, mode="bilinear", **options):
    table = torch.as_tensor(table)
    grid = F.interpolate(table[1:].T.reshape(1, -1, *old), new, mode=mode, **options)
    return torch.cat([table[:1], grid[0].flatten(1).T])


def _all_rows(table, old, new):
    """The class token's vector as the first place, the last place lost."""
    table = torch.as_tensor(table)
    grid = F.interpolate(table[:-1].T.reshape(1, -1, *old), new, mode="bilinear")
    return torch.cat([table[:1], grid[0].flatten(1).T])


def _without_class(table, old, new):
    return _resized(table, old, new)[1:]


def _class_last(table, old, new):
    found = _resized(table, old, new)
    return torch.cat([found[1:], found[:1]])


def _class_at_the_end_of_the_table(table, old, new):
    table = torch.as_tensor(table)
    grid = F.interpolate(table[:-1].T.reshape(1, -1, *old), new, mode="bilinear")
    return torch.cat([grid[0].flatten(1).T, table[-1:]])


def _zero_class(table, old, new):
    found = _resized(table, old, new).clone()
    found[0] = 0
    return found


def _mean_class(table, old, new):
    found = _resized(table, old, new).clone()
    found[0] = found[1:].mean(dim=0)
    return found


def _reshaped(table, old, new):
    """No transposition before the reshape."""
    table = torch.as_tensor(table)
    grid = F.interpolate(table[1:].reshape(1, -1, *old), new, mode="bilinear")
    return torch.cat([table[:1], grid[0].flatten(1).T])


def _reshaped_back(table, old, new):
    table = torch.as_tensor(table)
    grid = F.interpolate(table[1:].T.reshape(1, -1, *old), new, mode="bilinear")
    return torch.cat([table[:1], grid[0].reshape(-1, table.shape[1])])


def _columns_first(table, old, new):
    table = torch.as_tensor(table)
    grid = F.interpolate(table[1:].T.reshape(1, -1, *old), new, mode="bilinear")
    return torch.cat([table[:1], grid[0].transpose(1, 2).flatten(1).T])


def _read_by_columns(table, old, new):
    table = torch.as_tensor(table)
    grid = table[1:].T.reshape(1, -1, *old[::-1]).transpose(2, 3)
    return torch.cat([table[:1], F.interpolate(grid, new, mode="bilinear")[0].flatten(1).T])


def _flat(table, old, new):
    """Along the row of all places, as if they were a line."""
    table = torch.as_tensor(table)
    line = F.interpolate(table[1:].T[None], new[0] * new[1], mode="linear")[0].T
    return torch.cat([table[:1], line])


def _cropped(table, old, new):
    table = torch.as_tensor(table)
    places = torch.arange(new[0] * new[1]) % (len(table) - 1)
    return torch.cat([table[:1], table[1:][places]])


def _class_along(table, old, new):
    line = F.interpolate(torch.as_tensor(table).T[None], 1 + new[0] * new[1], mode="linear")
    return line[0].T


def _class_added(table, old, new):
    found = _resized(table, old, new)
    return torch.cat([found[:1], found[1:] + found[:1]])


def _with_offset(table, old, new):
    """DINOv2's code: a tenth more than the size that is wanted."""
    factors = tuple((after + 0.1) / before for after, before in zip(new, old, strict=True))
    table = torch.as_tensor(table)
    grid = F.interpolate(table[1:].T.reshape(1, -1, *old), scale_factor=factors, mode="bilinear")
    return torch.cat([table[:1], grid[0].flatten(1).T])


def _same_sum(table, old, new):
    found = _resized(table, old, new)
    return torch.cat([found[:1], found[1:] * (old[0] * old[1]) / (new[0] * new[1])])


def _padded(table, old, new):
    """Places that were not learned are 0."""
    table = torch.as_tensor(table)
    grid = table[1:].T.reshape(-1, *old)[:, : new[0], : new[1]]
    grid = F.pad(grid, (0, new[1] - grid.shape[2], 0, new[0] - grid.shape[1]))
    return torch.cat([table[:1], grid.flatten(1).T])


MISTAKES = (
    Mistake("class token among the places", _all_rows, "class"),
    Mistake("class token lost", _without_class, "class"),
    Mistake("class token last", _class_last, "class"),
    Mistake("last row taken for the class token", _class_at_the_end_of_the_table, "class"),
    Mistake("class token zero", _zero_class, "class"),
    Mistake("class token averaged", _mean_class, "class"),
    Mistake("class token in one line with the places", _class_along, "class"),
    Mistake("class token added to the places", _class_added, "class"),
    Mistake("reshaped without transposing", _reshaped, "order"),
    Mistake("reshaped back without transposing", _reshaped_back, "order"),
    Mistake("written column by column", _columns_first, "order"),
    Mistake("read column by column", _read_by_columns, "order"),
    Mistake("corners aligned", lambda t, o, n: _resized(t, o, n, align_corners=True), "corners"),
    Mistake("nearest", lambda t, o, n: _resized(t, o, n, "nearest"), "mode"),
    Mistake("bicubic", lambda t, o, n: _resized(t, o, n, "bicubic"), "mode"),
    Mistake("area", lambda t, o, n: _resized(t, o, n, "area"), "mode"),
    Mistake("along a line", _flat, "mode"),
    Mistake("the sum kept", _same_sum, "mode"),
    Mistake("filled with zeros", _padded, "mode"),
    Mistake("smoothed", lambda t, o, n: _resized(t, o, n, antialias=True), "smoothed"),
    Mistake("repeated", _cropped, "mode"),
    Mistake("height and width exchanged", lambda t, o, n: _resized(t, o, n[::-1]), "size"),
    Mistake("both sizes exchanged", lambda t, o, n: _resized(t, o[::-1], n[::-1]), "size"),
    Mistake("twice the size", lambda t, o, n: _resized(t, o, (2 * o[0], 2 * o[1])), "size"),
    Mistake("a tenth more", _with_offset, "size"),
    Mistake("left as it was", lambda t, o, n: t, "size"),
)
