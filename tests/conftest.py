"""One thread and a fixed seed for every test, so that a number does not depend on the machine's load."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_report_header():
    """What the tests run on: speed, and the last digits of a number, depend on it."""
    from segtutor import compute

    return f"computes on {compute.summary()}"


def pytest_terminal_summary(terminalreporter):
    """The same at the end, where a report that is kept or sent begins."""
    terminalreporter.write_line(pytest_report_header())
