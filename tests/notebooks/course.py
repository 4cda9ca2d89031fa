"""A small course in a temporary folder, for the tests of the notebook tool."""

from __future__ import annotations

from pathlib import Path

FRONT = """\
# ---
# title: Counting pixels
# minutes_cpu: 0.1
# minutes_t4: 0.1
# download: none
# peak_ram: 0.2 GB
# prerequisites: [Python]
# minutes_work: 5
# ---

"""
LESSON = (
    FRONT
    + """\
# %% [markdown]
# ## Objectives
# - Count.
# - Compare.
# - Plot.
#
# ## The claim
# Counting is enough.

# %%
import matplotlib.pyplot as plt
from tqdm.auto import tqdm

from segtutor import plotting

plotting.use_course_style()
total = sum(tqdm(range(10)))

# %% [markdown]
# ## Predict, then run
# What is $x^2$?

# %% alt="A straight line"
plt.plot([0, 1])
plt.show()

# %% [markdown]
# Printed:

# %%
import sys

print("\\r  5%|  ", end="")
print("\\rtotal", total)
print("100%|####| 10/10 [00:00<00:00, 9.1it/s]", file=sys.stderr)
object

# %% [markdown]
# ## Pitfalls
# None.
#
# ## Summary
# Done; see [the assignment](assignments/01_count.ipynb).
#
# ## Self-test
# <details><summary>Answer</summary>Yes.</details>
#
# ## Reading
# None.
#
# ## Going deeper
# None.
"""
)
ASSIGNMENT = (
    FRONT
    + '''\
# %% [markdown]
# ## Task 1.1
# Write it.

# %%
def count(mask):
    """How many pixels are set."""
    # BEGIN SOLUTION
    return int(sum(mask))
    # END SOLUTION


# %% [markdown]
# Task 1.2, with a start given.

# %%
def ratio(mask):
    # STUB: set_pixels = ...  # count them
    # STUB: return set_pixels / len(mask)
    # BEGIN SOLUTION
    return count(mask) / len(mask)
    # END SOLUTION


print("task 1.2")

# %% [markdown]
# An answer that is not a function.

# %%
# BEGIN SOLUTION
answer = 42
# END SOLUTION

# %% [markdown] tags=["solution"]
# Only the solution explains this.
'''
)


def make_course(root: Path, lesson: str = LESSON, assignment: str | None = ASSIGNMENT) -> Path:
    """Write a course with one lesson and one assignment into ``root``."""
    (root / "notebooks" / "source").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "segtutor"\nversion = "0.1.0"\n\n'
        '[project.urls]\nRepository = "https://github.com/segtutor/segtutor"\n'
    )
    (root / "notebooks" / "source" / "01_count.py").write_text(lesson)
    if assignment is not None:
        (root / "notebooks" / "source" / "assignment_01_count.py").write_text(assignment)
        (root / "notebooks" / "source" / "written.toml").write_text("[lines]\n")
    return root
