"""Every kernel of the process."""

from __future__ import annotations

from typing import Any

# By "module.name".
KERNELS: dict[str, Any] = {}
