"""The claims that train sam_tiny: three answers to one click, and clicks on one's own errors."""

from __future__ import annotations

from dataclasses import replace

from segtutor.claims.claim import Claim, Expectation, percent
from segtutor.claims.prompt_training import CLICKS, SIZE, PromptRecipe

_THREE = PromptRecipe(steps=600)
_SAME = (
    "sam_tiny without its finer map, the frozen backbone of the course's DeepLab v3, weights of each network, "
    f"{_THREE.train_count} scenes of {SIZE[0]} x {SIZE[1]} with near things, batch 8 with 4 prompts each, AdamW; "
    f"scored on {_THREE.val_count} new scenes"
)

THREE_MASKS = Claim(
    name="prompts.three_masks",
    title="Three answers to one click",
    sentence="A click may mean a thing or all of its kind; a network with one answer gives something between, one with "
    "three of which only the best is told how to be better keeps the meanings apart.",
    source="Kirillov et al. 2023 (SAM), §3 and §A, Making the model ambiguity-aware",
    paper="23 data sets, one click in the middle: the best of the three masks is better than RITM's on all of them, "
    "the one that the network chooses on 16",
    changes="how many answers one click has. The last row has three, too, each of a network of its own with one "
    "answer: what only comes from trying three times shows there",
    same=f"{_SAME}; {_THREE.steps} steps, the target the thing under the click or all of its class, drawn anew each "
    "time; of several answers the best counts. After 250 steps one answer still found next to nothing "
    "with one of the three seeds, and little was decided",
    variants={
        "one answer": replace(_THREE, several=False),
        "three answers": _THREE,
        "three networks with one": replace(_THREE, several=False, networks=3),
    },
    measures=(
        percent("object", "ambiguous clicks: IoU with the thing"),
        percent("region", "with all of its class"),
        percent("worse", "with the one met worse"),
        percent("clear", "clear clicks: IoU"),
    ),
    expectations=(
        Expectation("three answers meet the thing better than one", "object", "three answers", "one answer"),
        Expectation("and all of its class, too", "region", "three answers", "one answer"),
        Expectation("three networks with one answer are not enough: the meaning that is met worse gains more from "
                    "three answers of one network", "worse", "three answers", "three networks with one"),
        Expectation("where a click means one thing, three answers lose less than two points", "clear", "three answers",
                    "one answer", margin=-0.02),
    ),
)  # fmt: skip

_OWN = replace(_THREE, steps=250, rounds=2, more_clicks=True)

OWN_ERRORS = Claim(
    name="prompts.own_errors",
    title="Clicks on one's own errors",
    sentence="A network that was trained with further clicks on its own errors makes more of a person's further clicks "
    "than one that was trained with clicks anywhere.",
    source="Kirillov et al. 2023 (SAM), §A, Training algorithm; Sofiiuk, Petrov, Konushin 2021 (RITM)",
    paper="no number: SAM is trained with clicks on its errors, and nothing else is compared with it",
    changes="where the second click of the training goes: to a pixel that the last answer had wrong, or to "
    "any pixel",
    same=f"{_SAME}; {_OWN.steps} steps with {_OWN.rounds} answers to each prompt; scored with {CLICKS} clicks on each "
    "clear thing, each in the middle of the largest error",
    variants={"clicks anywhere": replace(_OWN, own_errors=False), "on own errors": _OWN},
    measures=(
        percent("after_1", "IoU after 1 click"),
        percent("after_2", "after 2"),
        percent("after_5", "after 5"),
        percent("gain", "gain of clicks 2 to 5"),
    ),
    expectations=(
        Expectation("from the second click to the fifth, more is gained", "gain", "on own errors", "clicks anywhere"),
        Expectation("after five clicks the mask is better", "after_5", "on own errors", "clicks anywhere"),
        Expectation("the first click loses less than two points", "after_1", "on own errors", "clicks anywhere",
                    margin=-0.02),
    ),
)  # fmt: skip
