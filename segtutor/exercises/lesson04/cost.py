"""Exercise 4.7: what a convolution costs, in parameters and in multiplications."""

from __future__ import annotations

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.cost_mistakes import MISTAKES

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
        Case("odd numbers everywhere", (2049, 511, 5, 3, 61, 59), hint="exact"),
    ),
    hints={
        "general": Hint(
            "Each output channel has kernel x kernel weights for every input channel.",
            "Count the weights of one output channel, then of all. The rate moves the taps apart and adds none. Every "
            "weight is used once at each position of the result.",
        ),
        "rate": Hint(
            "The holes of a dilated kernel cost nothing: there is no weight in them, and nothing is multiplied.",
            "Leave the rate out of both numbers.",
        ),
        "bias": Hint(
            "There is one bias per *output* channel, K in all. It counts as a parameter, and not as a multiplication.",
            "Return weights + out_channels, and weights * height * width.",
        ),
        "kernel": Hint(
            "A kernel has two dimensions: 3 x 3 are nine taps, and all of them are used, once.", "kernel * kernel."
        ),
        "channels": Hint(
            "Every output channel reads every input channel, with weights of its own.",
            "out_channels * in_channels, a product, not a sum, and both of them.",
        ),
        "positions": Hint(
            "The same weights are used at every position of the result, also at its border: stored once and multiplied "
            "height x width times.",
            "Only the multiplications get the factor height * width.",
        ),
        "results": Hint(
            "There are two numbers, parameters first, in ones, not in millions.", "Return parameters, multiplications."
        ),
        "exact": Hint(
            "Both numbers are whole and exact. Billions need more than 32 bits, and more digits than single precision.",
            "Python's own integers, or np.int64.",
        ),
        "additions": Hint(
            "Multiplications alone are counted: the additions that go with them are not, so no factor 2.",
            "weights * height * width.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_by_hand, _with_torch, _with_loops),
    points=2,
    minutes=8,
    difficulty=1,
)
