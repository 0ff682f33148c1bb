"""Why epochs are not fixed: measures, causes, the sky, spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos.diagnose.why import Explanation, explain

_PLACES = {
    "why": (
        "Explanation",
        "explain",
    ),
}
__getattr__, __dir__ = public_words(__name__, _PLACES)

__all__ = [
    "Explanation",
    "explain",
]
