"""Every value of the configuration says what it is, and a mistyped one finds the right one."""

from __future__ import annotations

import dataclasses

import pytest

from rtkpos.errors import ConfigError
from rtkpos.network.network_config import NetworkConfig
from rtkpos.records.config import RtkConfig
from rtkpos.records.config_field import config_fields


def leaves(values, path=""):
    """Paths of the values of nested dictionaries; an empty dictionary is a value."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def test_every_value_is_described():
    described = [one.path for one in config_fields(RtkConfig)]
    assert described == list(leaves(dataclasses.asdict(RtkConfig())))
    names = [one.path for one in config_fields(NetworkConfig)]
    assert names == [f.name for f in dataclasses.fields(NetworkConfig) if f.name != "selection"]
    for one in (*config_fields(RtkConfig), *config_fields(NetworkConfig)):
        assert len(one.text) > 10, one.path
        assert not one.text.endswith("."), one.path


def test_defaults_lie_within_their_limits():
    for one in (*config_fields(RtkConfig), *config_fields(NetworkConfig)):
        if one.choices:
            assert one.default in one.choices, one.path
        elif one.low is not None and one.default is not None:
            assert one.low <= one.default <= one.high, one.path


def test_units_are_those_of_the_names():
    units = {one.path: one.unit for one in config_fields(RtkConfig)}
    assert units["selection.elevation_mask_deg"] == "deg"
    assert units["noise.ambiguity_drift_cycle_per_sqrt_s"] == "cycle/sqrt(s)"
    assert units["base.age_noise_m_per_s"] == "m/s"
    assert units["slips.divergence_epochs"] == "epochs"
    assert units["mode"] == units["ambiguity.ratio_min"] == ""


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mod": "static"}, "unknown key mod; known are mode, profile"),
        ({"mod": "static"}, "did you mean mode?"),
        ({"selection": {"sytems": "G"}}, "did you mean selection.systems?"),
        ({"elevation_mask_deg": 12.0}, "did you mean selection.elevation_mask_deg?"),
        ({"mode": "statik"}, "got 'statik'; did you mean static?"),
        ({"ambiguity": {"glonass": "oof"}}, "did you mean off?"),
    ],
)
def test_a_mistyped_word_names_the_nearest(values, said):
    with pytest.raises(ConfigError) as caught:
        RtkConfig.from_dict(values)
    assert said in str(caught.value)


def test_a_word_near_to_nothing_suggests_nothing():
    with pytest.raises(ConfigError) as caught:
        RtkConfig.from_dict({"xyzzy": 1})
    assert "did you mean" not in str(caught.value)
