"""Exercise 2.7: a split that does not leak."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def validation_frames(sequences, share):
    """One True or False per frame: whole sequences, the shortest first, until at least this share is validation."""
    raise NotImplementedError("Write validation_frames() here, then run this cell again.")
'''


def validation_frames(sequences: list[str], share: float) -> list[bool]:
    """One True or False per frame: whole sequences, the shortest first, until at least this share is validation."""
    names = sorted(set(sequences), key=lambda name: (sequences.count(name), name))
    chosen: set[str] = set()
    frames = 0
    for name in names:
        if frames >= share * len(sequences):
            break
        chosen.add(name)
        frames += sequences.count(name)
    return [name in chosen for name in sequences]


def _with_numpy(sequences, share):  # type: ignore[no-untyped-def]
    _, place, counts = np.unique(sequences, return_inverse=True, return_counts=True)
    order = np.argsort(counts, kind="stable")
    before = np.concatenate([[0], np.cumsum(counts[order])[:-1]])
    return np.isin(place.ravel(), order[before < share * len(sequences)])


def _with_counter(sequences, share):  # type: ignore[no-untyped-def]
    from collections import Counter

    wanted, taken = share * len(sequences), []
    for name, count in sorted(Counter(sequences).items(), key=lambda item: (item[1], item[0])):
        if wanted <= 0:
            break
        taken.append(name)
        wanted -= count
    return [name in taken for name in sequences]


def _shortest_of_the_rest(sequences, share):  # type: ignore[no-untyped-def]
    lengths = {name: sequences.count(name) for name in sequences}
    left, chosen = share * len(sequences), []
    while left > 0:
        name = min((one for one in lengths if one not in chosen), key=lambda one: (lengths[one], one))
        chosen.append(name)
        left -= lengths[name]
    return np.array([name in chosen for name in sequences])


def _chosen(sequences, share, key, stop="at least"):  # type: ignore[no-untyped-def]
    chosen, frames = set(), 0
    for name in sorted(set(sequences), key=key):
        count = sequences.count(name)
        if frames >= share * len(sequences) if stop == "at least" else frames + count > share * len(sequences):
            break
        chosen.add(name)
        frames += count
    return [name in chosen for name in sequences]


def _random_frames(sequences, share):  # type: ignore[no-untyped-def]
    order = np.random.default_rng(0).permutation(len(sequences))
    chosen = np.zeros(len(sequences), dtype=bool)
    chosen[order[: int(np.ceil(share * len(sequences)))]] = True
    return chosen


def _every_nth(sequences, share):  # type: ignore[no-untyped-def]
    step = max(1, round(1 / share))
    return [index % step == 0 for index in range(len(sequences))]


def _last_frames(sequences, share):  # type: ignore[no-untyped-def]
    return np.arange(len(sequences)) >= len(sequences) - int(np.ceil(share * len(sequences)))


def _share_of_each(sequences, share):  # type: ignore[no-untyped-def]
    chosen = np.zeros(len(sequences), dtype=bool)
    for name in set(sequences):
        frames = [index for index, one in enumerate(sequences) if one == name]
        chosen[frames[: int(np.ceil(share * len(frames)))]] = True
    return chosen


def _share_of_sequences(sequences, share):  # type: ignore[no-untyped-def]
    names = sorted(set(sequences), key=lambda name: (sequences.count(name), name))
    chosen = names[: int(np.ceil(share * len(names)))]
    return [name in chosen for name in sequences]


def _by_length(reverse=False, ties=True):  # type: ignore[no-untyped-def]
    def wrong(sequences, share):  # type: ignore[no-untyped-def]
        sign = -1 if reverse else 1
        first_seen = list(dict.fromkeys(sequences))
        tie = {name: name if ties else f"{place:05d}" for place, name in enumerate(first_seen)}
        return _chosen(sequences, share, lambda name: (sign * sequences.count(name), tie[name]))

    return wrong


_DRIVES = ["b"] * 5 + ["a"] * 2 + ["c"] * 3
_CAMVID_LIKE = ["0006R0"] * 24 + ["0016E5"] * 31 + ["0001TP"] * 12 + ["Seq05VD"] * 17 + ["0016E5"] * 10

EXERCISE = Exercise(
    id="2.7",
    title="A split that does not leak",
    name="validation_frames",
    statement="""
Frames of one video look alike. If some of them are in training and others in validation, the score says how well the
network remembers. Write `validation_frames(sequences, share)`: `sequences` names the video of every frame (frames of
a video need not stand together). Whole videos become validation, the **shortest first** (of equal ones, the first by
name), until **at least** the share of all *frames* is reached. Return one True (validation) or False (training) per
frame.
""",
    stub=STUB,
    reference=validation_frames,
    cases=(
        Case("a fifth of ten frames", (_DRIVES, 0.2), np.array([0, 0, 0, 0, 0, 1, 1, 0, 0, 0], dtype=bool)),
        Case(
            "a quarter: one video is not enough",
            (_DRIVES, 0.25),
            np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], dtype=bool),
            "at least",
        ),
        Case("equal lengths", (["b", "a", "a", "b"], 0.5), np.array([0, 1, 1, 0], dtype=bool), "ties"),
        Case(
            "a video in two pieces",
            (["x", "y", "y", "x", "y", "x", "x"], 0.4),
            np.array([0, 1, 1, 0, 1, 0, 0], dtype=bool),
            "whole",
        ),
        Case("nothing for validation", (["a", "b", "b"], 0.0), np.array([0, 0, 0], dtype=bool), "at least"),
        Case("videos like CamVid's", (_CAMVID_LIKE, 0.15)),
        Case("videos like CamVid's, a third", (_CAMVID_LIKE, 1 / 3)),
        Case("one long video among short ones", ([*"abcdefgh", *("z" * 40)], 0.1)),
    ),
    hints={
        "general": Hint(
            "Sort the names of the videos by (number of frames, name) and take them one by one until there is enough.",
            "names = sorted(set(sequences), key=lambda name: (sequences.count(name), name)); then add up the frames.",
        ),
        "whole": Hint(
            "This splits single frames: one video lies on both sides, and that is the leak.",
            "Choose names of videos; a frame is validation if its video is chosen.",
        ),
        "at least": Hint(
            "Take videos as long as there are *fewer* frames than the share, and no longer.",
            "if frames >= share * len(sequences): break, before a video is added.",
        ),
        "ties": Hint(
            "Of videos of equal length the first by name is taken first.",
            "key=lambda name: (sequences.count(name), name).",
        ),
        "order": Hint(
            "The videos are taken in another order: the shortest comes first.",
            "Sort by the number of frames, rising.",
        ),
        "frames": Hint(
            "The share is of the frames, not of the videos.",
            "Compare the number of frames chosen with share * len(sequences).",
        ),
        "inverse": Hint(
            "True and False are exchanged: True is validation.",
            "[name in chosen for name in sequences].",
        ),
    },
    mistakes=(
        Mistake("random frames", _random_frames, "whole"),
        Mistake("every n-th frame", _every_nth, "whole"),
        Mistake("the last frames", _last_frames, "whole"),
        Mistake("a share of each video", _share_of_each, "whole"),
        Mistake(
            "stops too early", lambda s, share: _chosen(s, share, lambda n: (s.count(n), n), "at most"), "at least"
        ),
        Mistake("longest first", _by_length(reverse=True), "order"),
        Mistake("by name", lambda s, share: _chosen(s, share, lambda n: n), "order"),
        Mistake("equal ones as they come", _by_length(ties=False), "ties"),
        Mistake("share of the videos", _share_of_sequences, "frames"),
        Mistake("exchanged", lambda s, share: [not one for one in validation_frames(s, share)], "inverse"),
    ),
    alternatives=(_with_numpy, _with_counter, _shortest_of_the_rest),
    points=3,
    minutes=15,
    difficulty=2,
)
