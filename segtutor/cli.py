"""The command ``segtutor``: finds the command's module, hands it the arguments, turns an error into a sentence."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from segtutor import __version__, compute

# command: what it does. A command's module, segtutor.commands.NAME, is imported only when it is called.
COMMANDS: dict[str, str] = {
    "lab": "copy the lessons into a folder and open JupyterLab",
    "doctor": "look at this machine: versions, device, memory, disk, weights, network",
    "segment": "find the classes in a picture and draw them over it",
    "train": "train a network on pictures of your own, or drawn ones, and write its weights",
    "evaluate": "score a network on a data set, class by class",
    "export": "write a network as ONNX or as a PyTorch graph, for other programs",
    "reproduce": "run the experiment behind a claim of the course again",
    "data": "get real data sets, see which are there, find broken files in a folder",
    "progress": "see how far you are, or write a certificate of it",
    "verify": "check a certificate by running its answers again",
    "grade": "grade what a class handed in: points, feedback for each, a report about all",
    "release": "write an assignment as a class gets it, tried unsolved",
}

# Those that compute with networks themselves, and do not start programs that decide about their own threads.
COMPUTING = ("segment", "train", "evaluate", "export", "reproduce")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    _print_anything()
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="segtutor", description="Deep semantic segmentation, taught and measured.")
    parser.add_argument("--version", action="version", version=f"segtutor {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if arguments[:1] == [name]:
            module = importlib.import_module(f"segtutor.commands.{name}")
            module.configure(command)
            if hasattr(module, "prepare"):
                try:
                    module.prepare(command, arguments[1:])
                except (ValueError, OSError) as error:
                    print(f"segtutor {name}: {error}", file=sys.stderr)
                    return 2
            command.set_defaults(run=module.run)
    parsed = parser.parse_args(arguments)
    if parsed.command in COMPUTING:
        compute.settle_threads()
    try:
        return int(parsed.run(parsed) or 0)
    except (ValueError, OSError) as error:
        print("\n".join([f"segtutor {parsed.command}: {error}", *getattr(error, "__notes__", [])]), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nsegtutor {parsed.command}: stopped", file=sys.stderr)
        return 130


def _print_anything() -> None:
    """A file's name that the console has no letters for must not end the work: it is shown with escapes instead."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
