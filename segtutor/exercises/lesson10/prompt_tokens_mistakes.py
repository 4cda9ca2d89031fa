"""Typical wrong answers to exercise 10.1, the tokens of a prompt."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _tokens(  # type: ignore[no-untyped-def]
    points, labels, box, size, frequencies, kinds, no_point,
    order="xy", half=0.5, box_half=0.5, code="right", turn=2 * np.pi, waves="halves", padding="without a box",
    kind="right", corners="right",
):  # fmt: skip
    """The tokens with the switches of the mistakes; as it stands, the right one."""
    height, width = size
    sides = [height, width] if order == "sides" else [width, height]
    found = [np.asarray(points, dtype=float).reshape(-1, 2) + half]
    numbers = [1 - label if kind == "swapped" else label for label in labels]
    if box is not None:
        both = np.reshape(box, (2, 2)).astype(float) + box_half
        numbers += {"right": [2, 3], "swapped": [3, 2], "alike": [2, 2], "clicks": [1, 1]}[corners]
        found.append(both)
    places = np.concatenate(found)
    if corners == "first" and box is not None:
        places, numbers = np.concatenate(found[::-1]), [*numbers[-2:], *numbers[:-2]]
    places = places[:, ::-1] / [height, width] if order == "yx" else places / sides
    if code == "right":
        places = 2 * places - 1
    if code == "less":
        places = places - 0.5
    angles = turn * places @ frequencies
    parts = [np.cos(angles), np.sin(angles)] if waves == "cosines first" else [np.sin(angles), np.cos(angles)]
    codes = np.concatenate(parts, axis=1)
    if waves == "by turns":
        codes = np.stack(parts, axis=2).reshape(len(codes), -1)
    tokens = codes.copy()
    if kind != "none":
        tokens = codes + kinds[np.array(numbers, dtype=int)]
    if padding == "never" or (box is not None and padding != "always"):
        return tokens
    last = no_point[None]
    if padding == "with a code":
        angles = turn * (2 * np.array([[half / width, half / height]]) - 1) @ frequencies
        last = last + np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    if padding == "zeros":
        last = 0 * last
    return np.concatenate([last, tokens] if padding == "first" else [tokens, last])


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _tokens(*given, **switches), hint)


MISTAKES = (
    _mistake("y before x", "order", order="yx"),
    _mistake("x by the height", "order", order="sides"),
    _mistake("without the half", "half", half=0.0, box_half=0.0),
    _mistake("half taken away", "half", half=-0.5, box_half=-0.5),
    _mistake("corners without the half", "half", box_half=0.0),
    _mistake("from 0 to 1", "range", code="plain"),
    _mistake("from -0.5 to 0.5", "range", code="less"),
    _mistake("half a turn", "range", turn=np.pi),
    _mistake("without the turn", "range", turn=1.0),
    _mistake("cosines first", "sines", waves="cosines first"),
    _mistake("sine and cosine by turns", "sines", waves="by turns"),
    _mistake("no token without a box", "padding", padding="never"),
    _mistake("a token with a box, too", "padding", padding="always"),
    _mistake("the token has a place", "padding", padding="with a code"),
    _mistake("the token is zero", "padding", padding="zeros"),
    _mistake("the token stands first", "padding", padding="first"),
    _mistake("kinds swapped", "kinds", kind="swapped"),
    _mistake("no kinds", "kinds", kind="none"),
    _mistake("corners swapped", "box", corners="swapped"),
    _mistake("two corners of one kind", "box", corners="alike"),
    _mistake("corners are clicks", "box", corners="clicks"),
    _mistake("the box stands first", "box", corners="first"),
)
