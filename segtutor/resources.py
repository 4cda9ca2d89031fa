"""Where the course's own files lie: in a checkout beside the package, in an installed wheel inside it."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Folder of files that travel with the package: "data" or "notebooks".

    Raises:
        FileNotFoundError: If neither a wheel nor a checkout holds it.
    """
    for place in (PACKAGE / name, PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"the course's folder {name!r} is neither in {PACKAGE} nor beside it: install segtutor again, "
        "from its wheel or from a whole checkout"
    )


def data(*parts: str) -> Path:
    """Path of an embedded file, ``data("results", "fcn_skips.json")``.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    path = folder("data").joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{'/'.join(parts)} is not among the files that come with segtutor ({path} is missing)")
    return path
