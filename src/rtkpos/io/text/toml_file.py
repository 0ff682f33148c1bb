"""TOML files as dictionaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtkpos._toml import LONGEST, parse_toml
from rtkpos.errors import InputError, RtkposError
from rtkpos.io.text.files import read_file_text


def read_toml(
    path: Path, *, kind: str = "", wrong: type[RtkposError] = InputError
) -> dict[str, Any]:
    """The content of a TOML file.

    kind : word before the name in messages, like "configuration"
    FileError when the file cannot be read, `wrong` in one sentence when it is no TOML.
    """
    text = read_file_text(path, kind=kind, most=LONGEST)
    try:
        return parse_toml(text)
    except ValueError as error:
        raise wrong(f"{kind} {path} is not valid TOML: {error}.".lstrip()) from None
