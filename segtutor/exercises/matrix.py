"""The matrix: for each exercise and each typical wrong answer, the hint that a learner would read.

python -m segtutor.exercises.matrix 3.1 4.2           these exercises; without a number, all
python -m segtutor.exercises.matrix --mutate 3.1      small changes of the solution that no case rejects
"""

from __future__ import annotations

import argparse

from segtutor.exercises import mutation
from segtutor.exercises.catalog import exercises, find
from segtutor.exercises.checking import judge
from segtutor.exercises.exercise import Exercise, Mistake
from segtutor.exercises.report import Report


def report_of_mistake(exercise: Exercise, mistake: Mistake, tries: int = 1) -> Report:
    """What the check answers to a typical wrong answer."""
    answer = mistake.answer(*exercise.given()) if exercise.given is not None else mistake.answer
    return judge(exercise, answer, tries)


def mutant_matrix(asked: list[Exercise] | None = None) -> str:
    """A Markdown table, one row per exercise and mistake; the last column says whether the hint is the declared one."""
    rows = ["| exercise | mistake | cases passed | hint shown | fits |", "| --- | --- | --- | --- | --- |"]
    for exercise in exercises().values() if asked is None else asked:
        for mistake in exercise.mistakes:
            report = report_of_mistake(exercise, mistake)
            hint = report.hints[0] if report.hints else report.message
            fits = "yes" if not report and report.hint == mistake.hint else "NO"
            score = f"{report.passed_cases} of {report.cases}"
            hint = hint.replace("|", "\\|")
            rows.append(f"| {exercise.id} {exercise.title} | {mistake.name} | {score} | {hint} | {fits} |")
    return "\n".join(rows)


def main() -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("exercises", nargs="*", metavar="ID", help="exercises, 3.1; without any, all")
    parser.add_argument("--mutate", action="store_true", help="change the solutions in one place at a time")
    arguments = parser.parse_args()
    asked = [find(name) for name in arguments.exercises] or None
    print(mutation.table(asked) if arguments.mutate else mutant_matrix(asked))


if __name__ == "__main__":
    main()
