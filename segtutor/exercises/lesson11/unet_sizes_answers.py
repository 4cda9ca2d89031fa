"""Right answers to exercise 11.5, the sizes of U-Net, written differently."""

from __future__ import annotations


def by_trying(least, levels, convolutions):  # type: ignore[no-untyped-def]
    """Side by side, down and up again."""
    side, lost = least, 2 * convolutions
    while True:
        maps, here = [], side
        for _ in range(levels - 1):
            here -= lost
            maps.append(here)
            if here < 2 or here % 2:
                break
            here //= 2
        else:
            here -= lost
            crops = []
            for skip in reversed(maps):
                here *= 2
                crops.append((skip - here) // 2)
                here -= lost
            if here > 0:
                return side, here, crops
        side += 1


def with_a_formula(least, levels, convolutions):  # type: ignore[no-untyped-def]
    """Sides are multiples of 2^(levels - 1) and a constant; each level up doubles what was lost and adds to it."""
    step, lost = 2 ** (levels - 1), 2 * convolutions
    lead = lost * (2 * step - 1)  # of the side, beside the deepest map
    loss = lost * (3 * step - 2)
    smallest = -(-(loss - lead + 1) // step)
    deepest = max(smallest, -(-(least - lead) // step))
    side = step * deepest + lead
    return side, side - loss, [lost * (3 * 2**level - 2) for level in range(levels - 1)]


def with_convolutions(least, levels, convolutions):  # type: ignore[no-untyped-def]
    """Maps without channels worth the name go through PyTorch's own layers."""
    import torch
    from torch.nn import functional as F

    kernel = torch.ones(1, 1, 3, 3)

    def block(x):  # type: ignore[no-untyped-def]
        for _ in range(convolutions):
            x = F.conv2d(x, kernel)
        return x

    def passed(side):  # type: ignore[no-untyped-def]
        x, skips = torch.zeros(1, 1, side, side), []
        for _ in range(levels - 1):
            x = block(x)
            if x.shape[2] % 2:
                return None
            skips.append(x.shape[2])
            x = F.max_pool2d(x, 2)
        x, crops = block(x), []
        for skip in skips[::-1]:
            x = F.conv_transpose2d(x, torch.ones(1, 1, 2, 2), stride=2)
            crops.append((skip - x.shape[2]) // 2)
            x = block(x)
        return side, x.shape[2], crops

    while True:
        try:
            if found := passed(least):
                return found
        except RuntimeError:  # a kernel is larger than its map, or a map vanishes
            pass
        least += 1
