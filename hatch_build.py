"""What the wheel holds of the notebooks: each that a learner opens, without outputs; no masters and no tools.

`segtutor lab` hands lessons out without outputs, so an installed course needs none. The site and the repository show
them.
"""

from __future__ import annotations

import runpy
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("", "assignments", "solutions")


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the notebooks to a wheel."""

    _made: str | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them to a temporary folder and name that folder.

        Args:
            version: "standard", or "editable" for a wheel that only points to the checkout.
            build_data: What the builder is told.
        """
        if version != "standard":
            return
        root = Path(self.root)
        without_outputs = runpy.run_path(str(root / "segtutor" / "notebook_files.py"))["without_outputs"]
        self._made = tempfile.mkdtemp(prefix="segtutor-wheel-")
        for folder in FOLDERS:
            for path in sorted((root / "notebooks" / folder).glob("*.ipynb")):
                target = Path(self._made, folder, path.name)
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(without_outputs(path))
                build_data["force_include"][str(target)] = (
                    f"segtutor/notebooks/{path.relative_to(root / 'notebooks').as_posix()}"
                )

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder.

        Args:
            version: As above.
            build_data: As above.
            artifact_path: Where the wheel lies.
        """
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)
