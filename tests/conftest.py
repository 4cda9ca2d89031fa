"""One thread and a fixed seed for every test, so that a number does not depend on the machine's load."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
