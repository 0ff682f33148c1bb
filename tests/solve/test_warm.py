"""After the warm-up nothing is compiled any more."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rtkpos.app.command_line.first_run import N_ENTRY
from rtkpos.estimate.step import run_block
from rtkpos.live.engine import RtkEngine
from rtkpos.live.warm import PLACE_ECEF_M, step_calls
from rtkpos.records.config import RtkConfig
from tests.data import dataset_path

NAGOYA = "static-nagoya-2024"
PROGRAM = """
import json, sys
import numpy as np
import rtkpos
from rtkpos._numba.cache_folder import use_project_cache

use_project_cache()
seconds = [rtkpos.warm_up(), rtkpos.warm_up()]
from rtkpos._numba.registry import KERNELS

def count():
    return {name: len(kernel.signatures) for name, kernel in KERNELS.items()}

before = count()
rover, base, nav = (sys.argv[k] for k in (1, 2, 3))
rover, base, nav = rtkpos.read_obs(rover), rtkpos.read_obs(base), rtkpos.read_nav(nav)
place = np.array(json.loads(sys.argv[4]))
for mode in ("kinematic", "static", "dgnss", "single"):
    found = rtkpos.solve(rover, nav, base, place, rtkpos.RtkConfig(mode=mode))
found.llh(), found.sigma_enu_m(), found.enu_m(place)
engine = rtkpos.RtkEngine(rtkpos.RtkConfig(), nav, place)
pairs = list(zip(rtkpos.epochs(rover), rtkpos.epochs(base)))
fixes = [engine.update(*pair) for pair in pairs[:5]]
engine.restore(engine.snapshot())
engine.add_nav(nav)
engine.set_base_position(place + 5.0)
fixes += [engine.update(*pair) for pair in pairs[5:10]]
after = count()
changed = {name: n for name, n in after.items() if n != before.get(name)}
print(json.dumps({"changed": changed, "seconds": seconds, "fixed": fixes[4].is_fixed}))
"""


@pytest.mark.compiled
@pytest.mark.slow
def test_no_kernel_is_compiled_after_the_warm_up():
    files = [str(dataset_path(NAGOYA, f"{name}.gz")) for name in ("rover.obs", "base.obs")]
    files.append(str(dataset_path(NAGOYA, "base.nav.gz")))
    place = json.dumps(json.loads(dataset_path(NAGOYA, "truth.json").read_text())["base_xyz"])
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *files, place],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    told = json.loads(result.stdout)
    assert told["fixed"]
    assert told["changed"] == {}
    assert told["seconds"][1] < 1.0


@pytest.mark.compiled
def test_helpers_compile_what_the_step_needs():
    """Parts for other types would be compiled for nothing, and the step would wait for its own."""
    from rtkpos._numba.compiler import general_types
    from rtkpos._numba.registry import KERNELS
    from rtkpos._numba.type_text import from_json, to_json

    step = RtkEngine(RtkConfig(), None, PLACE_ECEF_M).arguments()
    run_block.prepare_part(*step)
    (block,) = (result.library for result in run_block.part.overloads.values())
    needed, waiting = set(), [block]
    while waiting:
        part = waiting.pop()
        if part.origin not in needed:
            needed.add(part.origin)
            waiting += part.parts()
    assert 0.7 * N_ENTRY < len(needed) < N_ENTRY  # what the first run counts to
    for name, passed in needed:  # or each process would compile the part for itself
        returned = KERNELS[name].part.overloads[passed].signature.return_type
        for kind in (returned, *passed):
            assert from_json(to_json(kind)) == kind, name
    for kernel, arguments in step_calls(step):
        name = f"{kernel.py_func.__module__}.{kernel.py_func.__qualname__}"
        assert (name, general_types(arguments)) in needed, name
