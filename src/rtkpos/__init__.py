"""rtkpos: high-precision GNSS positioning with multi-GNSS RTK."""

from __future__ import annotations

__version__ = "0.1.0"
