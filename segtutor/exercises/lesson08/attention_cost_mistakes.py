# mypy: disable-error-code="no-untyped-def"
"""Typical wrong answers to exercise 8.4, what a layer of efficient attention costs."""

from __future__ import annotations

from segtutor.exercises.exercise import Mistake


def _cost(h, w, c, heads, r, **changes):
    """The right answer, term by term; a change replaces a term."""
    n, m = h * w, changes.get("m", (h // r) * (w // r))
    terms = {
        "answers": heads * n * m,
        "linear": (2 * n + 2 * m) * c * c,
        "conv": m * r * r * c * c if r > 1 else 0,
        "products": 2 * n * m * c,
    }
    for name, value in changes.items():
        if name != "m":
            terms[name] = value(n, m)
    return terms["answers"], terms["linear"] + terms["conv"] + terms["products"]


MISTAKES = (
    Mistake("nothing reduced", lambda h, w, c, d, r: _cost(h, w, c, d, r, m=h * w), "answering"),
    Mistake("divided by R", lambda h, w, c, d, r: _cost(h, w, c, d, r, m=h * w // r), "answering"),
    Mistake("one side reduced", lambda h, w, c, d, r: _cost(h, w, c, d, r, m=(h // r) * w), "answering"),
    Mistake("divided as a whole", lambda h, w, c, d, r: _cost(h, w, c, d, r, m=h * w // r**2), "rest"),
    Mistake("rounded up", lambda h, w, c, d, r: _cost(h, w, c, d, r, m=-(-h // r) * -(-w // r)), "rest"),
    Mistake("those that answer ask", lambda h, w, c, d, r: _cost(
        h, w, c, d, r, answers=lambda n, m: d * m * m, products=lambda n, m: 2 * m * m * c), "answering"),
    Mistake("answers of one head", lambda h, w, c, d, r: _cost(h, w, c, d, r, answers=lambda n, m: n * m), "heads"),
    Mistake(
        "products times heads", lambda h, w, c, d, r: _cost(h, w, c, d, r, products=lambda n, m: 2 * d * n * m * c),
        "heads",
    ),
    Mistake(
        "products by heads", lambda h, w, c, d, r: _cost(h, w, c, d, r, products=lambda n, m: 2 * n * m * (c // d)),
        "heads",
    ),
    Mistake(
        "three layers", lambda h, w, c, d, r: _cost(h, w, c, d, r, linear=lambda n, m: (n + 2 * m) * c * c), "linear"
    ),
    Mistake("all see all", lambda h, w, c, d, r: _cost(h, w, c, d, r, linear=lambda n, m: 4 * n * c * c), "linear"),
    Mistake("layers as wide as a head", lambda h, w, c, d, r: _cost(
        h, w, c, d, r, linear=lambda n, m: (2 * n + 2 * m) * c * c // d), "linear"),
    Mistake("no linear layers", lambda h, w, c, d, r: _cost(h, w, c, d, r, linear=lambda n, m: 0), "linear"),
    Mistake(
        "C in place of C²",
        lambda h, w, c, d, r: _cost(h, w, c, d, r, linear=lambda n, m: (2 * n + 2 * m) * c), "linear"
    ),
    Mistake("no convolution", lambda h, w, c, d, r: _cost(h, w, c, d, r, conv=lambda n, m: 0), "convolution"),
    Mistake(
        "convolution at R = 1", lambda h, w, c, d, r: _cost(h, w, c, d, r, conv=lambda n, m: m * r * r * c * c),
        "convolution",
    ),
    Mistake(
        "convolution without its kernel",
        lambda h, w, c, d, r: _cost(h, w, c, d, r, conv=lambda n, m: m * c * c if r > 1 else 0), "convolution",
    ),
    Mistake(
        "convolution of all places",
        lambda h, w, c, d, r: _cost(h, w, c, d, r, conv=lambda n, m: n * r * r * c * c if r > 1 else 0), "convolution",
    ),
    Mistake(
        "depthwise convolution",
        lambda h, w, c, d, r: _cost(h, w, c, d, r, conv=lambda n, m: m * r * r * c if r > 1 else 0), "convolution",
    ),
    Mistake("one product", lambda h, w, c, d, r: _cost(h, w, c, d, r, products=lambda n, m: n * m * c), "products"),
    Mistake("no products", lambda h, w, c, d, r: _cost(h, w, c, d, r, products=lambda n, m: 0), "products"),
    Mistake(
        "products without channels", lambda h, w, c, d, r: _cost(h, w, c, d, r, products=lambda n, m: 2 * n * m),
        "products",
    ),
    Mistake("with additions", lambda *given: (_cost(*given)[0], 2 * _cost(*given)[1]), "units"),
    Mistake("in billions", lambda *given: (_cost(*given)[0], _cost(*given)[1] / 1e9), "units"),
    Mistake("both in millions", lambda *given: tuple(one / 1e6 for one in _cost(*given)), "units"),
    Mistake("exchanged", lambda *given: _cost(*given)[::-1], "results"),
    Mistake("multiplications alone", lambda *given: _cost(*given)[1], "results"),
)  # fmt: skip
