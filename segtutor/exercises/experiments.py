"""Experiments of one's own, one in each of several assignments: what is asked, and which answers the tests try.

    declaration -> run_experiment -> record -> three numbers and a word that the learner reads off it

What came out is not graded: a declaration that fails earns as much as one that holds. Graded is whether one thing
changed, whether the expectation could fail, and whether the record was read by the rule of the course's cards;
``experiment_reading`` does it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from segtutor.claims.claim import uncertainty
from segtutor.claims.own import SEEDS, Laboratory, expectation_of, runs_of
from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.experiment_reading import (
    CHANGE,
    DOUBT,
    GAIN,
    LEAST,
    MARGIN,
    MEASURE,
    RECORD,
    RUNS,
    VERDICT,
    judged,
)

STUB = """
answers = {
    "declaration": declaration,
    "record": record,
    "gain": None,  # a number
    "doubt": None,  # a number
    "verdict": None,  # "confirmed", "reversed" or "undecided"
    "least": None,  # a number
}
"""

SOLUTION = """
sign = 1 if declaration["expects"] == "higher" else -1
first, second = (np.array([run[declaration["measure"]] for run in record[which]]) for which in ("first", "second"))
gains = sign * (second - first)
gain, doubt = gains.mean(), 4.303 * gains.std(ddof=1) / np.sqrt(3)
margin = declaration["margin"]
answers = {
    "declaration": declaration,
    "record": record,
    "gain": gain,
    "doubt": doubt,
    "verdict": "confirmed" if gain - doubt > margin else "reversed" if gain + doubt < 0 else "undecided",
    "least": margin + doubt,
}
"""

READING = """
What is graded is not what came out, but whether it was a test and whether you read it rightly. From the record, by the
rule of the claim cards, with the gain of a seed = the number of the second setting minus that of the first, **with the
same seed** (the other way round if you expect a lower one), fill in, as shares or to three decimals:

- `gain`: the mean of the three gains;
- `doubt`: how uncertain it is, $t\\,s / \\sqrt 3$, where $s$ is the standard deviation of the three gains (divided by
  $n - 1 = 2$) and $t = 4.303$ leaves 2.5 % on either side;
- `verdict`: `"confirmed"` if even gain − doubt is above the margin, `"reversed"` if even gain + doubt is below 0, else
  `"undecided"`;
- `least`: how large a mean gain these three seeds would have needed to confirm the expectation.
"""


HINTS = {
    "general": Hint(
        "A test is a sentence that could turn out wrong. Change one option, and say before you run it which number you "
        "expect to rise or fall, and by how much at least.",
        "Choose an effect that a lesson or a card makes likely, so that three seeds can show it; take as margin half "
        "of what you expect. After the run form the three differences first: mean and doubt are about them.",
    ),
    "change": Hint(
        "One option changes, and it has two different values. If two things change, nobody can tell which did it.",
        "`changes` is the name of one option, `first` and `second` are its two values; whatever else is unusual, in "
        "both settings, belongs into `stays`.",
    ),
    "measure": Hint(
        "Say which number you look at, and in which direction the second setting should move it.",
        '`measure` is one of those that the cell above lists, and `expects` is "higher" or "lower".',
    ),
    "margin": Hint(
        "An expectation without a margin is confirmed by an effect that nobody would notice; one with a margin beyond "
        "all effects can only fail.",
        "A number above 0, in shares: 0.02 stands for two points.",
    ),
    "record": Hint(
        "The declaration and the record do not belong together: it was changed after the run, or the run is missing. "
        "To declare what has come out is no test.",
        "Run the cell with run_experiment again: it measures anew where the declaration is a new one.",
    ),
    "runs": Hint(
        "A record has both settings, with three seeds each, and for every run the declared measure.",
        "Take `record` as run_experiment returns it.",
    ),
    "gain": Hint(
        "The gain is the mean of three differences, in shares: the second setting minus the first, seed by seed; the "
        "other way round where you expect a lower number.",
        "Three numbers for each setting, in the order of the seeds; subtract, and take the mean. The margin is no part "
        "of it.",
    ),
    "doubt": Hint(
        "The doubt is about the *mean of the three gains*: their own standard deviation, with n − 1 below, divided by "
        "the root of 3, and times 4.303, because three values say little about their spread.",
        "np.std has an argument ddof; 1 gives n − 1. The spread of a single setting is larger, since seeds move both "
        "settings alike.",
    ),
    "verdict": Hint(
        "The word follows from three numbers: gain, doubt and margin. Confirmed needs the whole interval above the "
        "margin, reversed needs it below 0.",
        "Compare gain − doubt with the margin, and gain + doubt with 0; everything else is undecided.",
    ),
    "least": Hint(
        "Confirmed means that the gain less its doubt lies above the margin. For which gain is that just so?",
        "Solve gain − doubt = margin for the gain.",
    ),
}


def example(
    first: Sequence[float],
    second: Sequence[float],
    *,
    changes: str,
    values: tuple[Any, Any],
    measure: str,
    margin: float,
) -> dict[str, Any]:
    """A record that is worked by hand, of somebody who expected the second value to have the higher number.

    Args:
        first: The measure with the first value, a number for each seed.
        second: With the second value.
        changes: Which option.
        values: Its two values.
        measure: Which one.
        margin: By how much it was to rise at least.
    """
    declaration = {"changes": changes, "first": values[0], "second": values[1], "measure": measure,
                   "expects": "higher", "margin": margin}  # fmt: skip
    runs = {name: [{measure: value} for value in one] for name, one in (("first", first), ("second", second))}
    return {"declaration": declaration, "seeds": list(SEEDS), **runs}


def exercise(
    *, id: str, laboratory: Laboratory, statement: str, example: Mapping[str, Any], points: int, minutes: int
) -> Exercise:
    """The task of one assignment.

    Args:
        id: "4.11".
        laboratory: What may change.
        statement: The text before `READING`.
        example: A record, worked by hand, of an expectation that it confirms; the wrong and right answers of the tests
            are made of it.
        points: Points.
        minutes: For a person, the run included.
    """

    def reference() -> dict[str, Any]:
        return read_off(example)

    hint_of = {CHANGE: "change", MEASURE: "measure", MARGIN: "margin", RECORD: "record", RUNS: "runs"}
    return Exercise(
        id=id,
        title="An experiment of your own",
        name="answers",
        statement=statement.strip() + "\n" + READING,
        stub=STUB,
        solution=SOLUTION,
        reference=reference,
        given=lambda: (),
        around=judged(laboratory),
        cases=tuple(
            Case(name, hint=hint_of.get(name, name))
            for name in (CHANGE, MEASURE, MARGIN, RECORD, RUNS, GAIN, DOUBT, VERDICT, LEAST)
        ),
        hints=HINTS,
        mistakes=_mistakes(reference),
        alternatives=_alternatives(reference, example),
        points=points,
        minutes=minutes,
        difficulty=2,
        files=(laboratory.file,),
    )


def read_off(record: Mapping[str, Any]) -> dict[str, Any]:
    """The right answers to a record."""
    declaration = record["declaration"]
    expectation, runs = expectation_of(declaration), runs_of(record)
    doubt = uncertainty(expectation.gains(runs))
    return {
        "declaration": declaration,
        "record": record,
        "gain": fmean(expectation.gains(runs)),
        "doubt": doubt,
        "verdict": expectation.verdict(runs),
        "least": declaration["margin"] + doubt,
    }


def with_declaration(answers: Mapping[str, Any], **change: Any) -> dict[str, Any]:
    """Answers with another declaration, in the record as well, as if it had been run so."""
    changed = copy.deepcopy(dict(answers))
    changed["declaration"] = {**changed["declaration"], **change}
    changed["record"]["declaration"] = changed["declaration"]
    return changed


def _mistakes(right: Callable[[], dict[str, Any]]) -> tuple[Mistake, ...]:
    def but(**change: Any) -> Callable[[], dict[str, Any]]:
        return lambda: right() | {key: one(right()) if callable(one) else one for key, one in change.items()}

    def declared(**change: Any) -> Callable[[], dict[str, Any]]:
        return lambda: with_declaration(right(), **change)

    def gains() -> list[float]:
        found = right()
        return expectation_of(found["declaration"]).gains(runs_of(found["record"]))

    def one_seed() -> dict[str, Any]:
        found = copy.deepcopy(right())
        for key in ("seeds", "first", "second"):
            found["record"][key] = found["record"][key][:1]
        return found

    return (
        Mistake("two options at once", declared(changes=["steps", "start"]), "change"),
        Mistake("the same value twice", lambda: with_declaration(right(), second=right()["declaration"]["first"]),
                "change"),
        Mistake("no second value", declared(second=None), "change"),
        Mistake("no measure", declared(measure="quality"), "measure"),
        Mistake("no direction", declared(expects="better"), "measure"),
        Mistake("a margin of 0", declared(margin=0), "margin"),
        Mistake("a margin in points of 100", declared(margin=2), "margin"),
        Mistake("declared after the run", lambda: right() | {
            "declaration": {**right()["declaration"], "margin": right()["declaration"]["margin"] / 2}}, "record"),
        Mistake("one seed", one_seed, "runs"),
        Mistake("the other sign", but(gain=lambda found: -found["gain"]), "gain"),
        Mistake("points of 100", but(gain=lambda found: 100 * found["gain"]), "gain"),
        Mistake("one seed's gain", but(gain=lambda _: gains()[0]), "gain"),
        Mistake("beyond the margin", but(gain=lambda found: found["gain"] - found["declaration"]["margin"]), "gain"),
        Mistake("standard deviation", but(doubt=lambda _: stdev(gains())), "doubt"),
        Mistake("without t", but(doubt=lambda _: stdev(gains()) / sqrt(3)), "doubt"),
        Mistake("1.96", but(doubt=lambda _: 1.96 * stdev(gains()) / sqrt(3)), "doubt"),
        Mistake("divided by n", but(doubt=lambda found: found["doubt"] * sqrt(2 / 3)), "doubt"),
        Mistake("half the range", but(doubt=lambda _: (max(gains()) - min(gains())) / 2), "doubt"),
        Mistake("too careful", but(verdict="undecided"), "verdict"),
        Mistake("the opposite", but(verdict="reversed"), "verdict"),
        Mistake("yes", but(verdict="yes"), "verdict"),
        Mistake("the margin alone", but(least=lambda found: found["declaration"]["margin"]), "least"),
        Mistake("the doubt alone", but(least=lambda found: found["doubt"]), "least"),
    )  # fmt: skip


def _alternatives(
    right: Callable[[], dict[str, Any]], example: Mapping[str, Any]
) -> tuple[Callable[[], dict[str, Any]], ...]:
    def rounded() -> dict[str, Any]:
        return {key: round(one, 3) if isinstance(one, float) else one for key, one in right().items()}

    def undecided() -> dict[str, Any]:
        """The same runs, with so large a margin that they decide nothing."""
        record = copy.deepcopy(dict(example))
        record["declaration"] = {**record["declaration"], "margin": 0.4}
        return read_off(record)

    def reversed_() -> dict[str, Any]:
        """The same runs, of somebody who expected the opposite."""
        record = copy.deepcopy(dict(example))
        other = "lower" if record["declaration"]["expects"] == "higher" else "higher"
        record["declaration"] = {**record["declaration"], "expects": other}
        return read_off(record)

    return rounded, undecided, reversed_
