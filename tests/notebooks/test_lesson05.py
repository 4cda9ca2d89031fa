"""What lesson 05 says of its cards holds for their seeds and verdicts; the command that it prints is one that ran."""

import json
import re
import shlex
from pathlib import Path

import pytest

from segtutor import resources
from segtutor.claims import Card, find, recorded

ROOT = Path(__file__).parents[2]
MASTER = ROOT / "notebooks" / "source" / "05_mask_rcnn.py"


def gains(claim, better, worse, measure):
    """The smallest and the largest gain over the seeds, in points."""
    runs = recorded(find(f"maskrcnn.{claim}")).runs
    pairs = zip(runs[better], runs[worse], strict=True)
    values = sorted(100 * (one[measure] - other[measure]) for one, other in pairs)
    return values[0], values[-1]


def verdicts(claim):
    found = find(f"maskrcnn.{claim}")
    return [verdict for verdict, _, _ in Card(found, recorded(found)).verdicts()]


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("fpn", ["undecided", "undecided", "undecided"]),
        ("sigmoid", ["confirmed"]),
        ("agnostic", ["confirmed"]),
        ("multi_task", ["undecided"]),
        ("one_map", ["undecided", "undecided", "confirmed", "confirmed"]),
    ],
)
def test_the_words_about_a_card_hold_for_its_verdicts(claim, expected):
    assert verdicts(claim) == expected


def test_the_seeds_of_the_pyramid_and_of_the_mask_branch_are_told_as_they_are():
    low, high = gains("fpn", "pyramid", "one map", "mask_AP")
    assert 0.5 < low < 1.5 < 2 < high < 3  # "by one to two points and a half"
    low, high = gains("agnostic", "one mask", "one per class", "box_AP")
    said = " ".join(MASTER.read_text(encoding="utf-8").replace("\n# ", " ").split())
    assert f"by {low:.1f} to {high:.1f} points in every seed" in said
    runs = recorded(find("maskrcnn.multi_task")).runs
    differences = [
        one["box_AP"] - other["box_AP"] for one, other in zip(runs["boxes and masks"], runs["boxes only"], strict=True)
    ]
    up = sorted(difference for difference in differences if difference > 0)
    assert len(up) == 2
    assert -min(differences) > sum(up)  # "the third loses more than both gain"


def test_on_one_map_every_seed_gains_and_more_on_the_coarser_one():
    runs = recorded(find("maskrcnn.one_map")).runs
    shares = []
    for stride in (16, 32):
        for measure in ("mask_AP", "box_AP"):
            low, _ = gains("one_map", f"RoIAlign, stride {stride}", f"RoIPool, stride {stride}", measure)
            assert low > 0, (stride, measure)
        pool, align = (
            sum(run["mask_AP"] for run in runs[f"{way}, stride {stride}"]) for way in ("RoIPool", "RoIAlign")
        )
        shares.append(align / pool - 1)
    strict = gains("one_map", "RoIAlign, stride 16", "RoIPool, stride 16", "mask_AP75")
    assert strict[0] < strict[1] < 0  # "lose about a point"
    assert shares == pytest.approx([1 / 6, 1 / 3], abs=0.02)  # "a sixth more", "a third more"
    sums = {way: sum(run["mask_AP"] for run in runs[f"{way}, stride 32"]) for way in ("rounded region", "RoIPool")}
    assert sums["rounded region"] <= sums["RoIPool"]  # "no more than RoIPool has"


def test_as_many_claims_are_measured_as_the_opening_announces():
    text = MASTER.read_text(encoding="utf-8")
    assert "We measure both on drawn scenes, and seven more claims on the way." in " ".join(text.split("\n# "))
    assert len(re.findall(r'^card\("maskrcnn\.', text, re.MULTILINE)) == 2 + 7


def test_the_printed_command_is_the_one_that_made_the_network():
    (printed,) = re.findall(r"^# ```bash\n(.*?)^# ```", MASTER.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("# ").strip() for line in printed.splitlines()]
    assert all(line.endswith("\\") for line in lines[:-1]), "a shell must take the lines as one command"
    words = shlex.split(" ".join(line.rstrip("\\") for line in lines))
    record = json.loads(resources.data("checkpoints", "maskrcnn_tiny_near.json").read_text(encoding="utf-8"))
    ran = shlex.split(record["command"])

    def options(command):
        found = {}
        for index, word in enumerate(command):
            if word.startswith("--"):
                following = command[index + 1] if index + 1 < len(command) else ""
                found.setdefault(word, []).append("" if following.startswith("--") else following)
        return found

    ours, theirs = options(words), options(ran)
    assert words[:6] == ran[:6]
    for key, values in ours.items():
        if key not in ("--precision", "--out", "--weights"):  # the record names what was chosen, and bare file names
            assert sorted(values) == sorted(theirs[key]), key
    assert Path(ours["--weights"][0]).name == theirs["--weights"][0]
    assert (ROOT / ours["--weights"][0]).exists()
