from __future__ import annotations

import argparse
import importlib
import inspect

import pytest

from segtutor import models
from segtutor.commands import train
from segtutor.commands.detectors import SEMANTIC_TRAINING, is_detector
from segtutor.commands.options import _value
from segtutor.commands.recipes import available, read_recipe
from segtutor.models.weights import find_weights
from segtutor.training import TrainingConfig


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.configure(parser)
    line = [*words, "--out", "net.pt"]
    train.prepare(parser, line)
    return parser.parse_args(line)


def test_every_data_set_has_a_recipe_of_its_paper_and_one_for_a_small_machine():
    names = available()
    assert {"voc", "cityscapes", "coco", "pascal_context", "camvid", "penn_fudan"} <= set(names)
    assert all(name.endswith("_small") or f"{name}_small" in names for name in names)


@pytest.mark.parametrize("name", available())
def test_a_recipe_is_one_that_the_command_can_follow(name):
    settings, about = read_recipe(name)
    assert len(about) > 80
    arguments = parsed("--recipe", name)
    assert arguments.model in models.available()
    find_weights(arguments.model, arguments.weights)  # raises if there are none
    module = importlib.import_module(f"segtutor.models.{models._CONSTRUCTORS[arguments.model]}")
    allowed = inspect.signature(getattr(module, arguments.model)).parameters
    for option in arguments.option:
        key, _, value = option.partition("=")
        assert key in allowed, option
        assert _value(value) is not None
    config = {key: getattr(arguments, key) for key in vars(TrainingConfig(steps=1)) if hasattr(arguments, key)}
    TrainingConfig(**{**config, "checkpoint": None})
    if is_detector(arguments.model):
        assert not set(settings) & set(SEMANTIC_TRAINING)
    if name.endswith("_small"):
        options = dict(option.split("=") for option in arguments.option)
        models.create(arguments.model, 3, **{key: _value(value) for key, value in options.items()})


def test_the_command_line_counts_more_than_the_recipe_and_a_file_of_ones_own_is_read(tmp_path):
    arguments = parsed("--recipe", "camvid_small", "--steps", "7")
    assert (arguments.steps, arguments.crop, arguments.scale) == (7, (240, 320), (0.6, 1.5))
    assert arguments.balance is True
    own = tmp_path / "mine.toml"
    own.write_text('[settings]\nbatch-size = 3\ncrop = "32x48"\n')
    arguments = parsed("--recipe", str(own))
    assert (arguments.batch_size, arguments.crop) == (3, (32, 48))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[settings]\nspeed = 3\n", "sets speed, which is no setting"),
        ('[settings]\noptimizer = "lion"\n', "sets optimizer to 'lion', but allowed are"),
        ('[settings]\ncrop = "big"\n', "sets crop to 'big': a size is"),
        ("[settings\n", "cannot be read"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(tmp_path, text, message):
    own = tmp_path / "mine.toml"
    own.write_text(text)
    with pytest.raises(ValueError, match=message):
        parsed("--recipe", str(own))
    with pytest.raises(ValueError, match="there is no recipe 'nothing'; there are camvid, camvid_small"):
        parsed("--recipe=nothing")
