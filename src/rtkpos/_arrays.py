"""Array type aliases: what the records hold and the kernels take (C-contiguous)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.int64]  # GPST nanoseconds
IndexArray = NDArray[np.int64]
SatArray = NDArray[np.int16]
SigArray = NDArray[np.int16]
BoolArray = NDArray[np.bool_]
FlagArray = NDArray[np.uint8]
SmallArray = NDArray[np.int8]
