"""Where a result comes from: program and version, input files with digests, settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file a result was computed from, by name without its folder.

    role : "rover", "base", "nav", "antex", or "station NAME"      n_byte : -1 where not known
    sha256 : of its bytes as they lie on the disk, 64 hexadecimal digits; "" where not known
    """

    role: str
    name: str
    n_byte: int = -1
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class History:
    """What a result was made with; the same run gives the same history, so it holds no clock time.

    settings : values of the configuration that are not the defaults of this version, by path
               ("ambiguity.ratio_min")
    base_ecef_m : coordinates of the base [m], empty without a base that stands still
    """

    program: str = "rtkpos"
    version: str = ""
    inputs: tuple[InputFile, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    base_ecef_m: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "program": self.program,
            "version": self.version,
            "inputs": [
                {"role": one.role, "name": one.name, "bytes": one.n_byte, "sha256": one.sha256}
                for one in self.inputs
            ],
            "settings": dict(self.settings),
            "base_ecef_m": list(self.base_ecef_m),
        }

    def input_lines(self) -> list[str]:
        """One line for each input: role, name, and the digest where it is known."""
        return [
            f"{one.role} {one.name}" + (f" sha256 {one.sha256}" if one.sha256 else "")
            for one in self.inputs
        ]

    def settings_line(self) -> str:
        """The settings in one line: 'mode = "static"'."""
        changed = (f"{path} = {_text(value)}" for path, value in self.settings.items())
        return "; ".join(changed) or "defaults"

    def lines(self) -> list[str]:
        """All of it as lines of text; empty where nothing is known."""
        if not self.version:
            return []
        return [
            f"{self.program} {self.version}",
            *self.input_lines(),
            f"settings: {self.settings_line()}",
        ]


def _text(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
