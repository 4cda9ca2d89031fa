"""A rename table: what each line of it says, and how a file's names are translated by one.

A key of the source that no line of its table matches is an error: nothing is left over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from segtutor.models.inputs import Triple

State = dict[str, Tensor]


@dataclass(frozen=True)
class Rule:
    """One line of a rename table.

    Attributes:
        pattern: Regular expression that must match the whole key of the source.
        name: Our key, with its groups as in re.sub, or a function that makes it of the match; None drops the key. An
            array that the source has fused has several: its rows are dealt out in equal parts.
        change: What happens to the array, if anything.
    """

    pattern: str
    name: str | Callable[[re.Match[str]], str] | tuple[str, ...] | None
    change: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Layout:
    """How a source names its arrays.

    Attributes:
        rules: The first that matches decides; every key needs one.
        part: What the source covers: keys of ours that start so; "" is the whole network.
        normalization: Mean and standard deviation that the weights were trained with, where the layout tells.
        any_size: Whether the weights take pictures as they are in a network that pads them for other weights.
    """

    rules: tuple[Rule, ...]
    part: str | tuple[str, ...] = ""
    normalization: tuple[Triple, Triple] | None = None
    any_size: bool = False


def rename(state: State, layout: Layout, name: str) -> tuple[State, list[str]]:
    """Our keys with the source's arrays, and the keys that the table drops."""
    renamed: State = {}
    dropped, unknown = [], []
    for key, value in state.items():
        rule = rule_for(key, layout)
        if rule is None:
            unknown.append(key)
        elif rule.name is None:
            dropped.append(key)
        else:
            value = rule.change(value) if rule.change else value
            names = rule.name if isinstance(rule.name, tuple) else (rule.name,)
            for one, part in zip(names, value.chunk(len(names)) if len(names) > 1 else (value,), strict=True):
                ours = re.sub(rule.pattern, one, key, count=1)
                if ours in renamed:
                    raise ValueError(f"two arrays of the file are called {ours} in layout {name!r}")
                renamed[ours] = part
    if unknown:
        raise ValueError(f"layout {name!r} knows no place for {some(unknown)}; pass layout='auto' or another layout")
    return renamed, dropped


def rule_for(key: str, layout: Layout) -> Rule | None:
    """The first line of the table that matches a key."""
    return next((rule for rule in layout.rules if re.fullmatch(rule.pattern, key)), None)


def some(names: list[str] | tuple[str, ...], count: int = 4) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
