"""Exercise 4.7: what a convolution costs, in parameters and in multiplications."""

from __future__ import annotations

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def convolution_cost(in_channels, out_channels, kernel, rate, height, width):
    """Parameters (with bias) and multiplications of a convolution whose result is out_channels x height x width."""
    raise NotImplementedError("Write convolution_cost() here, then run this cell again.")
'''


def convolution_cost(
    in_channels: int, out_channels: int, kernel: int, rate: int, height: int, width: int
) -> tuple[int, int]:
    """Parameters (with bias) and multiplications of a convolution whose result is out_channels x height x width."""
    weights = out_channels * in_channels * kernel * kernel
    return weights + out_channels, weights * height * width


def _by_hand(c, k, kernel, rate, h, w):  # type: ignore[no-untyped-def]
    per_output = c * kernel**2
    return [k * (per_output + 1), h * w * k * per_output]


def _with_torch(in_channels, out_channels, kernel, rate, height, width):  # type: ignore[no-untyped-def]
    import torch

    layer = torch.nn.Conv2d(in_channels, out_channels, kernel, dilation=rate, device="meta")
    parameters = sum(one.numel() for one in layer.parameters())
    return parameters, layer.weight.numel() * height * width


def _with_loops(in_channels, out_channels, kernel, rate, height, width):  # type: ignore[no-untyped-def]
    parameters = multiplications = 0
    for _ in range(out_channels):
        taps = sum(1 for _ in range(kernel) for _ in range(kernel))
        parameters += in_channels * taps + 1
        multiplications += in_channels * taps * height * width
    return parameters, multiplications


def _cost(c, k, kernel, rate, h, w, *, taps):  # type: ignore[no-untyped-def]
    """The cost with another number of taps."""
    weights = k * c * taps(kernel, rate)
    return weights + k, weights * h * w


EXERCISE = Exercise(
    id="4.7",
    title="What a convolution costs",
    name="convolution_cost",
    statement="""
Why are there 1 x 1 convolutions before the expensive layers, and what do the holes of a dilated kernel cost? Count.
Write `convolution_cost(in_channels, out_channels, kernel, rate, height, width)` for a convolution with
`kernel` x `kernel` taps at dilation `rate`, whose result has `height` x `width` positions. Return two whole numbers:

- the parameters: all weights, and one bias per output channel;
- the multiplications for one picture: one per weight and position of the result. The zeros of the padding count like
  all other values; adding the bias is no multiplication.
""",
    stub=STUB,
    reference=convolution_cost,
    cases=(
        Case("1 to 1 channel, 1 x 1, one position", (1, 1, 1, 1, 1, 1), (2, 1)),
        Case("2 to 3 channels, 1 x 1, 4 x 5 positions", (2, 3, 1, 1, 4, 5), (9, 120)),
        Case("2 to 3 channels, 3 x 3", (2, 3, 3, 1, 4, 5), (57, 1080)),
        Case("the same at rate 2", (2, 3, 3, 2, 4, 5), (57, 1080), "rate"),
        Case("a level of PSPNet: 2048 to 512, 1 x 1, 6 x 6 regions", (2048, 512, 1, 1, 6, 6)),
        Case("the head of PSPNet: 4096 to 512, 3 x 3, 60 x 60", (4096, 512, 3, 1, 60, 60)),
        Case("a large dilated layer", (512, 1024, 7, 4, 20, 30)),
    ),
    hints={
        "general": Hint(
            "Each output channel has kernel x kernel weights for every input channel.",
            "weights = out_channels * in_channels * kernel ** 2; one bias per output channel; every weight is used "
            "once per position.",
        ),
        "rate": Hint(
            "The holes of a dilated kernel cost nothing: there is no weight in them, and nothing is multiplied.",
            "Leave the rate out of both numbers.",
        ),
        "bias": Hint(
            "There is one bias per *output* channel. It counts as a parameter, and not as a multiplication.",
            "Return weights + out_channels, and weights * height * width.",
        ),
        "kernel": Hint(
            "A kernel has two dimensions: 3 x 3 are nine taps, and all of them are used.", "kernel * kernel."
        ),
        "channels": Hint(
            "Every output channel reads every input channel.", "out_channels * in_channels, a product, not a sum."
        ),
        "positions": Hint(
            "The same weights are used at every position. So they are stored once and multiplied height x width times.",
            "Only the multiplications get the factor height * width.",
        ),
        "results": Hint("The two numbers are exchanged.", "Return parameters, multiplications."),
    },
    mistakes=(
        Mistake("reach of the dilated kernel", lambda *a: _cost(*a, taps=lambda k, r: ((k - 1) * r + 1) ** 2), "rate"),
        Mistake("kernel times rate", lambda *a: _cost(*a, taps=lambda k, r: (k * r) ** 2), "rate"),
        Mistake("fewer taps at a rate", lambda *a: _cost(*a, taps=lambda k, r: (-(-k // r)) ** 2), "rate"),
        Mistake("no bias", lambda c, k, n, r, h, w: (c * k * n * n, c * k * n * n * h * w), "bias"),
        Mistake("bias per input", lambda c, k, n, r, h, w: (c * k * n * n + c, c * k * n * n * h * w), "bias"),
        Mistake("bias multiplied", lambda c, k, n, r, h, w: ((c * n * n + 1) * k, (c * n * n + 1) * k * h * w), "bias"),
        Mistake("one side of the kernel", lambda *a: _cost(*a, taps=lambda k, r: k), "kernel"),
        Mistake("kernel ignored", lambda *a: _cost(*a, taps=lambda k, r: 1), "kernel"),
        Mistake("one input channel", lambda c, k, n, r, h, w: convolution_cost(1, k, n, r, h, w), "channels"),
        Mistake(
            "channels added",
            lambda c, k, n, r, h, w: ((c + k) * n * n + k, (c + k) * n * n * h * w),
            "channels",
        ),
        Mistake("one position", lambda c, k, n, r, h, w: convolution_cost(c, k, n, r, 1, 1), "positions"),
        Mistake("one row", lambda c, k, n, r, h, w: convolution_cost(c, k, n, r, 1, w), "positions"),
        Mistake(
            "parameters per position",
            lambda c, k, n, r, h, w: ((c * n * n + 1) * k * h * w, c * k * n * n * h * w),
            "positions",
        ),
        Mistake("exchanged", lambda *a: convolution_cost(*a)[::-1], "results"),
    ),
    alternatives=(_by_hand, _with_torch, _with_loops),
    points=2,
    minutes=8,
    difficulty=1,
)
