"""Lesson 10's references against the package, and properties of what they return."""

import numpy as np
import pytest
import torch

from segtutor.exercises.lesson10 import LABORATORY
from segtutor.exercises.lesson10.best_of_three import best_of_three
from segtutor.exercises.lesson10.experiment import EXAMPLE
from segtutor.exercises.lesson10.inputs import answers, errors, file_of_a_mask, prompt
from segtutor.exercises.lesson10.logit_iou import logit_iou
from segtutor.exercises.lesson10.next_click import next_click
from segtutor.exercises.lesson10.prompt_tokens import prompt_tokens
from segtutor.exercises.lesson10.two_way_shapes import two_way_shapes
from segtutor.inference import clicks
from segtutor.models.attention import Attention
from segtutor.models.sam import losses
from segtutor.models.sam.mask_decoder import DecoderSizes, MaskDecoder
from segtutor.models.sam.prompt_encoder import PromptEncoder

SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("count", "box"), [(1, False), (4, False), (0, True), (3, True)])
def test_tokens_are_the_packages(seed, count, box):
    points, labels, corners, size, frequencies, kinds, no_point = prompt(seed, count, box, (48, 64))
    encoder = PromptEncoder(channels=6)
    encoder.frequencies.copy_(torch.from_numpy(frequencies))
    for parameter, value in zip([*encoder.kinds, encoder.no_point], [*kinds, no_point], strict=True):
        parameter.data.copy_(torch.from_numpy(value))
    of_package = encoder(
        size,
        torch.from_numpy(points).float()[None, None] if count else None,
        torch.from_numpy(labels)[None, None] if count else None,
        None if corners is None else torch.from_numpy(corners).float()[None, None],
    )
    found = prompt_tokens(points, labels, corners, size, frequencies, kinds, no_point)
    np.testing.assert_allclose(found, of_package[0, 0].detach(), atol=1e-5)


def test_shapes_are_those_of_the_decoder_at_work(monkeypatch):
    decoder, seen = MaskDecoder(DecoderSizes(channels=24, heads=3, hidden=8, inner=12)), []

    def watched(method):
        def asked(attention, tokens, *others, **named):
            seen.append((tokens.shape[1], attention.query.out_features // attention.heads))
            return method(attention, tokens, *others, **named)

        return asked

    for name in ("forward", "few_ask", "many_ask"):
        monkeypatch.setattr(Attention, name, watched(getattr(Attention, name)))
    embedding, prompt_of_three = torch.zeros(1, 24, 8, 10), torch.zeros(1, 1, 3, 24)
    masks, _ = decoder(embedding, embedding, prompt_of_three, torch.zeros(1, 1, 24, 1, 1))
    shapes = two_way_shapes((64, 80), 8, 2, False, 24, 12, 3)
    assert seen[:3] == [(shapes[1][1], 8), (shapes[2][1], shapes[2][2]), (shapes[4][1], 4)]
    assert masks.shape[2:] == shapes[5]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_ones_loss_is_the_packages(seed):
    logits, targets = answers(seed, 4, 3, 24)
    maps, wanted = torch.from_numpy(logits).view(4, 3, 4, 6), torch.from_numpy(targets).view(4, 4, 6)
    of_package = losses.prompt_losses(maps, torch.zeros(4, 3), wanted, torch.ones_like(wanted))
    best, loss = best_of_three(logits, targets)
    assert loss == pytest.approx(float(of_package["focal"] + of_package["dice"]), rel=1e-5)
    assert set(best.tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("seed", SEEDS)
def test_iou_is_the_packages(seed):
    logits, target, known = file_of_a_mask(seed, 3, (8, 9))
    of_package = [clicks.iou_of(one > 0, target > 0, known) for one in logits]
    np.testing.assert_allclose(logit_iou(logits, target, known), of_package)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_next_click_is_the_packages(seed):
    logits, target, known = errors(seed, (15, 18))
    (x, y), label = clicks.next_click(logits > 0, target, known)
    assert next_click(logits, target, known) == (x, y, label)
    assert known[y, x]
    assert target[y, x] == label


def test_the_laboratory_takes_its_example_and_refuses_what_it_cannot_run():
    assert LABORATORY.trouble(EXAMPLE["declaration"]) is None
    with pytest.raises(ValueError, match="steps is 1000, but must be a whole number from 1 to 120"):
        LABORATORY.run({**LABORATORY.options, "steps": 1000}, 0)
    with pytest.raises(ValueError, match="start is 'random', but must be 'course' or 'backbone'"):
        LABORATORY.run({**LABORATORY.options, "start": "random"}, 0)
