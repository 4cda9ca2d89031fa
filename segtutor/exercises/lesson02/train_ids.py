"""Exercise 2.5: Cityscapes' ids as training ids."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded
from segtutor.labels import CITYSCAPES_TRAIN_IDS

STUB = '''
def to_train_ids(ids, train_id_of, void=255):
    """H x W ids -> H x W training ids; ids without a training id, and those nobody knows, are void."""
    raise NotImplementedError("Write to_train_ids() here, then run this cell again.")
'''


def to_train_ids(ids: np.ndarray, train_id_of: dict[int, int], void: int = 255) -> np.ndarray:
    """H x W ids -> H x W training ids; ids without a training id, and those nobody knows, are void."""
    labels = np.full(ids.shape, void)
    for number, train_id in train_id_of.items():
        labels[ids == number] = train_id
    return labels


def _table(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    table = np.full(258, void)
    for number, train_id in train_id_of.items():
        table[number + 1] = train_id
    return table[np.clip(ids.astype(int), -1, 256) + 1]


def _per_pixel(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    return [[train_id_of.get(number, void) for number in row] for row in ids.tolist()]


def _vectorized(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    return np.vectorize(lambda number: train_id_of.get(int(number), void), otypes=[int])(ids)


def _in_place(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    for number, train_id in train_id_of.items():
        ids[ids == number] = train_id
    return ids


def _copy_in_turn(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    labels = ids.astype(int).copy()
    for number, train_id in train_id_of.items():
        labels[labels == number] = train_id
    return np.where(np.isin(ids, list(train_id_of)), labels, void)


def _unknown_kept(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    labels = ids.astype(int).copy()
    for number, train_id in train_id_of.items():
        labels[ids == number] = train_id
    return labels


def _inverse(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    labels = np.full(ids.shape, void)
    for number, train_id in train_id_of.items():
        labels[ids == train_id] = number
    return labels


def _python_index(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    table = np.full(34, void)
    for number, train_id in train_id_of.items():
        if number >= 0:
            table[number] = train_id
    table[-1] = train_id_of.get(33, void)
    return np.where(ids < 34, table[np.minimum(ids, 33)], void)  # -1 takes the last entry


def _table_of(size):  # type: ignore[no-untyped-def]
    def wrong(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
        table = np.full(size or max(int(ids.max()), *train_id_of) + 1, void)
        for number, train_id in train_id_of.items():
            table[number] = train_id
        return table[ids]

    return wrong


def _zero_based(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    order = sorted(train_id_of)
    return np.vectorize(lambda number: order.index(number) if number in order else void, otypes=[int])(ids)


_REAL = {number: int(train_id) for number, train_id in enumerate(CITYSCAPES_TRAIN_IDS) if train_id != 255}
_TOY = {7: 0, 8: 1, 11: 2}
_TANGLED = {1: 2, 2: 3, 3: 1}


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    trained = generator.permutation(34)[:12].tolist()
    return (
        generator.integers(-1, 40, (7, 9)),
        dict(zip(trained, range(12), strict=True)),
        int(generator.integers(12, 256)),
    )


EXERCISE = Exercise(
    id="2.5",
    title="Cityscapes: from ids to training ids",
    name="to_train_ids",
    statement="""
Cityscapes' `labelIds` PNGs hold the ids -1 and 0 ... 33, of which only 19 are trained and scored. Write
`to_train_ids(ids, train_id_of, void)`: `train_id_of` is a dictionary id → training id of the classes that count.
Every other id is void, also one that Cityscapes does not have, as 34 or 300. In the original files -1 (license plate)
does not fit into `uint8`; here `ids` is signed, and -1 may occur.
""",
    stub=STUB,
    reference=to_train_ids,
    drawn=_drawn,
    cases=(
        Case("three classes", (np.array([[7, 8, 11]]), _TOY, 255), np.array([[0, 1, 2]])),
        Case("all ids of Cityscapes", (np.arange(-1, 34).reshape(5, 7), _REAL, 255)),
        Case("16 bits", (np.array([[-1, 7], [8, 5]], dtype=np.int16), _TOY, 255), np.array([[255, 0], [1, 255]])),
        Case("a random map", (seeded(4).integers(-1, 34, (10, 12)), _REAL, 255)),
        Case(
            "ids that are not trained",
            (np.array([[0, 7], [3, 9]]), _TOY, 255),
            np.array([[255, 0], [255, 255]]),
            "unknown",
        ),
        Case("a license plate", (np.array([[-1, 33, 8]]), {**_TOY, 33: 18}, 255), np.array([[255, 18, 1]]), "negative"),
        Case("void is 19 here", (np.array([[5, 7]]), _TOY, 19), np.array([[19, 0]]), "void"),
        Case(
            "a training id that is also an id",
            (np.array([[1, 2, 3, 1]]), _TANGLED, 255),
            np.array([[2, 3, 1, 2]]),
            "in turn",
        ),
        Case("void is 0 here", (np.array([[5, 7, 8]]), _TOY, 0), np.array([[0, 0, 1]]), "void"),
        Case("void is 1000 here", (np.array([[5, 8]]), _TOY, 1000), np.array([[1000, 1]]), "void"),
        Case(
            "ids that nobody knows",
            (np.array([[34, 300], [263, 8]]), _TOY, 255),
            np.array([[255, 255], [255, 1]]),
            "nobody",
        ),
        Case(
            "negative ids, and ids 0 and 1",
            (np.array([[-1, 0, 1, -7]]), {0: 7, 1: 0, 7: 3}, 255),
            np.array([[255, 7, 0, 255]]),
            "zero",
        ),
    ),
    hints={
        "general": Hint(
            "Start with a map that is void everywhere, and write each training id where its id is.",
            "Go through the dictionary, not through the pixels. Compare with the ids that came, never with the map "
            "that you are writing: a training id may be the id of another class.",
        ),
        "unknown": Hint(
            "Look at ids that are not in the dictionary: they are void. They do not keep their number, and are not 0.",
            "Start from np.full(ids.shape, void), not from a copy of ids or from zeros.",
        ),
        "in turn": Hint(
            "Look at training ids that are also ids: one just written must not be taken for an id afterwards.",
            "Compare with the original ids and write to another array.",
        ),
        "changed": Hint(
            "Your function overwrites the ids it was given. (And a training id just written is taken for an id.)",
            "Write to a new array, np.full(ids.shape, void).",
        ),
        "void": Hint(
            "Look at which number is void: it is an argument, need not be 255, and may be 0 or 1000.",
            "Use `void` wherever you wrote 255.",
        ),
        "negative": Hint(
            "Look at negative ids: table[-1] is the last entry, no error. The license plate becomes what is there.",
            "Shift the ids by one before looking up, or compare ids == number instead of indexing.",
        ),
        "inverse": Hint(
            "The dictionary is read backwards: its keys are the ids, its values the training ids.",
            "The id is what you look for in the map, the training id is what you write there.",
        ),
        "nobody": Hint(
            "Look at ids that nobody knows, as 34, 263, 300: they are void, raise no error, and need more than 8 bits.",
            "Compare ids == number instead of indexing a table; leave the type of ids as it is.",
        ),
        "zero": Hint(
            "Look at 0 and at negative ids: 0 may be an id, 0 may be a training id (Python takes it for False), and no "
            "negative id is one of them.",
            "train_id_of.get(number, void), with the number as it stands in ids.",
        ),
        "raises": Hint(
            "An id that is not in the dictionary raises a KeyError. Most ids are not in it: they are void.",
            "train_id_of.get(number, void).",
        ),
        "all ids": Hint("Not all ids of the dictionary are looked at.", "Loop over train_id_of.items() to its end."),
        "order": Hint(
            "The training id is what the dictionary says, not the rank of the id.",
            "Use the dictionary's value.",
        ),
    },
    mistakes=(
        Mistake("in place", _in_place, "changed"),
        Mistake("a copy, in turn", _copy_in_turn, "in turn"),
        Mistake("unknown ids kept", _unknown_kept, "unknown"),
        Mistake("unknown ids become 0", lambda i, t, v=255: to_train_ids(i, t, 0), "unknown"),
        Mistake("void always 255", lambda i, t, v=255: to_train_ids(i, t, 255), "void"),
        Mistake("-1 as an index", _python_index, "negative"),
        Mistake("the other way round", _inverse, "inverse"),
        Mistake("rank of the id", _zero_based, "order"),
        Mistake("void 0 is 255", lambda i, t, v=255: to_train_ids(i, t, v or 255), "void"),
        Mistake("unknown ids become -1", lambda i, t, v=255: to_train_ids(i, t, -1), "unknown"),
        Mistake("result in 8 bits", lambda i, t, v=255: to_train_ids(i, t, v).astype(np.uint8), "void"),
        Mistake("ids in 8 bits", lambda i, t, v=255: to_train_ids(i.astype(np.uint8), t, v), "nobody"),
        Mistake("ids in signed 8 bits", lambda i, t, v=255: to_train_ids(i.astype(np.int8), t, v), "nobody"),
        Mistake("a table of 34", _table_of(34), "nobody"),
        Mistake("a table of 35", _table_of(35), "nobody"),
        Mistake("a table of 256", _table_of(256), "nobody"),
        Mistake("a table up to the largest id", _table_of(None), "nobody"),
        Mistake(
            "training id 0 is void", lambda i, t, v=255: to_train_ids(i, {a: b for a, b in t.items() if b}, v), "zero"
        ),
        Mistake("id 0 is void", lambda i, t, v=255: to_train_ids(i, {a: b for a, b in t.items() if a}, v), "zero"),
        Mistake("absolute ids", lambda i, t, v=255: to_train_ids(np.abs(i), t, v), "zero"),
        Mistake("negative ids are 0", lambda i, t, v=255: to_train_ids(np.maximum(i, 0), t, v), "zero"),
        Mistake(
            "KeyError", lambda i, t, v=255: np.array([[t[number] for number in row] for row in i.tolist()]), "raises"
        ),
        Mistake("KeyError but for -1", lambda i, t, v=255: np.vectorize(({-1: v} | t).__getitem__)(i), "raises"),
        Mistake(
            "place in the dictionary",
            lambda i, t, v=255: to_train_ids(i, dict(zip(t, range(len(t)), strict=True)), v),
            "order",
        ),
        Mistake("one higher", lambda i, t, v=255: to_train_ids(i, {a: b + 1 for a, b in t.items()}, v), "order"),
        Mistake("void where trained", lambda i, t, v=255: np.where(np.isin(i, list(t)), v, i), "inverse"),
        Mistake("first id only", lambda i, t, v=255: to_train_ids(i, dict(list(t.items())[:1]), v), "all ids"),
        Mistake("nothing done", lambda i, t, v=255: i, "unknown"),
    ),
    alternatives=(_table, _per_pixel, _vectorized),
    points=3,
    minutes=10,
    difficulty=1,
)
