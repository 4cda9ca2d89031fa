"""Exercise 8.4: what a layer of efficient attention holds and multiplies."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson08.attention_cost_mistakes import MISTAKES
from segtutor.exercises.lesson08.counting import silent_counter

STUB = '''
def attention_cost(height, width, channels, heads, reduction):
    """Numbers in the answers of all heads, and multiplications of one layer of efficient attention."""
    raise NotImplementedError("Write attention_cost() here, then run this cell again.")
'''


def attention_cost(height: int, width: int, channels: int, heads: int, reduction: int) -> tuple[int, int]:
    """Numbers in the answers of all heads, and multiplications of one layer of efficient attention."""
    asking = height * width
    answering = (height // reduction) * (width // reduction)
    answers = heads * asking * answering
    linear = (2 * asking + 2 * answering) * channels**2  # query and projection; key and value
    reducing = answering * reduction**2 * channels**2 if reduction > 1 else 0
    return answers, linear + reducing + 2 * asking * answering * channels


def _part_by_part(height, width, channels, heads, reduction):  # type: ignore[no-untyped-def]
    tokens, d = height * width, channels // heads
    context = int(height / reduction) * int(width / reduction)
    total = sum(count * channels * channels for count in (tokens, context, context, tokens))
    if reduction != 1:
        total += context * channels * channels * reduction * reduction
    for _ in range(heads):
        total += tokens * context * d + tokens * context * d
    return tokens * context * heads, total


def _with_counter(height, width, channels, heads, reduction):  # type: ignore[no-untyped-def]
    import torch

    from segtutor.models.mix_transformer import EfficientAttention

    with torch.device("meta"):
        layer, tokens = EfficientAttention(channels, heads, reduction), torch.zeros(1, height * width, channels)
        with silent_counter() as counter:
            context = layer.context(tokens, (height, width))
            layer(tokens, context)
    return heads * height * width * context.shape[1], counter.get_total_flops() // 2


def _with_arrays(height, width, channels, heads, reduction):  # type: ignore[no-untyped-def]
    sides = np.array([height, width], dtype=object)
    tokens, context = sides.prod(), (sides // reduction).prod()
    times = np.array([tokens, context, context, tokens], dtype=object)
    matrices = times.sum() * channels**2 + (reduction > 1) * context * (reduction * channels) ** 2
    return heads * tokens * context, matrices + tokens * context * channels * 2


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    reduction, heads = int(generator.integers(1, 5)), int(generator.integers(1, 6))
    height, width = generator.integers(4, 60, 2).tolist()
    return height, width, heads * int(generator.integers(1, 20)), heads, reduction


EXERCISE = Exercise(
    id="8.4",
    title="What looking everywhere costs",
    name="attention_cost",
    statement="""
A map of `height` x `width` tokens with `channels` numbers each goes through one layer of SegFormer's attention. Count
two things, for one picture:

- how many **answers** it holds, in all heads together;
- how many **multiplications** it takes: those of the linear layers that make queries, keys and values and of the one at
  the end; those of the convolution that reduces the map for keys and values, if there is one; those of queries with
  keys; and those of weights with values.

Keys and values come from a map that a convolution of kernel and stride R = `reduction` has made, as in the lesson, with
as many channels as before; what fills no window of R x R is left out. With R = 1 there is no such convolution. The
`heads` share the channels. Biases, softmax, norms and the division by the root do not count.

Write `attention_cost(height, width, channels, heads, reduction)`, which returns both as whole numbers.
""",
    stub=STUB,
    reference=attention_cost,
    drawn=_drawn,
    cases=(
        # 4 tokens, 1 channel: 16 answers; four linear layers 4 · 4 · 1, and twice 16
        Case("2 x 2 tokens, one channel, R = 1", (2, 2, 1, 1, 1), (16, 48)),
        # 4 ask 1: 4 answers; query and end 2 · 4, key and value 2 · 1, convolution 1 · 4, and twice 4
        Case("2 x 2 tokens, one channel, R = 2", (2, 2, 1, 1, 2), (4, 22)),
        # 1 token, 2 channels: 1 answer per head; four layers of 4, and twice 2
        Case("one token, two channels, two heads", (1, 1, 2, 2, 1), (2, 20)),
        Case("5 x 3 tokens, R = 2: what fills no window", (5, 3, 4, 1, 2), hint="rest"),
        Case("B0's first stage, a picture of 512 x 512", (128, 128, 32, 1, 8)),
        Case("its second stage", (64, 64, 64, 2, 4)),
        Case("its third stage", (32, 32, 160, 5, 2)),
        Case("its last stage", (16, 16, 256, 8, 1)),
        Case("a picture of 4,096 x 2,048, R = 1", (512, 1024, 32, 1, 1)),
    ),
    hints={
        "general": Hint(
            "Two numbers decide everything: how many tokens ask, and how many answer.",
            "A linear layer multiplies C · C times for each token that goes through it: queries and the layer at the "
            "end see all tokens, keys and values only the reduced ones. Each answer takes as many multiplications as a "
            "head has channels, and so does each weight; over all heads that is C.",
        ),
        "answering": Hint(
            "R divides both sides: N tokens ask, N / R² answer.",
            "answering = (height // R) * (width // R).",
        ),
        "rest": Hint(
            "What fills no window is left out, for each side by itself.",
            "(height // R) * (width // R), not (height * width) // R².",
        ),
        "heads": Hint(
            "Each head has answers of its own, N x M; but the channels are split among the heads, so their number does "
            "not change the multiplications.",
            "answers: heads * N * M. Queries with keys: heads * N * M * (C / heads) = N * M * C.",
        ),
        "linear": Hint(
            "Four linear layers of C x C: query and the last one for all N tokens, key and value for the M answering.",
            "(2 N + 2 M) C².",
        ),
        "convolution": Hint(
            "With R > 1 a convolution comes before keys and values. Its kernel has R · R · C · C weights, each used "
            "once for each of the M places.",
            "M * R² * C², and nothing at R = 1.",
        ),
        "products": Hint(
            "There are two products of N x M: queries with keys, and weights with values.",
            "Each takes N * M * C multiplications.",
        ),
        "units": Hint("Multiplications are wanted, as whole numbers.", "No additions, no billions, no division."),
        "results": Hint(
            "Two numbers are wanted: the answers, then the multiplications.", "return answers, multiplications."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_part_by_part, _with_counter, _with_arrays),
    points=3,
    minutes=15,
    difficulty=1,
)  # fmt: skip
