"""``segtutor doctor``: what the course finds on this machine, and one remedy per trouble."""

from __future__ import annotations

import argparse

from segtutor import doctor


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds to wait for the network (3)")


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 if something keeps lessons from running."""
    findings = doctor.examine(arguments.timeout)
    print(doctor.format_report(findings))
    troubles = sum(finding.level == "trouble" for finding in findings)
    notes = sum(finding.level == "note" for finding in findings)
    print(f"\nTroubles: {troubles}, notes: {notes}." if troubles or notes else "\nAll is well.")
    return 1 if troubles else 0
