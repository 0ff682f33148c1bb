"""The records that kernels take: scalars are scalar fields."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import record_of
from rtkpos.estimate.step_memory import step_memory, step_outputs
from rtkpos.network.corrections.uncertainty import loo_sums
from rtkpos.network.interpolation.station_geometry import around_work
from rtkpos.network.network_memory import edge_memory, station_memory
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig


def fields_of(dtype, path=""):
    """Path and shape of all fields, those of nested records included."""
    for name, (kind, *_) in dtype.fields.items():
        if kind.fields:
            yield from fields_of(kind, f"{path}{name}.")
        else:
            yield f"{path}{name}", kind.shape


def made_records():
    made = [step_memory(), step_outputs(1), record_of(kernel_settings(RtkConfig()))]
    return [*made, edge_memory(1), station_memory(1), loo_sums(), around_work()]


def test_no_field_is_an_array_of_one():
    made = made_records()
    fields = [field for record in made for field in fields_of(record.dtype)]
    assert len(fields) > 300
    assert [path for path, shape in fields if shape == (1,)] == []


def test_no_field_is_hidden_by_a_method_of_numpy():
    """A kernel reads fields; plain Python would get np.record.mean for a field `mean`."""
    paths = [path for record in made_records() for path in every_path(record.dtype)]
    hidden = [path for path in paths if hasattr(np.record, path.rpartition(".")[2])]
    assert len(paths) > 300
    assert hidden == []


def every_path(dtype, path=""):
    """Path of every field, records and what they nest."""
    for name, (kind, *_) in dtype.fields.items():
        yield f"{path}{name}"
        if kind.fields:
            yield from every_path(kind, f"{path}{name}.")
