"""The last layers' rows of classes that two networks share by name: what fine-tuning need not learn again.

A final layer has one row of weights for each class, or m, as a box regressor's four: class k owns rows m*k to m*(k+1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from segtutor.models.layout_rules import State


def rows_by_name(
    own: State, arrays: State, keys: Iterable[str], theirs: Sequence[str], ours: Sequence[str]
) -> tuple[State, tuple[str, ...]]:
    """The network's final layers with the file's rows for the classes that both have.

    Args:
        own: The network's arrays; they are not changed.
        arrays: The file's, under the same names.
        keys: The final layers' arrays, whose shapes differ.
        theirs: Names of the file's classes, in the order of its rows.
        ours: Names of the network's.

    Returns:
        A new array for each key whose rows could be told apart, and the names of the classes that kept theirs.
    """
    shared = tuple(name for name in ours if list(theirs).count(name) == 1 and list(ours).count(name) == 1)
    mixed: State = {}
    for key in keys:
        mine, came = own[key], arrays[key]
        rows = _rows_of_a_class(mine, len(ours))
        if (
            not shared
            or rows is None
            or rows != _rows_of_a_class(came, len(theirs))
            or mine.shape[1:] != came.shape[1:]
        ):
            continue
        array = mine.clone()
        for name in shared:
            to, at = rows * list(ours).index(name), rows * list(theirs).index(name)
            array[to : to + rows] = came[at : at + rows].to(array)
        mixed[key] = array
    return mixed, shared if mixed else ()


def _rows_of_a_class(array: Tensor, classes: int) -> int | None:
    """How many rows of an array belong to one class; None if it is not made of classes."""
    rows = len(array) if array.dim() else 0
    return rows // classes if rows and rows % classes == 0 else None
