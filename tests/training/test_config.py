from __future__ import annotations

import pytest

from segtutor.training import TrainingConfig


def test_epochs_are_counted_in_batches():
    assert TrainingConfig(epochs=3, batch_size=4).total_steps(10) == 8  # 30 pictures: 7.5 batches
    assert TrainingConfig(steps=5).total_steps(10) == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either steps or epochs"),
        ({"steps": 3, "epochs": 2}, "either steps or epochs"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1, "batch_size": 0}, "batch_size is 0"),
        ({"steps": 1, "optimizer": "lion"}, "adamw, sgd"),
        ({"steps": 1, "precision": "float16"}, "auto, float32, bfloat16"),
        ({"steps": 1, "learning_rate": -0.1}, "above 0"),
        ({"steps": 1, "learning_rate": float("nan")}, "above 0"),
        ({"steps": 1, "crop": (0, 3)}, "crop is"),
        ({"steps": 1, "class_weights": (1, -1)}, "class_weights are"),
        ({"epochs": 0}, "epochs is 0"),
        ({"steps": 1, "loss": "hinge"}, "loss is 'hinge', but must be one of cross_entropy, ohem, dice, focal, lovasz"),
        ({"steps": 1, "loss": "dice+dice"}, r"loss is 'dice\+dice'"),
        ({"steps": 1, "loss": "dice+"}, "loss is"),
        ({"steps": 1, "loss": ""}, "loss is"),
        ({"steps": 1, "head_factor": 0}, "head_factor is 0"),
        ({"steps": 1, "bias_factor": -2}, "bias_factor is -2"),
    ],
)
def test_senseless_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**settings)


def test_the_rate_given_wins_over_the_default():
    assert TrainingConfig(steps=1, batch_size=16, optimizer="sgd").base_learning_rate == 0.01
    assert TrainingConfig(steps=1, learning_rate=0.3).base_learning_rate == 0.3
