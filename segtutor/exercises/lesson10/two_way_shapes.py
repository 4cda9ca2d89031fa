"""Exercise 10.2: the shapes in a block of the two-way transformer."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson10.two_way_shapes_mistakes import MISTAKES

STUB = '''
def two_way_shapes(size, stride, clicks, box, channels, inner, heads):
    """Six shapes that a prompt meets in the mask decoder, each a tuple of whole numbers."""
    raise NotImplementedError("Write two_way_shapes() here, then run this cell again.")
'''


def two_way_shapes(
    size: tuple[int, int], stride: int, clicks: int, box: bool, channels: int, inner: int, heads: int
) -> tuple[tuple[int, ...], ...]:
    """Six shapes that a prompt meets in the mask decoder, each a tuple of whole numbers."""
    h, w = size[0] // stride, size[1] // stride
    tokens = 1 + 4 + clicks + (2 if box else 1 if clicks else 0)  # IoU, masks, clicks, corners or "no box"
    return (
        (tokens, channels),
        (heads, tokens, tokens),
        (heads, tokens, inner // heads),
        (heads, tokens, h * w),
        (heads, h * w, tokens),
        (4, 4 * h, 4 * w),
    )


def _in_steps(size, stride, clicks, box, channels, inner, heads):  # type: ignore[no-untyped-def]
    places = [side // stride for side in size]
    rows = ["IoU"] + ["mask"] * 4 + ["click"] * clicks
    if box:
        rows += ["corner", "corner"]
    elif clicks:
        rows += ["no point"]
    n, m = len(rows), int(np.prod(places))
    asks, answers = [heads, n, m], [heads, m, n]
    return [n, channels], [heads, n, n], [heads, n, inner // heads], asks, answers, [4, *(4 * one for one in places)]


def _with_arrays(size, stride, clicks, box, channels, inner, heads):  # type: ignore[no-untyped-def]
    h, w = (np.array(size) / stride).astype(int)
    prompt = clicks + 2 if box else clicks + (clicks > 0)
    tokens = np.zeros((5 + prompt, heads, 1))
    places = np.zeros((h * w, heads, 1))
    asks = np.einsum("nhd,mhd->hnm", tokens, places)
    among = np.einsum("nhd,mhd->hnm", tokens, tokens)
    head = np.zeros((len(tokens), inner)).reshape(len(tokens), heads, -1).transpose(1, 0, 2)
    back = asks.transpose(0, 2, 1)
    return (len(tokens), channels), among.shape, head.shape, asks.shape, back.shape, np.zeros((4, 4 * h, 4 * w)).shape


def _with_the_network(size, stride, clicks, box, channels, inner, heads):  # type: ignore[no-untyped-def]
    """The course's decoder, asked where it computes nothing."""
    import torch

    from segtutor.models.sam.mask_decoder import DecoderSizes, MaskDecoder
    from segtutor.models.sam.prompt_encoder import PromptEncoder

    with torch.device("meta"):
        encoder, decoder = PromptEncoder(channels), MaskDecoder(DecoderSizes(channels, 1, heads, 8, inner))
        points = torch.zeros(1, 1, clicks, 2) if clicks else None
        labels = torch.zeros(1, 1, clicks) if clicks else None
        prompt = encoder(size, points, labels, torch.zeros(1, 1, 4) if box else None)
        embedding = torch.zeros(1, channels, size[0] // stride, size[1] // stride)
        dense = torch.zeros(1, 1, channels, 1, 1)
        masks, _ = decoder(embedding, torch.zeros_like(embedding), prompt, dense)
    n = 5 + (0 if prompt is None else prompt.shape[2])
    m = embedding.shape[2] * embedding.shape[3]
    return (n, channels), (heads, n, n), (heads, n, inner // heads), (heads, n, m), (heads, m, n), masks.shape[2:]


def _drawn(generator: np.random.Generator) -> tuple[object, ...]:
    """Further inputs for the variants of the course."""
    stride, heads = int(generator.choice([4, 8, 16])), int(generator.integers(2, 6))
    size = (stride * int(generator.integers(3, 12)), stride * int(generator.integers(12, 30)))
    inner = heads * int(generator.integers(2, 9))
    return size, stride, int(generator.integers(0, 7)), bool(generator.integers(2)), 8 * int(inner), inner, heads


EXERCISE = Exercise(
    id="10.2",
    title="Shapes of the two-way block",
    name="two_way_shapes",
    statement="""
One picture of `size` (height, width), whose encoder has the given `stride`, and one prompt of `clicks` points, with a
`box` (True or False), go through SAM's mask decoder. The embedding has E = `channels`. In the attention among tokens
the queries have E numbers; in both attentions between tokens and map they have `inner` ones. All are split among
`heads`.

Write `two_way_shapes(size, stride, clicks, box, channels, inner, heads)`. Return six shapes, in this order:

1. all tokens, N x E: one for the IoU, one for each of the four masks (the single one and the three), and the prompt as
   in 10.1. A prompt without points and without a box has no token at all;
2. the weights where tokens ask each other;
3. the queries where the tokens ask the map, split among the heads;
4. the weights where the tokens ask the map;
5. the weights where the map asks the tokens;
6. all mask logits that the decoder makes, four times as fine as the embedding.

From the second to the fifth the heads stand first, then who asks. Height and width are multiples of the stride.
""",
    stub=STUB,
    reference=two_way_shapes,
    drawn=_drawn,
    cases=(
        Case(
            "sam_tiny, one click",
            ((128, 160), 8, 1, False, 40, 40, 4),
            ((7, 40), (4, 7, 7), (4, 7, 10), (4, 7, 320), (4, 320, 7), (4, 64, 80)),
        ),
        Case(
            "SAM, a box",
            ((1024, 1024), 16, 0, True, 256, 128, 8),
            ((7, 256), (8, 7, 7), (8, 7, 16), (8, 7, 4096), (8, 4096, 7), (4, 256, 256)),
            "box",
        ),
        Case(
            "three clicks and a box",
            ((64, 96), 16, 3, True, 32, 16, 2),
            ((10, 32), (2, 10, 10), (2, 10, 8), (2, 10, 24), (2, 24, 10), (4, 16, 24)),
            "box",
        ),
        Case(
            "nothing is asked",
            ((32, 64), 8, 0, False, 16, 8, 2),
            ((5, 16), (2, 5, 5), (2, 5, 4), (2, 5, 32), (2, 32, 5), (4, 16, 32)),
            "nothing",
        ),
        Case("five clicks, one head", ((48, 80), 8, 5, False, 24, 12, 1)),
        Case("a wide picture", ((16, 400), 4, 2, False, 64, 32, 4)),
        Case("a box in a tall picture", ((240, 80), 16, 1, True, 48, 24, 3)),
    ),
    hints={
        "general": Hint(
            "Two numbers decide all: N tokens and M places of the embedding.",
            "Count the tokens by their kinds first. Weights have the heads, those who ask, and those who answer; a "
            "head's queries have its share of the channels.",
        ),
        "own": Hint(
            "The decoder brings five tokens of its own: one for the IoU and four for masks.",
            "The three masks have a token each, and so does the single one.",
        ),
        "padding": Hint(
            "Clicks without a box are followed by one more token.", "N clicks make N + 1 tokens where there is no box."
        ),
        "box": Hint(
            "A box is two tokens, its corners, and then nothing else is added.",
            "N clicks and a box make N + 2 tokens.",
        ),
        "nothing": Hint(
            "A prompt without points and without a box brings no token at all.",
            "The token that says *no box* follows points only.",
        ),
        "direction": Hint(
            "Weights stand with those who ask before those who answer.",
            "Tokens ask: N x M. The map asks: M x N.",
        ),
        "heads": Hint(
            "The channels are shared among the heads, not repeated; between tokens and map these are the inner ones.",
            "Each head's queries have inner // heads numbers.",
        ),
        "places": Hint(
            "The map has a place for each stride x stride pixels, and its masks are four times as fine as that.",
            "h = height // stride, w = width // stride; M is their product, and masks are 4 h x 4 w.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_in_steps, _with_arrays, _with_the_network),
    points=3,
    minutes=15,
    difficulty=1,
)  # fmt: skip
