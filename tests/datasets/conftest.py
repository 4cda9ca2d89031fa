"""Scenes written once in each layout; tests that damage a folder copy it first."""

import shutil
from pathlib import Path

import pytest

from segtutor.datasets import Scenes, export

SIZE = (64, 80)
TRAIN, VAL = Scenes("train", size=SIZE, count=5, seed=3), Scenes("val", size=SIZE, count=3, seed=3)


@pytest.fixture(scope="session")
def scenes() -> dict[str, Scenes]:
    return {"train": TRAIN, "val": VAL}


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Layout: the folder that holds it."""
    top = tmp_path_factory.mktemp("exported")
    layouts = ("voc", "coco", "cityscapes", "pascal_context")
    return {name: export({"train": TRAIN, "val": VAL}, top / name, layout=name, singles=2) for name in layouts}


@pytest.fixture
def copy_of(exported: dict[str, Path], tmp_path: Path):
    """A copy of a layout's folder, to damage."""

    def copy(layout: str) -> Path:
        return Path(shutil.copytree(exported[layout], tmp_path / layout))

    return copy
