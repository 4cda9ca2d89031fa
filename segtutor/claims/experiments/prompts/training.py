"""The claim that trains sam_tiny: three answers to one click."""

from __future__ import annotations

from dataclasses import replace

from segtutor.claims.claim import Claim, Expectation, percent
from segtutor.claims.prompt_training import SIZE, PromptRecipe

_THREE = PromptRecipe()
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
    "time; of several answers the best counts. So few steps are hard on one answer: with one of the three seeds "
    "the network still answers nothing at their end, with another little, which is why little is decided",
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
