"""Files that come with the package: in the wheel under rtkpos/data, in a checkout in data/."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def shipped_path(*names: str) -> Path:
    """Path of a file or folder that comes with the package, named below its data folder."""
    inside = resources.files("rtkpos").joinpath("data")
    folder = Path(str(inside)) if inside.is_dir() else Path(__file__).parents[3] / "data"
    return folder.joinpath(*names)
