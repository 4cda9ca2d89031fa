"""What a submission must not do, seen in its code; and how much two submissions have in common, which nobody punishes.

A rule looks at the program's structure, not at its text: a comment or a text that speaks of a solution breaks none.
"""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segtutor.exercises.exercise import Exercise
from segtutor.exercises.solutions import code_of

FEWEST_PARTS = 60
"""A function of fewer parts, nodes of its syntax tree, is alike wherever it is right."""
RUN = 6
ALIKE = 0.9
"""Pairs that have so much in common are reported."""


def forbidden(cells: Sequence[str], given: Iterable[tuple[str, str]]) -> str:
    """Why a notebook earns nothing; empty if it does nothing that it must not.

    Args:
        cells: Source of its code cells.
        given: What the assignment itself imports of ``segtutor.exercises``, as pairs of module and name.
    """
    allowed = set(given)
    for source in cells:
        tree = parsed(source)
        if tree is None:
            continue
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str(module)) if _inside(module):
                    foreign = [alias.name for alias in node.names if (module, alias.name) not in allowed]
                    if foreign:
                        return f"imports {foreign[0]} from {module}, which the notebook is not given"
                case ast.Import() if any(_inside(alias.name) for alias in node.names):
                    return "imports segtutor's exercises, which the notebook is not given"
                case ast.Attribute(attr="stands_in_for"):
                    return "takes the course's solution from what `use` handed on (stands_in_for)"
                case ast.Attribute(attr="reference") if _asks_for_exercises(tree):
                    return "takes the course's solution from an exercise's .reference"
                case ast.Constant(value=str(text)) if _inside(text.strip()):
                    return f"reaches into {text.strip()[:60]} by its name"
    return ""


def _inside(module: str) -> bool:
    return (module + ".").startswith(("segtutor.exercises.", "segtutor.grading.")) and " " not in module


def _asks_for_exercises(tree: ast.Module) -> bool:
    """Whether a cell looks an exercise up: who has ``.reference`` of another object takes nothing from the course."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return bool(names & {"exercises", "EXERCISES", "catalog", "find"})


def parsed(source: str) -> ast.Module | None:
    """A cell's syntax tree without its magic commands; None if it is no Python."""
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def answers(cells: Sequence[str], asked: Sequence[Exercise]) -> dict[str, ast.AST]:
    """The last definition of each exercise's answer, by exercise; docstrings and annotations are taken out."""
    found: dict[str, ast.AST] = {}
    names = {exercise.name: exercise.id for exercise in asked if not exercise.asks_for_values}
    for source in cells:
        for node in getattr(parsed(source), "body", []):
            if isinstance(node, ast.FunctionDef) and node.name in names:
                found[names[node.name]] = _bare(node)
    return found


def _bare(function: ast.FunctionDef) -> ast.AST:
    body = function.body
    if (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        body = body[1:]
    return ast.Module(body, [])


def is_the_solution(answer: ast.AST, exercise: Exercise) -> bool:
    """Whether an answer is the course's published solution to the letter, and long enough that this is no accident."""
    if sum(1 for _ in ast.walk(answer)) < FEWEST_PARTS:
        return False
    tree = parsed(code_of(exercise))
    own = [
        node for node in getattr(tree, "body", []) if isinstance(node, ast.FunctionDef) and node.name == exercise.name
    ]
    return any(ast.dump(_bare(node)) == ast.dump(answer) for node in own)


@dataclass(frozen=True)
class Pair:
    """Two submissions that have much in common.

    Attributes:
        one: The first one's student.
        other: The second one's.
        exercises: The exercises in which they are alike.
        share: Of the shapes in their answers, the share that both have, 0 to 1.
    """

    one: str
    other: str
    exercises: tuple[str, ...]
    share: float


def alike(submissions: Mapping[str, Mapping[str, ast.AST]]) -> list[Pair]:
    """Pairs of students whose longer answers have the same shapes, names apart; most alike first.

    Args:
        submissions: By student, each one's answers by exercise, as `answers` gives them.
    """
    shapes = {
        student: {
            exercise: runs for exercise, answer in theirs.items() if len(runs := _runs(answer)) >= FEWEST_PARTS - RUN
        }
        for student, theirs in submissions.items()
    }
    pairs = []
    for one, other in itertools.combinations(sorted(shapes), 2):
        both = shapes[one].keys() & shapes[other].keys()
        shares = {exercise: _common(shapes[one][exercise], shapes[other][exercise]) for exercise in both}
        found = (exercise for exercise, share in shares.items() if share >= ALIKE)
        same = tuple(sorted(found, key=lambda one: [int(part) for part in one.split(".")]))
        if same:
            pairs.append(Pair(one, other, same, max(shares[exercise] for exercise in same)))
    return sorted(pairs, key=lambda pair: (-len(pair.exercises), -pair.share, pair.one, pair.other))


def _runs(answer: ast.AST) -> frozenset[tuple[str, ...]]:
    """Runs of node types in an answer, in the order of the text; what names are called makes no difference."""
    kinds = [type(node).__name__ for node in _in_order(answer) if not isinstance(node, ast.Load | ast.Store)]
    return frozenset(tuple(kinds[start : start + RUN]) for start in range(len(kinds) - RUN + 1))


def _in_order(node: ast.AST) -> Iterable[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


def _common(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)
