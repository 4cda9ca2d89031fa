"""Small changes of a function's source, one at a time: what a slip of the pen would have written instead."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}
_NAMES: dict[str, tuple[str, ...]] = {
    "sum": ("mean",),
    "mean": ("sum",),
    "nanmean": ("mean",),
    "min": ("max",),
    "max": ("min",),
    "minimum": ("maximum",),
    "maximum": ("minimum",),
    "argmin": ("argmax",),
    "argmax": ("argmin",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "any": ("all",),
    "all": ("any",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "cumsum": ("cumprod",),
    "log": ("log2", "log1p"),
    "logical_and": ("logical_or",),
    "logical_or": ("logical_and",),
}
_TYPES: dict[str, tuple[str, ...]] = {
    "int64": ("uint8", "int16"),
    "int32": ("uint8",),
    "float64": ("float16",),
    "float32": ("float16",),
    "int": ("np.uint8",),
    "float": ("np.float16",),
}

MOST_CHARACTERS = 80


@dataclass(frozen=True)
class Mutant:
    """One changed source.

    Attributes:
        name: Function, line and change, ``"iou: both = (a & b).sum(): a & b => a | b"``; the same change again in the
            same line is numbered.
        tree: The module's changed functions.
    """

    name: str
    tree: ast.Module


def mutants(functions: list[ast.FunctionDef]) -> list[Mutant]:
    """All single changes of some functions that belong together: operators, constants, axes, types, branches, calls."""
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    for number, function in enumerate(functions):
        lines = _lines(function)
        for place, node in enumerate(_nodes(function)):
            for other in _changes(node):
                line = lines[node] if lines[node] != _short(node) else ""
                name = f"{function.name}: {line}{': ' if line else ''}{_short(node)} => {_short(other)}"
                seen[name] = seen.get(name, 0) + 1
                name += f" ({seen[name]})" if seen[name] > 1 else ""
                changed = copy.deepcopy(functions)
                _replace(changed[number], _nodes(changed[number])[place], other)
                found.append(Mutant(name, ast.fix_missing_locations(ast.Module(list(changed), type_ignores=[]))))
    return found


def _nodes(function: ast.FunctionDef) -> list[ast.AST]:
    """All that may change: the body without its docstring, and without what only guards, as ``strict`` in zip."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    nodes = [node for statement in body for node in ast.walk(statement)]
    guards = [node for node in nodes if isinstance(node, ast.keyword) and node.arg == "strict"]
    left_out = {inner for guard in guards for inner in ast.walk(guard)}
    return [node for node in nodes if node not in left_out]


def _lines(function: ast.FunctionDef) -> dict[ast.AST, str]:
    """The first line of the statement that each node stands in."""
    found: dict[ast.AST, str] = {}
    for statement in ast.walk(function):  # outer statements first, so that the innermost one stays
        if isinstance(statement, ast.stmt) and statement is not function:
            found.update(dict.fromkeys(ast.walk(statement), _short(statement)))
    return found


def _short(node: ast.AST) -> str:
    """The beginning of a node's text; of a branch its condition."""
    text = ast.unparse(node).split("\n")[0].strip()
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 3] + "..."


def _replace(inside: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(inside):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if one is old else one for one in value]


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in place of a node."""
    match node:
        case ast.BinOp() | ast.AugAssign():
            yield from (_with(node, op=other()) for other in _OPERATORS.get(type(node.op), ()))
        case ast.BoolOp():
            yield from (_with(node, op=other()) for other in _OPERATORS[type(node.op)])
            yield from node.values
        case ast.Compare(ops=[op]):
            yield from (_with(node, ops=[other()]) for other in _OPERATORS.get(type(op), ()))
        case ast.Compare():
            for number, op in enumerate(node.ops):
                for other in _OPERATORS.get(type(op), ()):
                    yield _with(node, ops=[*node.ops[:number], other(), *node.ops[number + 1 :]])
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()) if not isinstance(node.operand, ast.Constant):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + step) for step in (1, -1))
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 1.02 if value else 0.02)
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.If():
            yield from (_with(node, test=ast.Constant(value)) for value in (True, False))
        case ast.Slice():
            yield from (_with(node, **{part: None}) for part in ("lower", "upper", "step") if getattr(node, part))
        case ast.AugAssign() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Attribute() if node.attr in _TYPES:
            yield from (_with(node, attr=other) for other in _TYPES[node.attr])
        case ast.Attribute() if node.attr in _NAMES:
            yield from (_with(node, attr=other) for other in _NAMES[node.attr])
        case ast.Name(id="int" | "float"):
            yield from (ast.parse(other, mode="eval").body for other in _TYPES[node.id])
        case ast.Name(id="min" | "max" | "any" | "all"):
            yield from (_with(node, id=other) for other in _NAMES[node.id])
    if isinstance(node, ast.AugAssign):
        yield ast.Pass()
    if isinstance(node, ast.Call):
        yield from _changed_calls(node)


def _changed_calls(node: ast.Call) -> Iterator[ast.AST]:
    """A call without one of its named arguments, without its effect, and a range that is one too short or too late."""
    for keyword in node.keywords:
        if keyword.arg != "strict":
            yield _with(node, keywords=[one for one in node.keywords if one is not keyword])
    match node.func:
        case ast.Attribute(value=inner, attr="astype" | "copy" | "clip" | "double" | "float" | "round"):
            yield inner
        case ast.Attribute(attr="sqrt" | "exp" | "abs" | "floor" | "ceil" | "round" | "ascontiguousarray"):
            yield from node.args[:1]
        case ast.Name(id="int" | "abs" | "round" | "sorted" | "reversed" | "set"):
            yield from node.args[:1]
        case ast.Name(id="range"):
            last = node.args[-1 if len(node.args) < 3 else 1]
            fewer = ast.BinOp(last, ast.Sub(), ast.Constant(1))
            yield _with(node, args=[fewer if one is last else one for one in node.args])
            if len(node.args) == 1:
                yield _with(node, args=[ast.Constant(1), *node.args])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of a node with other fields."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
