"""Typical wrong answers to exercise 3.8, the size of a map."""

from __future__ import annotations

import math

from segtutor.exercises.exercise import Mistake


def _each(one):  # type: ignore[no-untyped-def]
    """An answer that goes through the layers with ``one(size, kernel, stride, padding, up)``."""

    def answer(size, layers):  # type: ignore[no-untyped-def]
        for layer in layers:
            size = one(size, *layer)
        return size

    return answer


def _divided(room, stride, up):  # type: ignore[no-untyped-def]
    return -(-room // stride) if up else room // stride


_right = _each(lambda n, k, s, p, up: _divided(n + 2 * p - k, s, up) + 1)


def _room(room):  # type: ignore[no-untyped-def]
    """An answer that divides ``room(size, kernel, padding)``."""
    return _each(lambda n, k, s, p, up: _divided(room(n, k, p), s, up) + 1)


def _layers(change):  # type: ignore[no-untyped-def]
    """The right answer for layers that were changed one by one: ``change(kernel, stride, padding, up)``."""
    return lambda size, layers: _right(size, [change(*layer) for layer in layers])


def _up(steps):  # type: ignore[no-untyped-def]
    """An answer in which rounding up is ``steps(room, stride)``."""
    return _each(lambda n, k, s, p, up: steps(n + 2 * p - k, s) if up else (n + 2 * p - k) // s + 1)


def _down(steps):  # type: ignore[no-untyped-def]
    """An answer in which rounding down is ``steps(room, stride)``."""
    return _each(lambda n, k, s, p, up: -(-(n + 2 * p - k) // s) + 1 if up else steps(n + 2 * p - k, s))


def _dropping_windows(always):  # type: ignore[no-untyped-def]
    """Caffe's rule: a window that rounding up adds must begin before the padding at the end."""

    def one(n, k, s, p, up):  # type: ignore[no-untyped-def]
        count = _divided(n + 2 * p - k, s, up) + 1
        return count - 1 if up and (p or always) and (count - 1) * s >= n + p else count

    return _each(one)


def _rounded_at_the_end(size, layers):  # type: ignore[no-untyped-def]
    for kernel, stride, padding, _ in layers:
        size = (size + 2 * padding - kernel) / stride + 1
    return (math.ceil if layers and layers[-1][3] else math.floor)(size)


def _all_sizes(size, layers):  # type: ignore[no-untyped-def]
    return [_right(size, layers[:count]) for count in range(1, len(layers) + 1)]


def _all_strides_at_once(size, layers):  # type: ignore[no-untyped-def]
    return size // math.prod(stride for _, stride, _, _ in layers)


def _stops_where_up(size, layers):  # type: ignore[no-untyped-def]
    for layer in layers:
        size = _right(size, [layer])
        if layer[3]:
            break
    return size


MISTAKES = (
    Mistake("always down", _layers(lambda k, s, p, up: (k, s, p, False)), "rounding"),
    Mistake("always up", _layers(lambda k, s, p, up: (k, s, p, True)), "rounding"),
    Mistake("up and down exchanged", _layers(lambda k, s, p, up: (k, s, p, not up)), "rounding"),
    Mistake("to the nearest", _each(lambda n, k, s, p, up: round((n + 2 * p - k) / s) + 1), "rounding"),
    Mistake("half up", _each(lambda n, k, s, p, up: math.floor((n + 2 * p - k) / s + 0.5) + 1), "rounding"),
    Mistake("to the nearest instead of down", _down(lambda room, s: round(room / s) + 1), "rounding"),
    Mistake("to the nearest instead of up", _up(lambda room, s: round(room / s) + 1), "rounding"),
    Mistake("not rounded", _each(lambda n, k, s, p, up: (n + 2 * p - k) / s + 1), "rounding"),
    Mistake("rounding of the first layer", lambda n, la: _right(n, [(*one[:3], la[0][3]) for one in la]), "rounding"),
    Mistake("one more where up", _up(lambda room, s: room // s + 2), "more"),
    Mistake("a stride added where up", _up(lambda room, s: (room + s) // s + 1), "more"),
    Mistake("one added before where up", _up(lambda room, s: (room + 1) // s + 1), "more"),
    Mistake("remainder 1 alone", _up(lambda room, s: room // s + 1 + (room % s == 1)), "more"),
    Mistake("up as if for stride 2", _up(lambda room, s: (room + s // 2) // s + 1), "more"),
    Mistake("steps, not places", _each(lambda n, k, s, p, up: _divided(n + 2 * p - k, s, up)), "one"),
    Mistake("one added twice", _each(lambda n, k, s, p, up: _divided(n + 2 * p - k, s, up) + 2), "one"),
    Mistake("one before the division", _each(lambda n, k, s, p, up: _divided(n + 2 * p - k + 1, s, up)), "one"),
    Mistake("up without + 1", _up(lambda room, s: -(-room // s)), "one"),
    Mistake("down without + 1", _down(lambda room, s: room // s), "one"),
    Mistake("padding forgotten", _room(lambda n, k, p: n - k), "padding"),
    Mistake("padding at one end", _room(lambda n, k, p: n + p - k), "padding"),
    Mistake("padding subtracted", _room(lambda n, k, p: n - 2 * p - k), "padding"),
    Mistake("padding halved", _room(lambda n, k, p: n + p // 2 - k), "padding"),
    Mistake("padding four times", _room(lambda n, k, p: n + 4 * p - k), "padding"),
    Mistake("padding after the division", _each(lambda n, k, s, p, up: _divided(n - k, s, up) + 1 + 2 * p), "padding"),
    Mistake("padding only where up", _layers(lambda k, s, p, up: (k, s, p if up else 0, up)), "padding"),
    Mistake("padding only where down", _layers(lambda k, s, p, up: (k, s, 0 if up else p, up)), "padded"),
    Mistake(
        "half the padding where up", _each(lambda n, k, s, p, up: _divided(n + (2 - up) * p - k, s, up) + 1), "padded"
    ),
    Mistake("clipped like Caffe", _dropping_windows(always=False), "caffe"),
    Mistake("windows that begin outside dropped", _dropping_windows(always=True), "caffe"),
    Mistake("divided by the stride only", _each(lambda n, k, s, p, up: _divided(n, s, up)), "kernel"),
    Mistake("kernel forgotten", _each(lambda n, k, s, p, up: _divided(n + 2 * p, s, up)), "kernel"),
    Mistake("kernel forgotten, one added", _room(lambda n, k, p: n + 2 * p), "kernel"),
    Mistake("half a kernel", _room(lambda n, k, p: n + 2 * p - k // 2), "kernel"),
    Mistake("kernel less one", _room(lambda n, k, p: n + 2 * p - k + 1), "kernel"),
    Mistake("kernel plus one", _room(lambda n, k, p: n + 2 * p - k - 1), "kernel"),
    Mistake("kernel added", _room(lambda n, k, p: n + 2 * p + k), "kernel"),
    Mistake("two kernels", _room(lambda n, k, p: n + 2 * p - 2 * k), "kernel"),
    Mistake("kernel after the division", _each(lambda n, k, s, p, up: _divided(n + 2 * p, s, up) - k + 1), "kernel"),
    Mistake("kernel as wide as the stride", _layers(lambda k, s, p, up: (s, s, p, up)), "kernel"),
    Mistake("stride forgotten", _layers(lambda k, s, p, up: (k, 1, p, up)), "stride"),
    Mistake("divided by the kernel", _layers(lambda k, s, p, up: (k, k, p, up)), "stride"),
    Mistake("kernel and stride exchanged", _layers(lambda k, s, p, up: (s, k, p, up)), "stride"),
    Mistake("padding and stride exchanged", _layers(lambda k, s, p, up: (k, p or 1, s, up)), "stride"),
    Mistake("layers backward", lambda n, la: _right(n, la[::-1]), "order"),
    Mistake("rounded at the end only", _rounded_at_the_end, "chain"),
    Mistake("last layer alone", lambda n, la: _right(n, la[-1:]), "chain"),
    Mistake("first layer alone", lambda n, la: _right(n, la[:1]), "chain"),
    Mistake("last layer left out", lambda n, la: _right(n, la[:-1]), "chain"),
    Mistake("first layer left out", lambda n, la: _right(n, la[1:]), "chain"),
    Mistake("all sizes", _all_sizes, "chain"),
    Mistake("all strides at once", _all_strides_at_once, "chain"),
    Mistake("a transposed convolution", _each(lambda n, k, s, p, up: s * (n - 1) + k - 2 * p), "direction"),
    Mistake(
        "one inside the division", _each(lambda n, k, s, p, up: _divided(n + 2 * p - k + 1, s, up) + (not up)), "one"
    ),
    Mistake("stops at a layer that rounds up", _stops_where_up, "chain"),
    Mistake(
        "every stride-th place",
        _each(lambda n, k, s, p, up: -(-(n + 2 * p) // s) if up else (n + 2 * p - k) // s + 1),
        "more",
    ),
)
