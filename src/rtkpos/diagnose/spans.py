"""Spans without a fix: runs of epochs that are not fixed, merged over short fixed stretches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import BoolArray, IndexArray, SmallArray
from rtkpos.records.status import FixStatus

MERGE_EPOCHS = 5  # as many fixed epochs or fewer between two runs do not part them


@dataclass(frozen=True, kw_only=True)
class Span:
    """Epochs first..end-1 of a solution; the first and the last are not fixed.

    rows : (n,) the epochs among them that are not fixed
    """

    first: int
    end: int
    rows: IndexArray

    @property
    def n_epoch(self) -> int:
        """All epochs of the span, the few fixed ones between included."""
        return self.end - self.first


def find_spans(status: SmallArray) -> list[Span]:
    """Spans of a run, most unfixed epochs first, then the earlier one. status : (n,) FixStatus."""
    is_open: BoolArray = status != FixStatus.FIXED
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_open.astype(np.int8), [0]])))
    first, end = edges[::2], edges[1::2]
    if not len(first):
        return []
    parts = np.flatnonzero(first[1:] - end[:-1] > MERGE_EPOCHS) + 1
    first, end = first[np.concatenate([[0], parts])], end[np.concatenate([parts - 1, [-1]])]
    unfixed = np.flatnonzero(is_open)
    low, high = np.searchsorted(unfixed, first), np.searchsorted(unfixed, end)
    spans = [
        Span(first=int(a), end=int(b), rows=unfixed[i:j])
        for a, b, i, j in zip(first, end, low, high, strict=True)
    ]
    return sorted(spans, key=lambda span: (-len(span.rows), span.first))
