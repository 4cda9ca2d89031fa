"""The faults of exercise 11.7, and which of the recorded networks has which."""

from __future__ import annotations

SHIFTED, ANOTHER_DOMAIN, TWICE = "shifted labels", "statistics of another domain", "normalized twice"
MERGED, TRAINED_ON_VAL, HEALTHY = "a class merged", "trained on val", "none"
FAULTS = (SHIFTED, ANOTHER_DOMAIN, TWICE, MERGED, TRAINED_ON_VAL)
IN_ORDER = {
    0: (MERGED, TWICE, HEALTHY, TRAINED_ON_VAL, SHIFTED, ANOTHER_DOMAIN),
    1: (ANOTHER_DOMAIN, SHIFTED, TRAINED_ON_VAL, TWICE, HEALTHY, MERGED),
    2: (TRAINED_ON_VAL, ANOTHER_DOMAIN, SHIFTED, HEALTHY, MERGED, TWICE),
}
"""For each seed the faults in the order in which ``make_networks`` writes the reports."""
