"""Exercise 2.5: Cityscapes' ids as training ids."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
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


def _zero_based(ids, train_id_of, void=255):  # type: ignore[no-untyped-def]
    order = sorted(train_id_of)
    return np.vectorize(lambda number: order.index(number) if number in order else void, otypes=[int])(ids)


_REAL = {number: int(train_id) for number, train_id in enumerate(CITYSCAPES_TRAIN_IDS) if train_id != 255}
_TOY = {7: 0, 8: 1, 11: 2}
_TANGLED = {1: 2, 2: 3, 3: 1}

EXERCISE = Exercise(
    id="2.5",
    title="Cityscapes: from ids to training ids",
    name="to_train_ids",
    statement="""
Cityscapes' `labelIds` PNGs hold the ids -1 and 0 ... 33, of which only 19 are trained and scored. Write
`to_train_ids(ids, train_id_of, void)`: `train_id_of` is a dictionary id → training id of the classes that count.
Every other id is void. In the original files -1 (license plate) does not fit into `uint8`; here `ids` is signed, and
-1 may occur.
""",
    stub=STUB,
    reference=to_train_ids,
    cases=(
        Case("three classes", (np.array([[7, 8, 11]]), _TOY, 255), np.array([[0, 1, 2]])),
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
        Case("all ids of Cityscapes", (np.arange(-1, 34).reshape(5, 7), _REAL, 255)),
        Case("a random map", (np.random.default_rng(4).integers(-1, 34, (10, 12)), _REAL, 255)),
    ),
    hints={
        "general": Hint(
            "Start with a map that is void everywhere, and write each training id where its id is.",
            "labels = np.full(ids.shape, void); for number, train_id in train_id_of.items(): "
            "labels[ids == number] = train_id.",
        ),
        "unknown": Hint(
            "Ids that are not in the dictionary are void; here they keep their number, or become class 0.",
            "Start from np.full(ids.shape, void), not from a copy of ids or from zeros.",
        ),
        "in turn": Hint(
            "The map is changed while it is still being read: a training id just written is taken for an id.",
            "Compare with the original ids and write to another array.",
        ),
        "changed": Hint(
            "Your function overwrites the ids it was given. (And a training id just written is taken for an id.)",
            "Write to a new array, np.full(ids.shape, void).",
        ),
        "void": Hint(
            "Which number is void is an argument; it need not be 255.",
            "Use `void` wherever you wrote 255.",
        ),
        "negative": Hint(
            "Table[-1] is the last entry, not an error: the license plate became what stands there.",
            "Shift the ids by one before looking up, or compare ids == number instead of indexing.",
        ),
        "inverse": Hint(
            "The dictionary is read backwards: its keys are the ids, its values the training ids.",
            "for number, train_id in train_id_of.items(): labels[ids == number] = train_id.",
        ),
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
        Mistake("nothing done", lambda i, t, v=255: i, "unknown"),
    ),
    alternatives=(_table, _per_pixel, _vectorized),
    points=3,
    minutes=10,
    difficulty=1,
)
