"""rtkpos: high-precision GNSS positioning with multi-GNSS RTK.

Two files to a track: `solve(read_obs("rover.obs"), read_nav("brdc.nav"), read_obs("base.obs"),
base_ecef_m)`. A vehicle: `RtkEngine(config, nav, base_ecef_m).update(rover_epoch, base_epoch)`.
The words of daily use stand here, the others in `rtkpos.network`, `rtkpos.frames`,
`rtkpos.records`, `rtkpos.io`, `rtkpos.batch`, `rtkpos.diagnose`, `rtkpos.physics`,
`rtkpos.simulate` and `rtkpos.errors`. What a word needs is imported when it is first used, so
that `import rtkpos` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos import (
        batch as batch,
    )
    from rtkpos import (
        diagnose as diagnose,
    )
    from rtkpos import (
        errors as errors,
    )
    from rtkpos import (
        frames as frames,
    )
    from rtkpos import (
        io as io,
    )
    from rtkpos import (
        network as network,
    )
    from rtkpos import (
        physics as physics,
    )
    from rtkpos import (
        records as records,
    )
    from rtkpos import (
        simulate as simulate,
    )
    from rtkpos.api import solve
    from rtkpos.batch.many_jobs import SolveJob, solve_many
    from rtkpos.diagnose.why import explain
    from rtkpos.errors import RtkposError
    from rtkpos.io.products.antex import read_antex
    from rtkpos.io.products.sp3 import read_sp3
    from rtkpos.io.rinex.read_navigation import read_nav
    from rtkpos.io.rinex.read_observations import read_obs
    from rtkpos.io.xarray_bridge import from_xarray, to_xarray
    from rtkpos.live.engine import RtkEngine
    from rtkpos.live.fix import RtkFix
    from rtkpos.live.warm import warm_up
    from rtkpos.processing.epoch import Epoch, epochs
    from rtkpos.records.broadcast import BroadcastTable
    from rtkpos.records.config import RtkConfig
    from rtkpos.records.observations import ObsTable
    from rtkpos.records.solution import Solution
    from rtkpos.records.status import FixStatus, Reason

__version__ = "0.1.0"

_PLACES = {
    "api": ("solve",),
    "batch.many_jobs": (
        "SolveJob",
        "solve_many",
    ),
    "diagnose.why": ("explain",),
    "errors": ("RtkposError",),
    "io.products.antex": ("read_antex",),
    "io.products.sp3": ("read_sp3",),
    "io.rinex.read_navigation": ("read_nav",),
    "io.rinex.read_observations": ("read_obs",),
    "io.xarray_bridge": (
        "from_xarray",
        "to_xarray",
    ),
    "live.engine": ("RtkEngine",),
    "live.fix": ("RtkFix",),
    "live.warm": ("warm_up",),
    "processing.epoch": (
        "Epoch",
        "epochs",
    ),
    "records.broadcast": ("BroadcastTable",),
    "records.config": ("RtkConfig",),
    "records.observations": ("ObsTable",),
    "records.solution": ("Solution",),
    "records.status": ("FixStatus", "Reason"),
}
_SUBMODULES = (
    "batch",
    "diagnose",
    "errors",
    "frames",
    "io",
    "network",
    "physics",
    "records",
    "simulate",
)
__getattr__, __dir__ = public_words(__name__, _PLACES, _SUBMODULES)

__all__ = [
    "BroadcastTable",
    "Epoch",
    "FixStatus",
    "ObsTable",
    "Reason",
    "RtkConfig",
    "RtkEngine",
    "RtkFix",
    "RtkposError",
    "Solution",
    "SolveJob",
    "epochs",
    "explain",
    "from_xarray",
    "read_antex",
    "read_nav",
    "read_obs",
    "read_sp3",
    "solve",
    "solve_many",
    "to_xarray",
    "warm_up",
]
