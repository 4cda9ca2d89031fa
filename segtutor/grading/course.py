"""The course as a graded notebook sees it: the whole package, but of the exercises only what notebooks are given.

No reference, no wrong answer and no expected value is in it, so none can be found in the process that runs a
submission. Of an exercise's module only those definitions stay that an assignment imports, and what these need.
"""

from __future__ import annotations

import ast
import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path

from segtutor.exercises.catalog import exercises
from segtutor.resources import PACKAGE, folder

WHOLE = ("comparison", "exercise", "later", "loaders", "running", "seeds")
"""Modules of ``segtutor.exercises`` that hold no answers."""
STANDING_IN = '"""The exercises while a notebook is graded."""\n\nfrom segtutor.grading.stand_ins import {names}\n'
NOT_GIVEN = ("checkpoints/assignment_*",)
"""Files of the folder ``data`` that hold what an exercise's solution has learned."""
_ROOT = "segtutor.exercises"


def build_course(place: Path) -> Path:
    """Copy the package without answers.

    Args:
        place: A folder that does not exist yet; ``place / "segtutor"`` is the package, ``place / "data"`` its files.

    Returns:
        ``place``, to be put on the path of imports.
    """
    ignored = shutil.ignore_patterns("exercises", "data", "notebooks")
    shutil.copytree(PACKAGE, place / "segtutor", ignore=lambda at, names: _at_top(at, ignored(at, names)))
    target = place / "segtutor" / "exercises"
    target.mkdir()
    names = "check, progress, solution, use, variant"
    (target / "__init__.py").write_text(STANDING_IN.format(names=names), encoding="utf-8")
    for name in WHOLE:
        shutil.copy2(PACKAGE / "exercises" / f"{name}.py", target)
    for module, source in given_modules().items():
        path = place.joinpath(*module.split("."))
        path = (
            path / "__init__.py" if (PACKAGE.parent.joinpath(*module.split("."))).is_dir() else path.with_suffix(".py")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    _link_data(folder("data"), place / "data")
    return place


def _at_top(at: str, ignored: set[str]) -> set[str]:
    """The names to leave out of a folder: of the package's own only, and the compiled ones anywhere stay."""
    return ignored if Path(at).resolve() == PACKAGE else set()


def _link_data(source: Path, target: Path) -> None:
    """The course's files, each by a link, but for those that hold solutions."""
    left_out = {path for pattern in NOT_GIVEN for path in source.glob(pattern)}
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif path not in left_out:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path)


def given_modules() -> dict[str, str]:
    """The source of each module of exercises that a notebook may import, cut down to what it is given."""
    wanted = set(_imported_by_assignments())
    for exercise in exercises().values():
        if exercise.around is not None and not exercise.asks_for_values:
            wanted.add((exercise.around.__module__, exercise.around.__qualname__))
    kept: dict[str, set[str]] = {}
    todo = sorted(wanted)
    trees: dict[str, ast.Module] = {}
    while todo:
        module, name = todo.pop()
        if name in kept.setdefault(module, set()) or module.removeprefix(f"{_ROOT}.") in WHOLE:
            continue
        kept[module].add(name)
        if module not in trees:
            trees[module] = ast.parse(_path_of(module).read_text(encoding="utf-8"))
        for statement in trees[module].body:
            if name in _bound_by(statement):
                todo += _needed_by(statement, module, trees[module])
    packages = {module.rsplit(".", 1)[0] for module in kept} - {_ROOT}
    return {
        **{package: "" for package in packages if package not in kept},
        **{module: _cut(trees[module], names) for module, names in kept.items() if module in trees},
    }


def _imported_by_assignments() -> Iterable[tuple[str, str]]:
    """Modules of exercises, with the name that is taken from them, in the notebooks that are handed out."""
    import nbformat

    for path in sorted((folder("notebooks") / "assignments").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                yield from imports_of_exercises(cell.source)


def imports_of_exercises(source: str) -> list[tuple[str, str]]:
    """What a cell imports from ``segtutor.exercises``, as pairs of a module and a name.

    >>> imports_of_exercises("from segtutor.exercises.lesson01 import scene_predictions as predictions")
    [('segtutor.exercises.lesson01', 'scene_predictions')]
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError:  # a magic command, or an answer that is none
        return []
    return [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{_ROOT}.")
        for alias in node.names
        if node.module is not None
    ]


def _path_of(module: str) -> Path:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {(alias.asname or alias.name).split(".")[0] for alias in names}
        case ast.Assign(targets=targets):
            return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _needed_by(statement: ast.stmt, module: str, tree: ast.Module) -> list[tuple[str, str]]:
    """What a statement uses of its own module, or imports of another module of exercises."""
    used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    of_its_own = {name for other in tree.body for name in _bound_by(other)}
    found = [(module, name) for name in used & of_its_own]
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{_ROOT}."):
            found += [(str(node.module), alias.name) for alias in node.names]
    return found


def _cut(tree: ast.Module, names: set[str]) -> str:
    """A module's source with those definitions only, and with the imports that they use."""
    kept: list[ast.stmt] = []
    for number, statement in enumerate(tree.body):
        is_docstring = number == 0 and isinstance(statement, ast.Expr)
        is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if is_docstring or is_future:
            kept.append(statement)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            aliases = [one for one in statement.names if (one.asname or one.name).split(".")[0] in names]
            if aliases:
                kept.append(_with_names(statement, aliases))
        elif _bound_by(statement) & names:
            kept.append(statement)
    return ast.unparse(ast.Module(kept, [])) + "\n"


def _with_names(statement: ast.Import | ast.ImportFrom, aliases: list[ast.alias]) -> ast.stmt:
    if isinstance(statement, ast.Import):
        return ast.copy_location(ast.Import(aliases), statement)
    return ast.copy_location(ast.ImportFrom(statement.module, aliases, statement.level), statement)
