"""Every small change of a solution is rejected by a case or explained, and the tool makes the changes it should."""

import ast

import pytest

from segtutor.exercises import mutation
from segtutor.exercises.catalog import find
from segtutor.exercises.mutants import mutants

SOURCE = '''
def share(hits, found):
    """Share of hits; 0.5 here is text and stays."""
    total = 0
    for one in range(len(found)):
        if found[one] > 0 and not hits[one]:
            continue
        total += hits[one]
    return np.sum(total, axis=0).astype(np.int64) / max(len(found), 1)
'''


def names(source):
    return [one.name.partition(": ")[2] for one in mutants([ast.parse(source).body[0]])]


@pytest.mark.parametrize(
    "change",
    [
        "total = 0: 0 => 1",
        "total = 0: 0 => -1",
        "range(len(found)) => range(len(found) - 1)",
        "range(len(found)) => range(1, len(found))",
        "found[one] > 0 => found[one] >= 0",
        "found[one] > 0 and (not hits[one]) => found[one] > 0 or not hits[one]",
        "not hits[one] => hits[one]",
        "continue => pass",
        "total += hits[one] => total -= hits[one]",
        "total += hits[one] => pass",
        "np.sum => np.mean",
        "axis=0) => np.sum(total)",
        "np.int64 => np.uint8",
        "np.sum(total, axis=0).astype(np.int64) => np.sum(total, axis=0)",
        "max => min",
    ],
)
def test_kinds_of_changes(change):
    assert any(change in name for name in names(SOURCE)), "\n".join(names(SOURCE))


def test_docstrings_and_guards_stay():
    assert not any("0.5" in name for name in names(SOURCE))
    assert names("def pairs(a, b):\n    return list(zip(a, b, strict=True))") == []


def test_each_mutant_differs_in_one_place_and_has_a_name_of_its_own():
    function = ast.parse(SOURCE).body[0]
    found = mutants([function])
    original = ast.unparse(function).splitlines()
    assert len({one.name for one in found}) == len(found)
    for one in found:
        changed = ast.unparse(one.tree.body[0]).splitlines()
        assert sum(a != b for a, b in zip(original, changed, strict=False)) + abs(len(original) - len(changed)) == 1


def test_a_missing_case_is_noticed():
    """Without its cases of empty masks the check of 1.1 cannot tell 0/0 from 1."""
    import dataclasses

    exercise = find("1.1")
    fewer = dataclasses.replace(exercise, cases=exercise.cases[:1])
    assert len(mutation.try_mutants(fewer).survivors) > len(mutation.try_mutants(exercise).survivors)


@pytest.mark.parametrize("exercise", mutation.mutable(), ids=lambda one: one.id)
def test_every_survivor_is_explained(exercise):
    tried = mutation.try_mutants(exercise)
    assert tried.survivors == ()
    assert tried.stale == ()
    assert all(len(reason) > 10 for reason in tried.equivalent.values())
