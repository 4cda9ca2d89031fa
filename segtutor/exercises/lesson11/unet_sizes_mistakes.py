"""Typical wrong answers to exercise 11.5, the sizes of U-Net."""

from __future__ import annotations

from segtutor.exercises.exercise import Mistake


def _sizes(  # type: ignore[no-untyped-def]
    least, levels, convolutions,
    lost=2.0, even=True, poolings=-1, crop="each", order=1, kept=1, further=0, pooled=False, added=0, up=None,
    fixed=None,
):  # fmt: skip
    """The sizes with the switches of the mistakes; as it stands, the right ones."""
    side, count = least + further, fixed or convolutions
    back = int(count * (lost if up is None else up))
    lost = int(count * lost)
    for _ in range(2000):
        maps, here = [], side
        for _ in range(max(levels + poolings, 0)):
            here -= lost
            maps.append(here)
            if here < 2 or (even and here % 2):
                break
            here //= 2
        else:
            here -= lost
            crops = []
            for skip in reversed(maps):
                here *= 2
                whole = (skip // 2 if pooled else skip) - here
                if crop == "after":
                    whole += back
                crops.append(whole if crop == "both" else whole // 2)
                here -= back
            if here >= kept:
                return side, here + added * convolutions, crops[::order]
        side += 1
    return side, 0, []


def _multiple(least, levels, convolutions):  # type: ignore[no-untyped-def]
    """The next multiple of 2^(levels - 1), as a padded network wants it."""
    step = 2 ** (levels - 1)
    side = -(-least // step) * step
    found = _sizes(least, levels, convolutions)
    return side, side - (found[0] - found[1]), found[2]


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _sizes(*given, **switches), hint)


MISTAKES = (
    _mistake("padded", "convolutions", lost=0.0),
    _mistake("two convolutions wherever", "convolutions", fixed=2),
    _mistake("one pixel a convolution", "convolutions", lost=1.0),
    _mistake("padded on the way up", "convolutions", up=0.0),
    _mistake("odd maps are pooled", "even", even=False),
    Mistake("a multiple of the stride", _multiple, "even"),
    _mistake("as many poolings as levels", "levels", poolings=0),
    _mistake("two poolings fewer", "levels", poolings=-2),
    _mistake("both sides together", "crops", crop="both"),
    _mistake("after the convolutions", "crops", crop="after"),
    _mistake("skips behind the pooling", "crops", pooled=True),
    _mistake("the finest first", "order", order=-1),
    _mistake("no pixel is enough", "output", kept=0),
    _mistake("before the last convolutions", "output", added=2),
    _mistake("more than asked for", "even", further=1),
)
