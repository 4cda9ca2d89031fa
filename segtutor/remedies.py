"""What to do about each trouble that ``segtutor doctor`` can find; the page of questions is made from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Remedy:
    """One trouble.

    Attributes:
        subject: The line of ``segtutor doctor`` under which it stands.
        question: As a learner would ask.
        text: What to do, with the places that the machine fills in, as ``{folder}``.
        example: What the page shows in these places.
    """

    subject: str
    question: str
    text: str
    example: Mapping[str, str] = field(default_factory=dict)


_INSTALL = '"{python}" -m pip install "{what}"  (in a checkout: python3 start.py)'
_PYTHON = {"python": "python", "what": "jupyterlab>=4.2"}

REMEDIES: dict[str, Remedy] = {
    "not installed": Remedy(
        "packages",
        "Some commands of segtutor fail because a package is missing.",
        'from the course\'s folder run  "{python}" -m pip install -e .  or python3 start.py',
        _PYTHON,
    ),
    "missing package": Remedy(
        "NumPy, JupyterLab and the like",
        "A package is “not installed”.",
        f"install it with  {_INSTALL}",
        _PYTHON,
    ),
    "old package": Remedy(
        "NumPy, JupyterLab and the like",
        "A package is there, but too old.",
        f"the course needs {{name}} {{minimum}} or newer:  {_INSTALL}",
        {"python": "python", "what": "numpy>=2.0", "name": "numpy", "minimum": "2.0"},
    ),
    "torch": Remedy(
        "device",
        "PyTorch cannot be imported, or a library of it is missing.",
        'PyTorch does not load; install it again with  "{python}" -m pip install --force-reinstall torch',
        _PYTHON,
    ),
    "driver": Remedy(
        "device",
        "I have an NVIDIA GPU, but PyTorch says that there is no CUDA.",
        "there is an NVIDIA GPU, but this PyTorch (CUDA {cuda}) cannot use it: update the driver",
        {"cuda": "13.0"},
    ),
    "no cuda": Remedy(
        "device",
        "I have an NVIDIA GPU, and the course runs on the processor.",
        "there is an NVIDIA GPU, but this PyTorch is made for CPUs only: install PyTorch with CUDA",
    ),
    "memory": Remedy(
        "memory",
        "The kernel dies without a word.",
        "a lesson takes up to 3 GB: close other programs, or open it in Colab",
    ),
    "disk": Remedy(
        "disk",
        "The disk is nearly full.",
        "free some space: published weights and results need {room}",
        {"room": "2.0 GB"},
    ),
    "downloads": Remedy(
        "downloads",
        "In my home folder, or on the computers of my school, nothing can be written.",
        "make {folder} writable, or name another folder in the variable SEGTUTOR_CACHE",
        {"folder": "the folder of downloads"},
    ),
    "data set": Remedy(
        "data sets",
        "A data set is “incomplete”.",
        "get it again with  segtutor data get {name}",
        {"name": "voc2012"},
    ),
    "network": Remedy(
        "network",
        "There is no Internet, or the school's proxy lets nothing through.",
        "published weights cannot be downloaded now; the course's own checkpoints are there",
    ),
}


def remedy(trouble: str, **places: str) -> str:
    """What to do about a trouble on this machine.

    >>> remedy("data set", name="voc2012")
    'get it again with  segtutor data get voc2012'
    """
    return REMEDIES[trouble].text.format_map(places)
