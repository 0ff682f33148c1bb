"""A live engine leaves nothing behind: no garbage for the collector, no blocks of memory."""

from __future__ import annotations

import gc
import hashlib
import json
import sys

import numpy as np
import pytest

from rtkpos.errors import DataError
from rtkpos.live.snapshot import MAGIC, pack, unpack
from tests.solve.runs import FUJISAWA, engine_of, short

N_ROUND, KEPT_PER_ROUND = 25, 4


@pytest.fixture
def no_collection():
    """A process that counts on no collection of garbage, which also empties CPython's free lists.

    Programs that fear its pauses switch the collector off; with it on, garbage that outlives two
    collections of young objects stays for hours, since old ones are looked at when many came.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.compiled
def test_nothing_is_left_for_the_collector(no_collection):
    engine, rover, base = engine_of(FUJISAWA)
    start = engine.snapshot()
    _call_everything(engine, start, rover, base)  # compiles, which leaves a lot
    gc.collect()
    _call_everything(engine, start, rover, base)
    assert gc.collect() == 0


def _call_everything(engine, start, rover, base):
    """All methods of a live engine, and a refused epoch."""
    nav, place = short(FUJISAWA)[2:]
    engine.restore(start)
    for k in range(10):
        engine.update(rover[k], base[k])
    engine.add_nav(nav)
    engine.set_base_position(place + 0.1)
    engine.restore(engine.snapshot())
    with pytest.raises(DataError):
        engine.update(rover[0])


@pytest.mark.slow
@pytest.mark.compiled
def test_no_memory_stays_after_updates_and_restarts(no_collection):
    engine, rover, base = engine_of(FUJISAWA)
    start = engine.snapshot()
    pairs = list(zip(rover, base, strict=True))
    kept = [_kept_blocks(engine, start, pairs) for _ in range(3)]
    # Once some 40 tuples stayed in CPython's free lists with every round, and 297 objects for the
    # collector. What fills a cache of the process comes once, mostly in the first rounds.
    assert min(kept) < N_ROUND * KEPT_PER_ROUND, f"{kept} blocks stayed, {N_ROUND} rounds each"


def _kept_blocks(engine, start, pairs):
    """Blocks of memory that stay after rounds of two updates, a snapshot and a restart."""
    before = sys.getallocatedblocks()
    for k in range(N_ROUND):
        engine.restore(start)
        for pair in pairs[k % 10 : k % 10 + 2]:
            engine.update(*pair)
        engine.snapshot()
    return sys.getallocatedblocks() - before


def test_arrays_of_a_snapshot_come_back_as_they_were():
    arrays = {
        "empty": np.zeros((0, 3)),
        "matrix": np.arange(6, dtype=np.int16).reshape(2, 3),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "odd": np.array([1, 2, 3], np.uint8),
        "behind": np.array([np.nan, -0.0, np.inf]),
    }
    facts, found = unpack(pack({"one": [1, None, "x"]}, arrays))
    assert facts == {"one": [1, None, "x"]}
    assert list(found) == list(arrays)
    for name, values in arrays.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        assert found[name].tobytes() == values.tobytes()
        assert found[name].flags.writeable
        assert found[name].flags.c_contiguous
        assert found[name].flags.aligned


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"facts": {}},
        {"facts": {}, "arrays": [["a", "<f8", [2]]]},
        {"facts": {}, "arrays": [["a", "|O", [1]]]},
        {"facts": {}, "arrays": [["a", "nonsense", [1]]]},
        {"facts": {}, "arrays": [["a", "<f8", [-1, 3]]]},
        {"facts": {}, "arrays": [["a", "<f8", "x"]]},
        {"facts": {}, "arrays": [["a"]]},
    ],
)
def test_a_stamped_text_that_does_not_fit_its_bytes_is_refused(told):
    text = json.dumps(told).encode()
    payload = len(text).to_bytes(8, "little") + text + bytes(8)
    with pytest.raises(DataError, match="cannot be read"):
        unpack(MAGIC + hashlib.sha256(payload).digest() + payload)


@pytest.mark.parametrize("n", [0, 5, 32, 40])
def test_a_stamp_with_little_behind_it_is_refused(n):
    with pytest.raises(DataError):
        unpack(MAGIC + bytes(n))
