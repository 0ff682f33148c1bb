"""TOML files as dictionaries."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from rtkpos.errors import FileError, InputError


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file; InputError in one sentence when it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"{path} cannot be read: {cause}.", str(path)) from None
    except ValueError as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from None
