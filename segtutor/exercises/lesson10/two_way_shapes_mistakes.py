"""Typical wrong answers to exercise 10.2, the shapes of the two-way block."""

from __future__ import annotations

from segtutor.exercises.exercise import Mistake


def _shapes(  # type: ignore[no-untyped-def]
    size, stride, clicks, box, channels, inner, heads,
    own=5, tokens="right", direction="right", head="inner", fine=4, masks=4, sides="hw", map_sides="right",
):  # fmt: skip
    """The shapes with the switches of the mistakes; as it stands, the right one."""
    h, w = size[0] // stride, size[1] // stride
    prompt = clicks + (2 if box else 1 if clicks else 0)
    if tokens == "no padding":
        prompt = clicks + (2 if box else 0)
    if tokens == "padding with a box":
        prompt = clicks + (3 if box and clicks else 2 if box else 1 if clicks else 0)
    if tokens == "a box is one":
        prompt = clicks + (1 if box or clicks else 0)
    if tokens == "a box is four":
        prompt = clicks + (4 if box else 1 if clicks else 0)
    if tokens == "padding for nothing":
        prompt = clicks + (2 if box else 1)
    n, m = own + prompt, h * w
    if map_sides == "pixels":
        m = size[0] * size[1]
    if map_sides == "masks":
        m = 16 * h * w
    across, back = (heads, n, m), (heads, m, n)
    if direction == "answers first":
        across, back = back, across
    if direction == "both alike":
        back = across
    per_head = {"inner": inner // heads, "all": inner, "channels": channels // heads}[head]
    last = (masks, fine * w, fine * h) if sides == "wh" else (masks, fine * h, fine * w)
    if fine == 0:
        last = (masks, *size)
    return (n, channels), (heads, n, n), (heads, n, per_head), across, back, last


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _shapes(*given, **switches), hint)


MISTAKES = (
    _mistake("no token for the IoU", "own", own=4),
    _mistake("three masks", "own", own=4, masks=3),
    _mistake("three masks at the end", "own", masks=3),
    _mistake("the prompt alone", "own", own=0),
    _mistake("nothing behind the clicks", "padding", tokens="no padding"),
    _mistake("one more token with a box, too", "box", tokens="padding with a box"),
    _mistake("a box is one token", "box", tokens="a box is one"),
    _mistake("a box is four tokens", "box", tokens="a box is four"),
    _mistake("a token for nothing", "nothing", tokens="padding for nothing"),
    _mistake("those who answer first", "direction", direction="answers first"),
    _mistake("both weights alike", "direction", direction="both alike"),
    _mistake("every head has all", "heads", head="all"),
    _mistake("channels instead of the inner ones", "heads", head="channels"),
    _mistake("pixels for places", "places", map_sides="pixels"),
    _mistake("places of the masks", "places", map_sides="masks"),
    _mistake("masks as fine as the embedding", "places", fine=1),
    _mistake("masks as fine as the picture", "places", fine=0),
    _mistake("width before height", "places", sides="wh"),
)
