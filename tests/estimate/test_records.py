"""The records that kernels take: scalars are scalar fields."""

from __future__ import annotations

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


def test_no_field_is_an_array_of_one():
    made = [step_memory(), step_outputs(1), record_of(kernel_settings(RtkConfig()))]
    made += [edge_memory(1), station_memory(1), loo_sums(), around_work()]
    fields = [field for record in made for field in fields_of(record.dtype)]
    assert len(fields) > 300
    assert [path for path, shape in fields if shape == (1,)] == []
