"""A check is as good as the wrong answers that it rejects: which small changes of the solution does no case notice?

The solution of each exercise and its alternatives, right answers in other styles, are changed in one place at a time
(`mutants`), with the functions of their module that they call, and each changed one is tried on the cases of the
check. One that passes is a *survivor*: a case is missing, or the change changes nothing on valid input. The second kind
is listed, with its reason, in the dictionary ``EQUIVALENT`` of ``segtutor/exercises/lessonNN/equivalents.py``:
exercise id -> name of the mutant -> reason.
"""

from __future__ import annotations
import __future__

import ast
import importlib
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from segtutor.exercises.catalog import exercises
from segtutor.exercises.comparison import difference
from segtutor.exercises.exercise import Exercise
from segtutor.exercises.mutants import Mutant, mutants
from segtutor.exercises.running import Outcome, call, load_imports

SECONDS_FOR_THE_FIRST = 60
SHARE_OF_A_CASE = 1 / 3
"""Of the time for all cases of an exercise, what a mutant may take for one."""


@dataclass(frozen=True)
class Tried:
    """What became of the mutants of one exercise, by name.

    Attributes:
        exercise: Its id.
        killed: Rejected by at least one case.
        equivalent: Survivors with the declared reason why they are right, too.
        survivors: The others.
        stale: Declared as equivalent, but rejected or no longer made.
    """

    exercise: str
    killed: tuple[str, ...]
    equivalent: Mapping[str, str]
    survivors: tuple[str, ...]
    stale: tuple[str, ...]


def equivalents(exercise: Exercise) -> Mapping[str, str]:
    """The declared equivalent mutants of an exercise, name -> reason."""
    module = f"segtutor.exercises.lesson{int(exercise.lesson):02d}.equivalents"
    if importlib.util.find_spec(module) is None:
        return {}
    declared: Mapping[str, Mapping[str, str]] = importlib.import_module(module).EQUIVALENT
    return declared.get(exercise.id, {})


def mutable() -> list[Exercise]:
    """The exercises whose answer is a function; where values are asked for, only the values count, however found."""
    return [exercise for exercise in exercises().values() if not exercise.asks_for_values]


def try_mutants(exercise: Exercise) -> Tried:
    """Try all mutants of an exercise's solution."""
    reasons = equivalents(exercise)
    assert exercise.wanted, "computed first: what the solution imports must not be imported within a case's time"
    assert _passes(exercise, exercise.reference, SECONDS_FOR_THE_FIRST), (
        "nor must the pictures of a case be drawn in it"
    )
    killed: list[str] = []
    passed: list[str] = []
    for name, answer in answers(exercise):
        load_imports(answer)
        # One that is declared to be right has all the time of a slow machine: only its answer is asked for.
        seconds = SECONDS_FOR_THE_FIRST if name in reasons else None
        (passed if _passes(exercise, answer, seconds) else killed).append(name)
    return Tried(
        exercise.id,
        tuple(killed),
        {name: reasons[name] for name in passed if name in reasons},
        tuple(name for name in passed if name not in reasons),
        tuple(sorted(set(reasons) - set(passed))),
    )


def answers(exercise: Exercise) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Name and function of each mutant; the functions see each other and the module's other names."""
    module = sys.modules[exercise.reference.__module__]
    seen: set[str] = set()
    for function in (exercise.reference, *exercise.alternatives):
        for mutant in mutants(_functions(module, function.__name__)):
            if mutant.name not in seen:  # of a function that two of them call
                seen.add(mutant.name)
                namespace = dict(vars(module))
                exec(_compiled(mutant), namespace)  # our own source, changed by us
                answer = namespace[function.__name__]
                vars(answer).update(vars(function))  # such as where a network's weights are
                yield mutant.name, answer


def _compiled(mutant: Mutant) -> Any:
    return compile(mutant.tree, "<mutant>", "exec", flags=__future__.annotations.compiler_flag)


def _functions(module: types.ModuleType, name: str) -> list[ast.FunctionDef]:
    """A function of a module, and those of the same module that it calls, directly or not; none for a lambda."""
    source = inspect.getsource(module)
    defined = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    found: dict[str, ast.FunctionDef] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop(0)
        if name in defined and name not in found:
            found[name] = defined[name]
            waiting += [node.id for node in ast.walk(defined[name]) if isinstance(node, ast.Name)]
    return list(found.values())


def _passes(exercise: Exercise, answer: Callable[..., Any], seconds: float | None = None) -> bool:
    """Whether every case accepts the answer; the first that does not ends the trial."""
    seconds = exercise.seconds * SHARE_OF_A_CASE if seconds is None else seconds
    prepared = exercise.prepared(answer)
    return all(
        _right(exercise, number, call(prepared, case.arguments, seconds)) for number, case in enumerate(exercise.cases)
    )


def _right(exercise: Exercise, number: int, outcome: Outcome) -> bool:
    wanted = exercise.wanted[number]
    return outcome.kind == "returned" and difference(outcome.value, wanted, exercise.tolerance) is None


def table(asked: list[Exercise] | None = None) -> str:
    """A Markdown table: mutants, killed, equivalent and surviving ones by exercise, then the names of the survivors."""
    rows = ["| exercise | mutants | killed | equivalent | survive |", "| --- | ---: | ---: | ---: | ---: |"]
    names, sums = [], [0, 0, 0, 0]
    for exercise in mutable() if asked is None else asked:
        tried = try_mutants(exercise)
        numbers = [len(tried.killed), len(tried.equivalent), len(tried.survivors)]
        numbers.insert(0, sum(numbers))
        sums = [one + other for one, other in zip(sums, numbers, strict=True)]
        rows.append(f"| {exercise.id} {exercise.title} | " + " | ".join(map(str, numbers)) + " |")
        names += [f"{exercise.id} survives: {name}" for name in tried.survivors]
        names += [f"{exercise.id} declared, but not a survivor: {name}" for name in tried.stale]
    rows.append("| all | " + " | ".join(map(str, sums)) + " |")
    share = (sums[1] + sums[2]) / max(sums[0], 1)
    return "\n".join([*rows, "", *names, f"{share:.1%} of {sums[0]} mutants are killed or explained"])
