"""Recipes: settings of ``segtutor train`` in a file, as a paper gives them or as a small machine can bear them."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from segtutor import resources


def available() -> list[str]:
    """Names of the recipes that come with segtutor."""
    return sorted(path.stem for path in resources.data("recipes").glob("*.toml"))


def read_recipe(name: str) -> tuple[dict[str, Any], str]:
    """Settings of a recipe by the names of the command's options, and what it says about itself.

    Args:
        name: One of `available`, or the path of a .toml file.

    Raises:
        ValueError: If there is none of this name, or it is no TOML.
    """
    path = Path(name) if name.endswith(".toml") else resources.data("recipes") / f"{name}.toml"
    if not path.is_file():
        raise ValueError(f"there is no recipe {name!r}; there are {', '.join(available())}, or give a .toml file")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the recipe {path} cannot be read: {error}") from error
    return {key.replace("-", "_"): value for key, value in content.get("settings", {}).items()}, content.get(
        "about", ""
    )


def apply_recipe(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """Makes a recipe's settings the defaults of a command; what is given on the command line still counts more.

    Raises:
        ValueError: If the recipe sets what the command does not know, or a value that it does not allow.
    """
    name = _named(words)
    if name is None:
        return
    settings, _ = read_recipe(name)
    actions = {action.dest: action for action in parser._actions}
    for key, value in settings.items():
        if key not in actions or key in ("help", "recipe", "out", "data"):
            raise ValueError(f"the recipe {name!r} sets {key}, which is no setting of this command")
        action = actions[key]
        if action.choices is not None and value not in action.choices:
            raise ValueError(f"the recipe {name!r} sets {key} to {value!r}, but allowed are {list(action.choices)}")
        if isinstance(value, str) and action.type is not None:
            try:
                value = action.type(value)  # type: ignore[operator]
            except (argparse.ArgumentTypeError, ValueError) as error:
                raise ValueError(f"the recipe {name!r} sets {key} to {value!r}: {error}") from error
        parser.set_defaults(**{key: value})


def _named(words: list[str]) -> str | None:
    for number, word in enumerate(words):
        if word == "--recipe" and number + 1 < len(words):
            return words[number + 1]
        if word.startswith("--recipe="):
            return word.partition("=")[2]
    return None
