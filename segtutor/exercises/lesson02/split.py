"""Exercise 2.7: a split that does not leak."""

from __future__ import annotations

from typing import Any

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


def _until(enough):  # type: ignore[no-untyped-def]
    def wrong(sequences, share):  # type: ignore[no-untyped-def]
        chosen, frames = set(), 0
        for name in sorted(set(sequences), key=lambda name: (sequences.count(name), name)):
            if enough(frames, share * len(sequences)):
                break
            chosen.add(name)
            frames += sequences.count(name)
        return [name in chosen for name in sequences]

    return wrong


def _one_more(sequences, share):  # type: ignore[no-untyped-def]
    taken = [name for name, chosen in zip(sequences, validation_frames(sequences, share), strict=True) if chosen]
    rest = sorted(set(sequences) - set(taken), key=lambda name: (sequences.count(name), name))
    return [name in [*taken, *rest[:1]] for name in sequences]


def _only_if_it_fits(sequences, share):  # type: ignore[no-untyped-def]
    chosen, frames = set(), 0
    for name in sorted(set(sequences), key=lambda name: (sequences.count(name), name)):
        if frames + sequences.count(name) <= share * len(sequences):
            chosen.add(name)
            frames += sequences.count(name)
    return [name in chosen for name in sequences]


def _closest(sequences, share):  # type: ignore[no-untyped-def]
    chosen, frames, wanted = set(), 0, share * len(sequences)
    for name in sorted(set(sequences), key=lambda name: (sequences.count(name), name)):
        if abs(frames + sequences.count(name) - wanted) <= abs(frames - wanted):
            chosen.add(name)
            frames += sequences.count(name)
    return [name in chosen for name in sequences]


def _pieces(sequences, share):  # type: ignore[no-untyped-def]
    starts = np.cumsum([place == 0 or name != sequences[place - 1] for place, name in enumerate(sequences)])
    return validation_frames([f"{name} {start:03d}" for name, start in zip(sequences, starts, strict=True)], share)


def _by_length(reverse=False, ties=True, backwards=False):  # type: ignore[no-untyped-def]
    def wrong(sequences, share):  # type: ignore[no-untyped-def]
        sign = -1 if reverse else 1
        first_seen = list(dict.fromkeys(sequences))
        tie = {name: name if ties else f"{place:05d}" for place, name in enumerate(first_seen)}
        if backwards:
            tie = {name: f"{place:05d}" for place, name in enumerate(sorted(first_seen, reverse=True))}
        return _chosen(sequences, share, lambda name: (sign * sequences.count(name), tie[name]))

    return wrong


_DRIVES = ["b"] * 5 + ["a"] * 2 + ["c"] * 3
_CAMVID_LIKE = ["0006R0"] * 24 + ["0016E5"] * 31 + ["0001TP"] * 12 + ["Seq05VD"] * 17 + ["0016E5"] * 10


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    frames = [f"video {number}" for number in range(8) for _ in range(generator.integers(1, 9))]
    sequences = generator.permutation(frames).tolist()
    # Half a frame more than a whole number: no rounding decides.
    return sequences, (int(generator.integers(1, len(frames) // 2)) + 0.5) / len(frames)


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
    drawn=_drawn,
    cases=(
        Case("one video is enough", (_DRIVES, 0.15), np.array([0, 0, 0, 0, 0, 1, 1, 0, 0, 0], dtype=bool)),
        Case("videos like CamVid's", (_CAMVID_LIKE, 0.15)),
        Case("videos like CamVid's, a third", (_CAMVID_LIKE, 1 / 3)),
        Case("one long video among short ones", ([*"abcdefgh", *("z" * 40)], 0.1)),
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
        Case("exactly a quarter", (["x", "x", *("y" * 6)], 0.25), np.array([1, 1] + [0] * 6, dtype=bool), "exactly"),
        Case("0.4 of three frames", (["c", "a", "b"], 0.4), np.array([0, 1, 1], dtype=bool), "rounded"),
        Case(
            "long names", (["b", "aaa", "b", "cc", "cc", "cc"], 0.1), np.array([0, 1, 0, 0, 0, 0], dtype=bool), "names"
        ),
        Case("nothing for validation", (["a", "b", "b"], 0.0), np.array([0, 0, 0], dtype=bool), "nothing"),
        Case("all for validation", ([*"badcfehgjilk"], 1.0), np.ones(12, dtype=bool), "everything"),
    ),
    hints={
        "general": Hint(
            "Sort the names of the videos by (number of frames, name) and take them one by one until there is enough.",
            "A key to sort by can be a pair: the second entry decides among equals. Add up frames, not videos, and "
            "ask whether there are enough before you take the next one. At the end answer, for every frame, whether "
            "its video was taken.",
        ),
        "whole": Hint(
            "Look at videos, also those in several pieces: a whole video goes to one side, else it leaks.",
            "Choose names of videos; a frame is validation if its video is chosen.",
        ),
        "at least": Hint(
            "Look at when to stop: take videos as long as there are *fewer* frames than the share, and no longer.",
            "if frames >= share * len(sequences): break, before a video is added.",
        ),
        "ties": Hint(
            "Look at videos of equal length: the first by name is taken first.",
            "key=lambda name: (sequences.count(name), name).",
        ),
        "order": Hint(
            "The videos are taken in another order: the one with the fewest frames comes first.",
            "Sort by the number of frames, rising.",
        ),
        "frames": Hint(
            "The share is of the frames, not of the videos.",
            "Compare the number of frames chosen with share * len(sequences).",
        ),
        "exactly": Hint(
            "Look at a share that is reached exactly: that is enough.",
            "if frames >= share * len(sequences): break.",
        ),
        "rounded": Hint(
            "Look at a share that is no whole number of frames: at least so many, so nothing is rounded down.",
            "Compare frames with share * len(sequences), without int() or round().",
        ),
        "names": Hint(
            "Look at what is short: the video with the fewest frames, whatever the length of its name.",
            "key=lambda name: (sequences.count(name), name).",
        ),
        "nothing": Hint(
            "Look at the share 0: no video is needed.",
            "Ask whether there is enough *before* a video is added.",
        ),
        "everything": Hint(
            "Look at the share 1: all videos are needed.",
            "Take videos as long as there are fewer frames than share * len(sequences).",
        ),
        "per frame": Hint(
            "One True or False per frame is wanted, in the order of the frames.",
            "[name in chosen for name in sequences].",
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
        Mistake("as they come", lambda s, share: _chosen(s, share, s.index), "order"),
        Mistake("by the length of the name", lambda s, share: _chosen(s, share, lambda n: (len(n), n)), "names"),
        Mistake("equal ones by the last name", _by_length(backwards=True), "ties"),
        Mistake("more than the share", _until(lambda frames, wanted: frames > wanted), "exactly"),
        Mistake("rounded down", _until(lambda frames, wanted: frames >= int(wanted)), "rounded"),
        Mistake("rounded", _until(lambda frames, wanted: frames >= round(wanted)), "rounded"),
        Mistake("one video", _until(lambda frames, wanted: frames > 0), "at least"),
        Mistake("one video more", _one_more, "at least"),
        Mistake("at least one video", lambda s, share: validation_frames(s, max(share, 1e-9)), "nothing"),
        Mistake("never more than the share", _only_if_it_fits, "at least"),
        Mistake("never all", lambda s, share: validation_frames(s, min(share, 0.9)), "everything"),
        Mistake("percent", lambda s, share: validation_frames(s, share / 100), "at least"),
        Mistake("closest to the share", _closest, "at least"),
        Mistake("pieces as videos", _pieces, "whole"),
        Mistake("the first frames", lambda s, share: [i < share * len(s) for i in range(len(s))], "whole"),
        Mistake(
            "names of the frames",
            lambda s, share: [n for n, v in zip(s, validation_frames(s, share), strict=True) if v],
            "per frame",
        ),
        Mistake(
            "names of the videos",
            lambda s, share: sorted({n for n, v in zip(s, validation_frames(s, share), strict=True) if v}),
            "per frame",
        ),
        Mistake("numbers of the frames", lambda s, share: np.flatnonzero(validation_frames(s, share)), "per frame"),
        Mistake("one per video", lambda s, share: validation_frames(s, share)[: len(set(s))], "per frame"),
        Mistake("sorted", lambda s, share: sorted(validation_frames(s, share)), "per frame"),
        Mistake("exchanged", lambda s, share: [not one for one in validation_frames(s, share)], "inverse"),
    ),
    alternatives=(_with_numpy, _with_counter, _shortest_of_the_rest),
    points=3,
    minutes=20,
    difficulty=2,
)
