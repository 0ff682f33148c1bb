"""Files that come with the package: in the wheel under rtkpos/data, in a checkout in data/."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def shipped_path(*names: str) -> Path:
    """Path of a file or folder that comes with the package, named below its data folder."""
    package = Path(str(resources.files("rtkpos")))
    inside, beside = package / "data", package.parents[1] / "data"
    return (inside if inside.is_dir() else beside).joinpath(*names)
