"""What a reader or a run met on its way: counted skips, warnings, events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class SourceFile(NamedTuple):
    """A file as it was when it was read.

    path : as it was named      n_byte, mtime_ns : size and time of change; -1 for a pipe
    """

    path: str
    n_byte: int
    mtime_ns: int


@dataclass
class ReadReport:
    """Counts by short name with the first place each was seen.

    `counts["bad_field"] = 3` and `first["bad_field"] = "rover.obs line 412: '12x4' in L1C of G07"`.
    Invariant of the observation readers: epochs in the file = epochs kept + counted epoch skips.

    Parameters
    ----------
    counts : Counter[str], optional
        Counts by short name.
    first : dict[str, str], optional
        First place by the same name.
    warnings : list of str, optional
        Sentences for the user.
    files : list of SourceFile, optional
        Files that were read, once each.
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)

    def add(self, name: str, where: str = "", n: int = 1) -> None:
        """Count `n` occurrences of `name`; remember the first place.

        Parameters
        ----------
        name : str
            Short name of what happened.
        where : str, optional
            File and line.
        n : int, optional
            How often.
        """
        if n <= 0:
            return
        self.counts[name] += n
        if where:
            self.first.setdefault(name, where)

    def warn(self, message: str) -> None:
        """Keep a sentence for the user, once.

        Parameters
        ----------
        message : str
            The sentence.
        """
        if message not in self.warnings:
            self.warnings.append(message)

    def merge(self, other: ReadReport) -> None:
        """Add the counts and warnings of another report to this one.

        Parameters
        ----------
        other : ReadReport
            Another report.
        """
        self.counts.update(other.counts)
        for name, where in other.first.items():
            self.first.setdefault(name, where)
        for message in other.warnings:
            self.warn(message)
        self.files += [file for file in other.files if file not in self.files]

    def lines(self) -> list[str]:
        """Human-readable lines: warnings, then counts with the first place.

        Returns
        -------
        list of str
            The lines.
        """
        counted = [
            f"{name}: {n}" + (f" (first: {self.first[name]})" if name in self.first else "")
            for name, n in sorted(self.counts.items())
        ]
        return [*self.warnings, *counted]
